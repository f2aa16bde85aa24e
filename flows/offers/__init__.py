"""The flows of `offers`."""
