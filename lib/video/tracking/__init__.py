"""Phase 5: faces, who they are from frame to frame, and which of them speaks."""
