"""Who speaks when (phase 4 of `video`)."""
