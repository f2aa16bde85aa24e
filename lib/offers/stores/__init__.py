"""Stores of offers: one port (`base`), one file per adapter."""
