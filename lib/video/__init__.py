"""The `video` workflow: from archives of rushes to analysis files."""
