"""Phase 1: archives of rushes, from strangers, unpacked without trusting them."""
