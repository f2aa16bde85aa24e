"""Which of the faces in a frame speaks, by its mouth and by what is heard."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lib.errors import InputError
from lib.video.reduce.reading import read_frames

MOUTH, AUDIO = "mouth", "audio"
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Heard:
    """What the audio says of one frame."""

    speech: bool
    labels: tuple[str, ...]
    """Who speaks."""


@dataclass(frozen=True)
class Speech:
    """What is known of one face in one frame."""

    speaks: bool
    sources: tuple[str, ...]
    """`mouth`: it moves as in speech. `audio`: somebody is heard, and this face is the one."""
    labels: tuple[str, ...]
    """Who is heard from it."""


def attribute(movements: Mapping[Key, float], heard: Heard | None, threshold: float) -> dict[Key, Speech]:
    """Say of each face whether it speaks, from the movement of its mouth.

    Where audio is known, a face speaks when its mouth moves while somebody is heard; of several, those that move most,
    as many as are heard. A voice while no mouth moves comes from outside of the picture. Without audio, `heard` is None
    and the mouth decides.
    """
    moving = sorted((key for key, movement in movements.items() if movement >= threshold), key=lambda k: -movements[k])
    speakers = set(moving)
    if heard is not None:
        speakers = set(moving[: max(1, len(heard.labels))]) if heard.speech else set()
    return {
        key: Speech(
            speaks=key in speakers,
            sources=(MOUTH,) * (key in moving) + (AUDIO,) * (heard is not None and key in speakers),
            labels=heard.labels if heard is not None and key in speakers else (),
        )
        for key in movements
    }


class Audio:
    """The result of phase 4, read as a stream beside the frames; a file that is broken counts from there as missing."""

    def __init__(self, result: Path | None) -> None:
        self.problem = ""
        """What was wrong with the file."""
        self._frames = self._read(result) if result is not None else iter(())
        self._next = next(self._frames, None)
        self.known = self._next is not None

    def at(self, frame: int) -> Heard | None:
        """Return what is heard in a frame, counted from 1; frames are asked for in rising order. None: not known."""
        while self._next is not None and self._next[0] < frame:
            self._next = next(self._frames, None)
        return self._next[1] if self._next is not None and self._next[0] == frame else None

    def _read(self, result: Path) -> Iterator[tuple[int, Heard]]:
        try:
            for value in read_frames(result):
                info = value["audio_info"]
                labels = tuple(str(label) for label in info.get("active_speaker_labels", ()))
                yield int(value["frame"]), Heard(bool(info.get("is_speech_present", labels)), labels)
        except InputError as error:
            self.problem = str(error)
        except (OSError, AttributeError, KeyError, TypeError, ValueError):
            self.problem = "it is not a result of phase 4"
