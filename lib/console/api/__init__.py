"""The HTTP API below /api/v1: each module is a resource and names its routes in `router`."""
