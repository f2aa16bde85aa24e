"""The parts of the embedded engine: level, voice activity, voice prints, clustering."""
