"""The options of a whole run of `video`, one group per phase."""

from pydantic import BaseModel, ConfigDict, Field

from lib.video.audio.options import AudioOptions
from lib.video.convert.options import ConvertOptions
from lib.video.extract.options import ExtractOptions
from lib.video.finalise.options import FinaliseOptions
from lib.video.reduce.options import ReduceOptions
from lib.video.report.options import ReportOptions
from lib.video.scenes.options import SceneOptions
from lib.video.tracking.options import TrackingOptions


class VideoOptions(BaseModel):
    """How each phase of `video` does its work."""

    model_config = ConfigDict(extra="forbid")

    extract: ExtractOptions = Field(default_factory=ExtractOptions, description="Phase 1: archives.")
    convert: ConvertOptions = Field(default_factory=ConvertOptions, description="Phase 2: constant frame rate.")
    scenes: SceneOptions = Field(default_factory=SceneOptions, description="Phase 3: scene cuts.")
    audio: AudioOptions = Field(default_factory=AudioOptions, description="Phase 4: who speaks when.")
    tracking: TrackingOptions = Field(default_factory=TrackingOptions, description="Phase 5: faces.")
    reduce: ReduceOptions = Field(default_factory=ReduceOptions, description="Phase 6: reduced JSON.")
    finalise: FinaliseOptions = Field(default_factory=FinaliseOptions, description="Phase 7: copies and archive.")
    force: bool = Field(
        default=False, description="Analyse again what is known already: scenes, audio and tracking of every video."
    )
    report: ReportOptions = Field(default_factory=ReportOptions, description="The reports of phase 7.")
