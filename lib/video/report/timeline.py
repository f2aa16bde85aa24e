"""Where things are drawn on the time axis: lanes, ticks and curves, as shares and SVG paths.

Positions are percentages or lie in a view box that is stretched, so that a drawing fills whatever width it is given
while its words keep their size.
"""

import bisect
import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lib.video.report.findings import Faces, Findings, Slices, Voices
from lib.video.report.words import Words, clock
from lib.video.scenes.table import Scene

MOST_BLOCKS = 600
"""More scenes than this share blocks: they would be narrower than a pixel."""
MOST_LANES = 8
"""Speakers with a lane and a colour of their own; those who speak least share the last lane."""
AROUND = 9
"""How many shots the smoothed curve of the rhythm looks at."""
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
LENGTHS = (0.02, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 36000, 360000)
WIDE, HIGH = 1000, 100
"""The view box of curves."""


@dataclass(frozen=True)
class Block:
    """Something that lasts."""

    x: str
    width: str
    title: str
    target: int | None = None
    """The place (from 1) of the scene that it leads to."""
    place: int = 0
    """The place of its own first scene."""


@dataclass(frozen=True)
class Lane:
    """A row of the timeline."""

    kind: Literal["scenes", "speech", "voice", "faces"]
    label: str
    note: str = ""
    colour: int = 0
    blocks: Sequence[Block] = ()
    marks: Sequence[Block] = ()
    """What is marked on the blocks: gradual transitions."""
    path: str = ""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: str
    label: str
    major: bool = True


@dataclass(frozen=True)
class Rhythm:
    """The length of each shot over time, on a logarithmic scale."""

    shots: str
    smooth: str
    ticks: Sequence[Tick] = field(default=())


def percent(share: float) -> str:
    """Return a share as SVG writes a percentage."""
    return f"{share * 100:.3f}".rstrip("0").rstrip(".") + "%"


def ticks(duration: float) -> list[Tick]:
    """Return the marks of a time axis: about ten, of which every second one keeps its words on a narrow screen."""
    longer = TICKS[-1] * math.ceil(duration / (12 * TICKS[-1]))
    step = next((each for each in TICKS if duration / each <= 12), longer)
    marks = []
    for count in range(int(duration // step) + 1):
        # A mark at the very end would have its words cut off.
        if count * step <= duration * 0.97:
            marks.append(Tick(percent(count * step / duration), clock(count * step), count % 2 == 0))
    return marks


def lanes(findings: Findings, words: Words, shown: Sequence[int]) -> list[Lane]:
    """Return the rows of the timeline, from top to bottom: scenes, speakers, faces.

    `shown` are the places (from 0, in order) of the scenes that have a card to lead to.
    """
    rows = []
    if findings.scenes:
        blocks = list(_scene_blocks(findings, words, shown))
        marks = list(_transition_marks(findings, words))
        rows.append(
            Lane("scenes", words("lane_scenes"), words.number(len(findings.scenes)), blocks=blocks, marks=marks)
        )
    if findings.voices and findings.voices.speech:
        rows += _voice_lanes(findings.voices, findings.duration, words)
    if findings.faces and findings.faces.with_face:
        share = findings.faces.with_face / max(findings.faces.frames, 1)
        rows.append(Lane("faces", words("lane_faces"), words.percent(share), path=faces_path(findings.faces)))
    return rows


def block_of(place: int, scenes: int) -> int:
    """Return the place of the first scene of the block that a scene is drawn in; places count from 0."""
    size = math.ceil(scenes / MOST_BLOCKS)
    return place // size * size


def _scene_blocks(findings: Findings, words: Words, shown: Sequence[int]) -> Iterator[Block]:
    """Yield a block per scene, or per neighbourhood of scenes where there are very many."""
    scenes, frames, fps = findings.scenes, findings.frames, findings.fps
    size = math.ceil(len(scenes) / MOST_BLOCKS)
    for place in range(0, len(scenes), size):
        group = scenes[place : place + size]
        start, end = (group[0].frame_in - 1) / frames, group[-1].frame_out / frames
        target = shown[min(bisect.bisect_left(shown, place), len(shown) - 1)]
        yield Block(percent(start), percent(end - start), _scenes_title(group, fps, words), target + 1, place + 1)


def _transition_marks(findings: Findings, words: Words) -> Iterator[Block]:
    label = words("transition").capitalize()
    for span in findings.transitions[:MOST_BLOCKS]:
        start, end = (span.first - 1) / findings.frames, span.last / findings.frames
        title = words("span_title", label=label, start=findings.code(span.first), end=findings.code(span.last))
        yield Block(percent(start), percent(end - start), title)


def _scenes_title(group: Sequence[Scene], fps: float, words: Words) -> str:
    first, last = group[0], group[-1]
    start = clock((first.frame_in - 1) / fps)
    if first is last:
        return words("scene_title", number=first.number, start=start, end=clock(first.frame_out / fps))
    return words("scenes_title", first=first.number, last=last.number, start=start)


def _voice_lanes(voices: Voices, duration: float, words: Words) -> Iterator[Lane]:
    ranked = voices.ranked()
    if not ranked:
        share = voices.speech / max(voices.frames, 1)
        blocks = list(_spans(voices.lane, words("lane_speech"), duration, words))
        yield Lane("speech", words("lane_speech"), words.percent(share), blocks=blocks)
        return
    own = ranked if len(ranked) <= MOST_LANES else ranked[: MOST_LANES - 1]
    for place, label in enumerate(own):
        share = voices.speakers[label] / max(voices.frames, 1)
        blocks = list(_spans(voices.lanes[label], label, duration, words))
        yield Lane("voice", label, f"{clock(share * duration)} · {words.percent(share)}", place + 1, blocks)
    if rest := ranked[len(own) :]:
        together = merged(voices.lanes[label] for label in rest)
        label = words("other_voices", count=len(rest))
        yield Lane("voice", label, "", MOST_LANES, list(_spans(together, label, duration, words)))


def colour(voices: Voices | None, label: str) -> int:
    """Return the number of a speaker's colour, from 1 to `MOST_LANES`."""
    ranked = voices.ranked() if voices else []
    return min(ranked.index(label) + 1, MOST_LANES) if label in ranked else MOST_LANES


def merged(all_slices: Iterable[Slices]) -> Slices:
    """Return the largest value of several in each slice."""
    first, *others = all_slices
    result = Slices(first.frames)
    columns = zip(first.values, *(each.values for each in others), strict=True)
    result.values[:] = bytes(map(max, columns)) if others else first.values
    return result


def _spans(slices: Slices, label: str, duration: float, words: Words) -> Iterator[Block]:
    for start, end in slices.spans():
        title = words("span_title", label=label, start=clock(start * duration), end=clock(end * duration))
        yield Block(percent(start), percent(end - start), title)


def spans_path(slices: Slices, top: int, height: int) -> str:
    """Return stretches as one SVG path in a view box `WIDE` wide."""
    return "".join(
        f"M{start * WIDE:.1f} {top}h{(end - start) * WIDE:.1f}v{height}h-{(end - start) * WIDE:.1f}z"
        for start, end in slices.spans()
    )


def faces_path(faces: Faces) -> str:
    """Return how many faces are seen over time as a skyline, in a view box of `WIDE` by `HIGH`."""
    most = max(faces.most, 1)
    values = faces.lane.values
    path, last = [f"M0 {HIGH}"], 0
    for place, value in enumerate([*values, 0]):
        if value != last:
            path.append(f"H{place * WIDE / len(values):.1f}V{HIGH - value * HIGH / most:.4g}")
            last = value
    return "".join(path) + "z" if len(path) > 1 else ""


def rhythm(findings: Findings, words: Words) -> Rhythm | None:
    """Return the length of the shots over time; None of fewer than three, which have no rhythm."""
    lengths = findings.lengths
    if len(lengths) < 3:
        return None
    # One flash of a frame must not press all other shots into the upper half: the shortest fiftieth may be cut off.
    short = sorted(lengths)[len(lengths) // 50]
    low = max((each for each in LENGTHS if each <= short), default=LENGTHS[0])
    high = min((each for each in LENGTHS if each >= max(lengths) and each > low), default=max(lengths) * 2)
    scale = math.log(high / low)

    def height(length: float) -> float:
        return HIGH * (1 - math.log(max(length, low) / low) / scale)

    shots, smooth = [f"M0 {HIGH}"], []
    for place, (scene, length) in enumerate(zip(findings.scenes, lengths, strict=True)):
        start, end = ((frame * WIDE / findings.frames) for frame in (scene.frame_in - 1, scene.frame_out))
        shots.append(f"H{start:.1f}V{height(length):.1f}H{end:.1f}")
        around = lengths[max(0, place - AROUND // 2) : place + AROUND // 2 + 1]
        smooth.append(f"{(start + end) / 2:.1f} {height(statistics.median(around)):.1f}")
    steps = [each for each in LENGTHS if low <= each <= high]
    marks = [
        Tick(percent(height(each) / HIGH), words.duration(each), len(steps) < 3 or each not in {low, high})
        for each in steps
    ]
    return Rhythm("".join(shots) + f"V{HIGH}z", "M" + "L".join(smooth), marks)
