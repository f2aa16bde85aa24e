"""The seven phases of `video`, declared once."""

from lib.runs.plan import Phase, Workflow

VIDEO = Workflow(
    key="video",
    name="Video",
    flow="flows.video.pipeline:video_pipeline",
    engines="flows.video.engines:engines",
    defaults="lib.video.defaults:parameters",
    phases=(
        Phase(1, "extract", "Extract", "flows.video.extract:extract_phase", "base", weight=2),
        Phase(
            2, "convert", "Convert", "flows.video.convert:convert_phase", "base",
            after=("extract",), needs=("extract",), weight=15,
        ),
        Phase(
            3, "scenes", "Scenes", "flows.video.scenes:scenes_phase", "scenes",
            after=("convert",), needs=("convert",), weight=25,
        ),
        Phase(
            4, "audio", "Audio", "flows.video.audio:audio_phase", "audio",
            after=("convert",), needs=("convert",), weight=20,
        ),
        Phase(
            5, "tracking", "Tracking", "flows.video.tracking:tracking_phase", "tracking",
            after=("convert", "scenes", "audio"), needs=("convert",), weight=30,
        ),
        Phase(
            6, "reduce", "Reduce", "flows.video.reduce:reduce_phase", "base",
            after=("extract", "convert", "audio", "tracking"), needs=("extract",), weight=3,
        ),
        Phase(
            7, "finalise", "Finalise and archive", "flows.video.finalise:finalise_phase", "base",
            # Of all phases, for some of them may be left out: those that are run have ended then.
            after=("extract", "convert", "scenes", "audio", "tracking", "reduce"), needs=("extract",), weight=5,
        ),
    ),
)  # fmt: skip
