"""What is kept of the results of phases 4 and 5, and what is written beside them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Key = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class ReduceOptions(BaseModel):
    """How the results of audio and tracking are made small.

    The order of both lists is the order of the keys in the files; the defaults have the order that existing After
    Effects scripts were written against.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tracking_keys: tuple[Key, ...] = Field(
        default=("id", "centroid_x", "source", "label", "active_speakers", "bbox_width", "bbox_height"),
        min_length=1,
        max_length=100,
        description="Keys that are kept of each tracked object, in this order.",
    )
    audio_keys: tuple[Key, ...] = Field(
        default=("is_speech_present", "active_speaker_labels"),
        min_length=1,
        max_length=100,
        description="Keys that are kept of each frame's audio, in this order.",
    )
    after_effects: bool = Field(
        default=False,
        description="Also write `<stem>_ae.json` (by frame) and `<stem>_keyframes.txt` (to paste into After Effects).",
    )
    landmarks: bool = Field(
        default=False, description="Also keep the landmarks of faces, apart, in `<stem>_landmarks.parquet`."
    )

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        for name in ("tracking_keys", "audio_keys"):
            keys = getattr(self, name)
            if len(set(keys)) != len(keys):
                raise ValueError(f"{name} names a key twice")
        return self
