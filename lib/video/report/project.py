"""The report of a project: all of its videos at a glance, what was done and what failed."""

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from lib.progress import Progress, silent
from lib.runs.report import Item, ItemState, PhaseReport
from lib.video.media import Media
from lib.video.report import timeline
from lib.video.report.findings import Findings, middle
from lib.video.report.options import ReportOptions
from lib.video.report.page import write_page
from lib.video.report.pictures import Album, Thumbnail, fitting_width
from lib.video.report.reading import find
from lib.video.report.words import Words, href

MINI_BLOCKS = 200
"""Scenes in a small timeline: neighbours beyond are drawn as one."""
SHOWN_REFUSALS = 20
LINE_LIMIT = 1 << 16

State = Literal["completed", "partial", "failed", "pending"]


@dataclass(frozen=True)
class Entry:
    """One video of a project, as its report is told of it."""

    subject: str
    """Its name in the reports of the phases, which is also what is shown."""
    video: Path
    facts: Media | None = None
    """None when it cannot be read as a video."""
    findings: Findings | None = None
    """What its own report was made of; read from its results where it is not given."""
    report: Path | None = None
    """Its own report, to lead to."""


@dataclass(frozen=True)
class Refusal:
    """A member of an archive that was refused."""

    archive: str
    member: str
    words: str


@dataclass(frozen=True)
class Failure:
    """What failed, where, and why."""

    subject: str
    phase: str
    reason: str


@dataclass(frozen=True)
class VideoCard:
    """A video as the report shows it."""

    entry: Entry
    findings: Findings | None
    state: State
    failures: Sequence[Failure]
    poster: Thumbnail | None
    frame: int
    link: str | None
    scenes_path: str = ""
    speech_path: str = ""
    faces_path: str = ""


@dataclass
class Totals:
    """Figures of all videos together."""

    seconds: float = 0.0
    scenes: int = 0
    lengths: list[float] = field(default_factory=list)
    speech: float = 0.0
    """Seconds with speech."""
    heard: float = 0.0
    """Seconds of the videos whose sound was analysed."""
    faces: float = 0.0
    watched: float = 0.0

    def add(self, findings: Findings) -> None:
        """Take in one video."""
        self.seconds += findings.facts.duration
        self.scenes += len(findings.scenes)
        self.lengths += findings.lengths
        if findings.voices:
            self.speech += findings.voices.speech / findings.fps
            self.heard += findings.voices.frames / findings.fps
        if findings.faces:
            self.faces += findings.faces.with_face / findings.fps
            self.watched += findings.faces.frames / findings.fps

    @property
    def mean_shot(self) -> float:
        """Mean length of a scene in seconds; 0 of none."""
        return statistics.fmean(self.lengths) if self.lengths else 0.0


def write_project_report(
    name: str,
    entries: Sequence[Entry],
    target: Path,
    options: ReportOptions,
    *,
    phases: Sequence[PhaseReport] = (),
    security_log: Path | None = None,
    archive: str = "",
    progress: Progress = silent,
    made_from: str = "",
) -> None:
    """Write the report of a project.

    `phases` say what became of each item, by subject; items that are no video (archives) are shown among the failures.
    `security_log` is the `security.jsonl` of the workspace, and `archive` the file that the project came from: only its
    refused members are shown; all when it is empty. Links are relative to where `target` lies. Raises OSError
    when the file cannot be written.
    """
    words = Words(options.language)
    totals, cards = Totals(), []
    for count, entry in enumerate(entries):
        progress(count, len(entries), entry.subject)
        card = _card(entry, phases, target, options, len(entries))
        if card.findings:
            totals.add(card.findings)
        cards.append(card)
    progress(len(entries), len(entries))
    refused = list(islice(refusals(security_log, archive), SHOWN_REFUSALS)) if security_log else []
    values: dict[str, Any] = {
        "name": name,
        "newest": max((card.findings.newest for card in cards if card.findings), default=""),
        "cards": cards,
        "totals": totals,
        "complete": sum(card.state == "completed" for card in cards),
        "phases": [_phase_row(report) for report in phases],
        "failures": _failures(phases, cards),
        "refused": refused,
        "refused_count": sum(1 for _ in refusals(security_log, archive)) if security_log else 0,
        "log_link": href(security_log, target.parent) if security_log and security_log.is_file() else None,
    }
    write_page(target, "project.html", words, values, made_from)


def refusals(security_log: Path, archive: str = "") -> Iterator[Refusal]:
    """Yield the refused members of one archive, or of all, that a security log names.

    A line that is none (cut off by a kill) is passed over.
    """
    try:
        with security_log.open("rb") as stream:
            while line := stream.readline(LINE_LIMIT):
                try:
                    value = json.loads(line)
                    if not archive or Path(value["archive"]).name == Path(archive).name:
                        yield Refusal(Path(value["archive"]).name, str(value["member"]), str(value["words"]))
                except (ValueError, KeyError, TypeError):
                    continue
    except FileNotFoundError:
        return


def _card(entry: Entry, phases: Sequence[PhaseReport], target: Path, options: ReportOptions, count: int) -> VideoCard:
    failures = [
        Failure(entry.subject, report.phase, item.reason)
        for report in phases
        for item in report.failed
        if item.subject == entry.subject
    ]
    findings = entry.findings or (find(entry.video, entry.facts) if entry.facts else None)
    link = href(entry.report, target.parent) if entry.report and entry.report.is_file() else None
    if findings is None:
        return VideoCard(entry, None, "failed", failures, None, 0, link)
    width = fitting_width(options.thumbnail_width, count)
    album = Album(entry.video, findings.facts, options.quality)
    poster = album.poster(_poster_frames(findings), width, options.picture_bytes // max(count, 1))
    return VideoCard(
        entry=entry,
        findings=findings,
        state=_state(findings, failures),
        failures=failures,
        frame=poster[0] if poster else 0,
        poster=poster[1] if poster else None,
        link=link,
        scenes_path=_scenes_path(findings),
        speech_path=timeline.spans_path(findings.voices.lane, 0, 1) if findings.voices else "",
        faces_path=timeline.faces_path(findings.faces) if findings.faces else "",
    )


def _state(findings: Findings, failures: Sequence[Failure]) -> State:
    present = sum(result.state == "present" for result in findings.results.values())
    if present == len(findings.results) and not failures:
        return "completed"
    if present:
        return "partial"
    return "failed" if failures else "pending"


def _poster_frames(findings: Findings) -> list[int]:
    """Return frames that may stand for a video, the best first: of its longest scenes with a face, then any."""
    frames, seen = max(findings.facts.frames, 1), findings.faces.seen if findings.faces else {}
    places = sorted(
        range(len(findings.scenes)), key=lambda place: (not seen.get(place), -findings.scenes[place].frames)
    )
    return [
        *(middle(findings.scenes[place]) for place in places[:3]),
        *(frames * part // 7 + 1 for part in (3, 4, 5, 2, 1)),
    ]


def _scenes_path(findings: Findings) -> str:
    """Return every second scene as one path: what lies between is the others."""
    scenes, scale = findings.scenes, timeline.WIDE / findings.frames
    size = -(-len(scenes) // MINI_BLOCKS) or 1
    groups = [scenes[place : place + size] for place in range(0, len(scenes), size)]
    return "".join(
        f"M{(group[0].frame_in - 1) * scale:.1f} 0H{group[-1].frame_out * scale:.1f}v1"
        f"H{(group[0].frame_in - 1) * scale:.1f}z"
        for group in groups[::2]
    )


def _phase_row(report: PhaseReport) -> dict[str, Any]:
    return {
        "key": report.phase,
        "state": report.verdict if report.items else "pending",
        "seconds": sum(item.seconds for item in report.items),
        "engines": report.engines(),
        **{state.value: report.count(state) for state in ItemState},
    }


def _failures(phases: Sequence[PhaseReport], cards: Sequence[VideoCard]) -> list[Failure]:
    failed = [_failure(report.phase, item) for report in phases for item in report.failed]
    said = {failure.subject for failure in failed}
    unread = [card.entry.subject for card in cards if card.findings is None and card.entry.subject not in said]
    return failed + [Failure(subject, "", "") for subject in unread]


def _failure(phase: str, item: Item) -> Failure:
    return Failure(item.subject, phase, item.reason)
