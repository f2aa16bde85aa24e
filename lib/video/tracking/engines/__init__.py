"""The engines that find faces: one module each, listed in `registry`."""
