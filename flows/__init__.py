"""Orchestrators and phases: what happens in which order."""
