"""Deployments, environments and the `regie` command line."""
