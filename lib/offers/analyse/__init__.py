"""How well an offer fits a profile."""
