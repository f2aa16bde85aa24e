"""The report of a project: every video, every phase, everything that failed."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.runs.report import Item, ItemState, PhaseReport
from lib.video.media import probe
from lib.video.report.options import ReportOptions
from lib.video.report.project import Entry, refusals, write_project_report
from lib.video.report.reading import find

EMPTY = "The file is empty (0 bytes): copy or download it again."


def squeezed(text: str) -> str:
    return " ".join(text.split())


def phases(*items: Mapping[str, Any]) -> list[PhaseReport]:
    """Return one phase per item."""
    return [
        PhaseReport(phase=each["phase"], items=(Item(**{k: v for k, v in each.items() if k != "phase"}),))
        for each in items
    ]


@pytest.fixture
def project(desk: Any) -> list[Entry]:
    """A complete video with a report, one without results, and one that is no video."""
    whole = desk.analysed("whole.mp4")
    desk.report(whole)
    bare = desk.video("bare.mp4")
    (desk.folder / "empty.mp4").touch()
    return [
        Entry("p/whole.mp4", whole, probe(whole), None, desk.folder / "whole_report.html"),
        Entry("p/bare.mp4", bare, probe(bare)),
        Entry("p/empty.mp4", desk.folder / "empty.mp4"),
    ]


def test_every_video_has_a_card_with_its_state(desk: Any, project: list[Entry]) -> None:
    done = {"state": ItemState.DONE, "subject": "p/whole.mp4"}
    reports = [
        PhaseReport(phase="convert", items=(Item(**done), Item(subject="p/empty.mp4", state="failed", reason=EMPTY))),
        PhaseReport(
            phase="scenes",
            items=(
                Item(**done, engine="transnetv2 1.0.5", seconds=62.0),
                Item(subject="p/bare.mp4", state="failed", reason="no memory"),
                Item(subject="p/empty.mp4", state="skipped", reason="convert failed on it"),
            ),
        ),
        PhaseReport(phase="reduce"),
    ]
    target = desk.folder / "report.html"
    write_project_report("103 Camille", project, target, ReportOptions(), phases=reports)
    page = desk.read(target)
    text = squeezed(page.text)
    assert len(page.all("li", class_="card")) == 3
    assert len([each for each in page.all("img") if each["src"].startswith("data:image/webp;base64,")]) == 2
    assert page.all("a", href="./whole_report.html")
    for said in (
        "103 Camille", "Videos 3", "Complete 1 of 3", "Scenes 5", "Speech 60%", "Face on screen 60%", "Failures 2",
        "p/whole.mp4 Scenes 5 Speech 60% Speakers 2 Faces 60% completed",
        "p/bare.mp4 Scenes – failed Scenes: no memory",
        f"p/empty.mp4 failed Convert: {EMPTY}",
        f"p/empty.mp4 Convert {EMPTY}",
        "Scenes partial 1 min 02 s 1 – 1 1 transnetv2 1.0.5",
        "Reduce not run",
        "No archive member was refused.",
    ):  # fmt: skip
        assert said in text, said


def test_archives_that_failed_are_named(desk: Any) -> None:
    failed = {"phase": "extract", "subject": "old.rar", "state": "failed", "reason": "The archive is encrypted."}
    target = desk.folder / "report.html"
    write_project_report("empty", [], target, ReportOptions(), phases=phases(failed))
    text = squeezed(desk.read(target).text)
    assert "old.rar Extract The archive is encrypted." in text
    assert "This project holds no video yet." in text


def test_a_video_that_no_phase_complains_about_but_cannot_be_read(desk: Any, project: list[Entry]) -> None:
    target = desk.folder / "report.html"
    write_project_report("p", project[2:], target, ReportOptions())
    assert "p/empty.mp4 failed This file cannot be read as a video" in squeezed(desk.read(target).text)


def test_given_findings_are_not_read_again(desk: Any, project: list[Entry]) -> None:
    entry = project[0]
    assert entry.facts is not None
    findings = find(entry.video, entry.facts)
    for path in desk.folder.glob("whole*.json"):
        path.unlink()
    target = desk.folder / "report.html"
    write_project_report("p", [replace(entry, findings=findings)], target, ReportOptions())
    assert "Speech 60%" in squeezed(desk.read(target).text)


def test_refused_members_are_counted_and_the_first_named(desk: Any) -> None:
    log = desk.folder / "security.jsonl"
    line = {
        "time": "",
        "archive": "/x/a.zip",
        "member": "../../<b>\u202e",
        "reason": "parent_path",
        "words": "It escapes.",
    }
    log.write_text("".join(json.dumps(line) + "\n" for _ in range(30)) + '{"archive": "cut o')
    target = desk.folder / "report.html"
    write_project_report("p", [], target, ReportOptions(), security_log=log)
    page = desk.read(target)
    assert "30 archive members were refused for safety." in page.text
    assert page.text.count("../../<b>⟨U+202E⟩") == 20
    assert page.all("a", href="./security.jsonl")


@pytest.mark.parametrize("content", ["", "[]\n", "{}\n", "3\nnull\n", "\x00\n", "x" * 200_000])
def test_a_log_that_says_nothing(tmp_path: Path, content: str) -> None:
    log = tmp_path / "security.jsonl"
    assert list(refusals(log)) == []
    log.write_text(content)
    assert list(refusals(log)) == []


def test_hostile_words_are_text_in_french_too(desk: Any, project: list[Entry]) -> None:
    bad = "</script><script>alert(1)</script>\"'>"
    reports = phases(
        {"phase": bad, "subject": bad, "state": "failed", "reason": bad, "engine": bad},
        {"phase": "scenes", "subject": bad, "state": "done", "engine": bad},
    )
    target = desk.folder / "report.html"
    entries = [replace(project[1], subject=bad)]
    write_project_report(bad, entries, target, ReportOptions(language="fr"), phases=reports)
    page = desk.read(target)
    assert page.source.count("<script") == 1
    assert page.text.count(bad) >= 9
    assert "Ce qui a échoué" in page.text
    assert not page.all("img", src="x")


def test_many_videos_share_the_room_for_pictures(desk: Any) -> None:
    video = desk.video(noise=True, size=(160, 90), frames=10)
    facts = probe(video)
    target = desk.folder / "report.html"
    entries = [Entry(f"{number}.mp4", video, facts) for number in range(110)]
    write_project_report("p", entries, target, ReportOptions(picture_bytes=300_000))
    page = desk.read(target)
    assert len([each for each in page.all("img") if each["alt"]]) == 110
    assert len(page.source) < 500_000
