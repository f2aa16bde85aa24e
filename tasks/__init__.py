"""Prefect tasks: retries, caching and progress around one call of the library."""
