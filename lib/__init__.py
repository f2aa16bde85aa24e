"""The domain, in plain Python: it knows nothing of flows and can be called from a notebook."""
