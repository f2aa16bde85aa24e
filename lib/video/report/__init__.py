"""Reports of a video and of a project: one HTML file each, which needs nothing else to be read."""
