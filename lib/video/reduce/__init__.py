"""Phase 6: results made small for After Effects, in place."""
