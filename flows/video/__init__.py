"""The `video` workflow: one file per phase, and the orchestrator in `pipeline`."""

from flows.video.pipeline import video_pipeline

__all__ = ["video_pipeline"]
