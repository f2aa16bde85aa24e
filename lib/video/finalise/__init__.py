"""Phase 7: results checked, copied and archived."""
