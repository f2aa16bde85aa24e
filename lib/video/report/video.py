"""The report of one video."""

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.progress import Progress, silent
from lib.video.media import Media
from lib.video.report import timeline
from lib.video.report.findings import Findings, middle
from lib.video.report.options import ReportOptions
from lib.video.report.page import write_page
from lib.video.report.pictures import Album, Thumbnail, fitting_width, sample
from lib.video.report.reading import find
from lib.video.report.words import Words, href
from lib.video.results import Results
from lib.video.scenes.table import Scene

STRIP = 14
"""Pictures in the strip over the timeline."""
STRIP_WIDTH = 120
STRIP_PART = 0.08
"""Share of the bytes for pictures that the strip may take."""
MOST_ROWS = 5000
"""Scenes in the table at most: a browser gets slow beyond, and the CSV file has them all."""
LENGTH_CLASSES = (1, 2, 4, 8, 16)
"""Seconds that part the classes of shot lengths."""


@dataclass(frozen=True)
class Voice:
    """A speaker heard in a scene."""

    label: str
    colour: int


@dataclass(frozen=True)
class Card:
    """A scene as the contact sheet shows it."""

    place: int
    """Among all scenes, from 1."""
    block: int
    """The place of the first scene of its block in the timeline."""
    scene: Scene
    start: float
    middle: int
    length: float
    voices: Sequence[Voice]
    faces: int
    gradual: bool
    """Whether a gradual transition leads into it."""
    picture: Thumbnail | None


def write_video_report(
    video: Path, target: Path, options: ReportOptions, facts: Media, progress: Progress = silent, made_from: str = ""
) -> Findings:
    """Write the report of a video from the results beside it; one that is missing is said in the report.

    Links are relative to where `target` lies and lead to the files that are there now. Returns what the report was made
    of, for the report of the project. Raises OSError when the file cannot be written; a video whose pictures cannot be
    read has a report without pictures.
    """
    findings = find(video, facts)
    words = Words(options.language)
    album = Album(video, facts, options.quality)
    shown = sample(len(findings.scenes), options.maximum_thumbnails)
    width = fitting_width(options.thumbnail_width, len(shown))
    strip_bytes = int(options.picture_bytes * STRIP_PART)
    strip = album.take(_strip_frames(findings), STRIP_WIDTH, strip_bytes)
    pictures = album.take(
        [middle(findings.scenes[place]) for place in shown], width, options.picture_bytes - strip_bytes, progress
    )
    cards = [_card(findings, place, pictures) for place in range(len(findings.scenes))]
    values: dict[str, Any] = {
        "findings": findings,
        "newest": findings.newest,
        "facts": facts,
        "name": video.name,
        "video_link": href(video, target.parent),
        "links": _links(video, target, words),
        "problems": problems(findings, words, album.problem),
        "strip": list(strip.values()),
        "ticks": timeline.ticks(findings.duration),
        "lanes": timeline.lanes(findings, words, shown),
        "rhythm": timeline.rhythm(findings, words),
        "around": timeline.AROUND,
        "lengths": length_classes(findings.lengths, words),
        "speakers": _shares(findings),
        "cards": [cards[place] for place in shown],
        "rows": cards[:MOST_ROWS] if len(shown) < len(cards) else [],
        "portrait": facts.height > facts.width,
        "picture_size": _picture_size(facts, width),
    }
    write_page(target, "video.html", words, values, made_from)
    return findings


def problems(findings: Findings, words: Words, pictures: str = "") -> list[str]:
    """Say in words what a person should know about the results of a video before relying on them."""
    said = []
    for kind, result in findings.results.items():
        if result.state == "missing":
            said.append(words(f"missing_{kind}"))
        elif result.state == "broken":
            said.append(words(f"broken_{kind}", detail=result.problem.rstrip(".")))
    for key, frames in _frames_said(findings).items():
        if frames and abs(frames - findings.facts.frames) > 1:
            said.append(words(f"frames_{key}", said=frames, real=findings.facts.frames))
    if findings.facts.audio is None:
        said.append(words("silent_video"))
    elif findings.voices and not findings.voices.speech:
        said.append(words("no_speech"))
    if len(findings.scenes) == 1:
        said.append(words("one_scene"))
    if pictures:
        said.append(words("no_pictures", detail=pictures))
    return said


def _frames_said(findings: Findings) -> dict[str, int]:
    return {
        "scenes": findings.scenes[-1].frame_out if findings.scenes else 0,
        "audio": findings.voices.frames if findings.voices else 0,
        "tracking": findings.faces.frames if findings.faces else 0,
    }


def length_classes(lengths: Sequence[float], words: Words) -> list[tuple[str, int, float]]:
    """Return the classes of shot lengths: what each holds, how many shots, and their share of the fullest class."""
    bounds = [0.0, *LENGTH_CLASSES, float("inf")]
    classes = []
    for low, high in itertools.pairwise(bounds):
        key = "below" if low == 0 else "above" if high == float("inf") else "between"
        count = sum(low <= length < high for length in lengths)
        classes.append((words(key, low=low, high=high), count))
    most = max(count for _, count in classes) or 1
    return [(label, count, count / most) for label, count in classes]


def _strip_frames(findings: Findings) -> list[int]:
    """Return frames at even distances, each in the middle of its part of the film."""
    frames = max(findings.facts.frames, 1)
    return sorted({min(frames, (2 * place + 1) * frames // (2 * STRIP) + 1) for place in range(STRIP)})


def _card(findings: Findings, place: int, pictures: dict[int, Thumbnail]) -> Card:
    scene, fps = findings.scenes[place], findings.fps
    heard = findings.voices.heard[place].most_common() if findings.voices and place in findings.voices.heard else []
    return Card(
        place=place + 1,
        block=timeline.block_of(place, len(findings.scenes)) + 1,
        scene=scene,
        start=(scene.frame_in - 1) / fps,
        middle=middle(scene),
        length=findings.lengths[place],
        voices=[Voice(label, timeline.colour(findings.voices, label)) for label, _ in heard],
        faces=findings.faces.seen[place] if findings.faces else 0,
        gradual=findings.begins_gradually(scene),
        picture=pictures.get(middle(scene)),
    )


def _shares(findings: Findings) -> list[tuple[str, int, float]]:
    """Return each speaker's label, colour and share of the time."""
    voices = findings.voices
    if not voices:
        return []
    return [
        (label, timeline.colour(voices, label), voices.speakers[label] / max(voices.frames, 1))
        for label in voices.ranked()
    ]


def _picture_size(facts: Media, box: int) -> tuple[int, int]:
    longest = max(facts.width, facts.height, 1)
    return max(1, facts.width * box // longest), max(1, facts.height * box // longest)


def _links(video: Path, target: Path, words: Words) -> list[tuple[str, str]]:
    """Return the words and addresses of the files beside a video that are there."""
    beside = Results(video)
    files = [
        (words("watch"), video),
        (words("scenes_csv"), beside.scenes_csv),
        (words("scenes_json"), beside.scenes_json),
        ("EDL", beside.edl),
        ("OTIO", beside.otio),
        (words("audio_json"), beside.audio_json),
        ("RTTM", beside.rttm),
        (words("tracking_json"), beside.tracking_json),
    ]
    found = ((label, href(path, target.parent)) for label, path in files if os.path.isfile(path))  # noqa: PTH113  # false for a name that is too long
    return [(label, link) for label, link in found if link]
