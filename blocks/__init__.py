"""Typed Prefect blocks: credentials and services."""
