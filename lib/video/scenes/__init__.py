"""Phase 3: where the scenes of a video begin and end."""
