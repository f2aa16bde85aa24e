"""Phase 2: videos at one constant frame rate, which frame numbers need to mean the same everywhere."""
