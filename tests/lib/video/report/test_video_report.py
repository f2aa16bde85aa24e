"""The report of one video: what it shows, what it says of what is missing, and what outsiders cannot do to it."""

import base64
import hashlib
import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import pytest
from PIL import Image

from lib.files import is_temporary
from lib.video.media import probe
from lib.video.report.options import ReportOptions
from lib.video.report.video import write_video_report
from lib.video.results import Results

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "--><h1>markup</h1><!--",
    "{{ 7 * 7 }} {% raw %}",
    "\u202egnp.exe\u2066",
    "two\nlines\r\x00\x1b[31m",
    "\ud800 half a pair",
    "javascript:alert(1)",
)
SHOWN = {
    "\u202egnp.exe\u2066": "⟨U+202E⟩gnp.exe⟨U+2066⟩",
    "two\nlines\r\x00\x1b[31m": "two⟨U+000A⟩lines⟨U+000D⟩⟨U+0000⟩⟨U+001B⟩[31m",
    "\ud800 half a pair": "\ufffd half a pair",
}
"""What cannot be shown as it is, and what is shown instead."""


def squeezed(text: str) -> str:
    """Return a text with its white space (narrow spaces too) as single blanks."""
    return " ".join(text.split())


def test_says_what_an_editor_wants_to_know(desk: Any) -> None:
    """Facts, figures, engines: each where it is expected, in words."""
    page = desk.report(desk.analysed())
    text = squeezed(page.text)
    for said in (
        "film.mp4", "Duration 2 s", "96 × 54", "25 fps", "Frames 50", "Sound yes",
        "Scenes 5", "Mean shot 0.4 s", "median 0.4 s",
        "Speech 60%", "1 s of 2 s", "Speakers 2", "SPEAKER_00 40%", "SPEAKER_01 20%",
        "Face on screen 60%", "Faces tracked 5", "in 3 scenes · at most 2 at once",
        "scenes-engine 1.2.3 why scenes", "audio-engine 1.2.3 why audio", "tracking-engine 1.2.3 why tracking",
        "1 gradual transition is marked.",
    ):  # fmt: skip
        assert said in text, said
    assert not page.all("section", class_="notice")


def test_a_card_per_scene_leads_to_the_timeline_and_back(desk: Any) -> None:
    video = desk.analysed()
    page = desk.report(video)
    assert len(page.all("li", class_="card")) == 5
    for place in range(1, 6):
        assert page.all("li", id=f"s{place}")
        assert page.all("a", id=f"t{place}", href=f"#s{place}")
        assert page.all("a", href=f"#t{place}", class_="number")
    assert page.all("a", href="./film.mp4#t=0.400")
    assert "00:00:00.400 → 00:00:00.760 Frames 11–20 Gradual transition SPEAKER_00" in squeezed(page.text)
    assert "Frames 21–30 SPEAKER_01 2 faces" in squeezed(page.text)


def test_pictures_are_the_middle_frames(desk: Any) -> None:
    """The left part of a frame is darker, up to where its number says: so a picture tells which frame it is."""
    page = desk.report(desk.analysed(), quality=95)
    pictures = [each for each in page.all("img") if each["alt"].startswith("Scene")]
    assert [each["alt"] for each in pictures] == [f"Scene {number}, frame {number * 10 - 5}" for number in range(1, 6)]
    for number, picture in enumerate(pictures):
        image = Image.open(io.BytesIO(base64.b64decode(picture["src"].removeprefix("data:image/webp;base64,"))))
        assert image.size == (int(picture["width"]), int(picture["height"])) == (96, 54)
        levels = [max(image.getpixel((x, 27))) for x in range(96)]  # type: ignore[arg-type]
        middle = (max(levels) + min(levels)) / 2
        edge = next(x for x in range(96) if levels[x] > middle)
        assert abs(edge / 96 - (number * 10 + 4) / 50) < 0.02


def test_timeline_lies_on_one_axis(desk: Any) -> None:
    page = desk.report(desk.analysed())
    scenes = [each for each in page.all("rect") if each.get("y") == "4"]
    assert [(each["x"], each["width"]) for each in scenes] == [(f"{place * 20}%", "20%") for place in range(5)]
    voices = [each for each in page.all("rect") if each.get("y") == "5"]
    assert [(each["x"], each["width"]) for each in voices] == [("0%", "40%"), ("40%", "20%")]
    marks = page.all("rect", class_="gradual")
    assert [(each["x"], each["width"]) for each in marks] == [("18%", "6%")]
    (faces,) = (each["d"] for each in page.all("path") if each["d"].startswith("M0 100H0.0V50"))
    assert faces == "M0 100H0.0V50H200.0V100H400.0V50H500.0V0H600.0V100H800.0V0H1000.0V100z"


def test_links_lead_to_the_files_beside_that_are_there(desk: Any) -> None:
    video = desk.analysed("Rushes 100% #1? «é» 'a' \"b\" & c:d.mp4")
    beside = Results(video)
    for path in (beside.edl, beside.otio, beside.rttm):
        path.write_text("")
    page = desk.report(video)
    links = [each["href"] for each in page.all("a") if not each["href"].startswith("#")]
    found = {(video.parent / unquote(urlsplit(link).path)).resolve() for link in links}
    expected = {
        video, beside.scenes_csv, beside.scenes_json, beside.audio_json, beside.tracking_json,
        beside.edl, beside.otio, beside.rttm,
    }  # fmt: skip
    assert found == {path.resolve() for path in expected}
    assert all(link.startswith("./") and link.isascii() for link in links)


def test_links_from_a_report_in_another_folder(desk: Any) -> None:
    video = desk.analysed()
    (desk.folder / "reports").mkdir()
    page = desk.report(video, target=desk.folder / "reports" / "a.html")
    assert page.all("a", href="../film.mp4") or page.all("a", href="./../film.mp4")


def test_the_page_needs_nothing_else(desk: Any) -> None:
    """No address leads out, and the policy allows only what is in the page, by its hash."""
    page = desk.report(desk.analysed())
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "poster", "data", "action", "background"):
            address = attributes.get(name, "")
            assert not address or address.startswith(("data:", "#", "./")), (tag, address)
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|https?:|//", re.sub(r"data:[^\"]*|// .*", "", page.source))
    (policy,) = (each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("img-src") == "data:"
    for kind in ("style", "script"):
        (content,) = re.findall(f"<{kind}>(.*?)</{kind}>", page.source, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules.pop(f"{kind}-src") == f"'sha256-{digest}'"
    assert rules == {"base-uri": "'none'", "form-action": "'none'"}


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_text(desk: Any, text: str) -> None:
    """The same elements as with harmless words, whatever the words are; and the words can be seen."""
    harmless = desk.report(_spoken("word", desk, "a.mp4"))
    page = desk.report(_spoken(text, desk, "b.mp4"))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in harmless.elements]
    assert page.source.count("<script") == harmless.source.count("<script") == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page.source)
    assert page.text.count(SHOWN.get(text, text)) >= 5


def _spoken(text: str, desk: Any, name: str) -> Path:
    video = desk.video(name)
    said = text.encode("utf-8", "ignore").decode()  # half a pair is no provenance, but may be in what follows it
    desk.scenes(video, [(1, 50)], engine=said, engine_version=said, reason=said)
    desk.audio(video, [[text]] * 50, tried=[{"engine": text, "reason": text}, text])
    desk.faces(video, [[text]] * 50, provenance=desk.provenance("tracking", engine=said, reason=said, created_at=said))
    return video  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "name",
    [
        "<b>bold & \"quoted\" 'too'.mp4",
        "with\nnewline and \u202eRTL.mp4",
        "emoji 🎬 é.mp4",
        "-" * 200 + "é" * 20 + ".mp4",
        "javascript:alert(1).mp4",
        "%2e%2e%2f#?.mp4",
        os.fsdecode(b"latin-\xe9.mp4"),
    ],
)
def test_names_of_files_are_text(desk: Any, name: str) -> None:
    """Any name that a disk allows gives a whole page whose links lead to the file."""
    video = desk.video("plain.mp4").rename(desk.folder / name)
    desk.scenes(video, [(1, 25), (26, 50)])
    page = desk.report(video)
    assert [tag for tag, _ in page.elements].count("b") == 0
    (link,) = {urlsplit(each["href"]).path for each in page.all("a") if "#t=" in each["href"]}
    assert desk.folder / os.fsdecode(unquote_to_bytes(link.removeprefix("./"))) == video
    assert "\u202e" not in page.source


def test_a_name_so_long_that_nothing_fits_beside(desk: Any) -> None:
    """A name of 255 bytes leaves no room for the ending of a result: the report, elsewhere, still is one."""
    video = desk.video("plain.mp4").rename(desk.folder / ("é" * 125 + "x.mp4"))
    page = desk.report(video, target=desk.folder / "report.html")
    assert "No scenes are known." in page.text
    assert len([each for each in page.all("a") if each["href"].startswith("./%C3%A9")]) == 1


def test_missing_results_are_said(desk: Any) -> None:
    page = desk.report(desk.video())
    text = squeezed(page.text)
    assert "There is no scene detection result" in text
    assert "There is no audio result" in text
    assert "There is no tracking result" in text
    assert "The video has no sound." in text
    assert "No scenes are known." in text
    assert text.count("not analysed") == 2
    assert not page.all("li", class_="card")
    assert len(page.all("div", class_="strip")) == 1


@pytest.mark.parametrize("kind", ["audio", "tracking"])
@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"frames_analysis": 3}', b'{"frames_analysis": [{"frame": 1}, ',
        b'{"frames_analysis": [[]]}', b"<html>",
    ],
)  # fmt: skip
def test_a_result_that_cannot_be_read_is_said(desk: Any, kind: str, content: bytes) -> None:
    video = desk.analysed()
    getattr(Results(video), f"{kind}_json").write_bytes(content)
    page = desk.report(video)
    assert f"The {kind} result cannot be read:" in squeezed(page.text)
    assert page.all("span", class_="failed")
    assert len(page.all("li", class_="card")) == 5


@pytest.mark.parametrize(
    "frames",
    [
        [{}], [{"frame": "1"}], [{"frame": -1}], [{"frame": 10**30, "audio_info": {"is_speech_present": True}}],
        [{"frame": 1, "audio_info": 3, "tracked_objects": {}}],
        [{"frame": 1, "audio_info": {"is_speech_present": True, "active_speaker_labels": [None, 3, {}]}}],
        [{"frame": 1, "tracked_objects": [3, {"label": "face"}, {"label": "face", "id": []}]}],
    ],
)  # fmt: skip
def test_frames_of_unexpected_form_break_nothing(desk: Any, frames: list[Any]) -> None:
    video = desk.analysed()
    content = json.dumps({"provenance": 3, "tried": {}, "frames_analysis": frames})
    Results(video).audio_json.write_text(content)
    Results(video).tracking_json.write_text(content)
    assert len(desk.report(video).all("li", class_="card")) == 5


@pytest.mark.parametrize("table", ["", "a,b\n1,2\n", "No,Timecode In,Timecode Out,Frame In,Frame Out\n"])
def test_no_scene(desk: Any, table: str) -> None:
    video = desk.analysed()
    Results(video).scenes_csv.write_text(table)
    page = desk.report(video)
    assert "The scene detection result cannot be read:" in squeezed(page.text)
    assert "No scenes are known." in squeezed(page.text)
    assert "SPEAKER_00" in page.text


def test_one_scene_has_no_rhythm(desk: Any) -> None:
    video = desk.analysed()
    desk.scenes(video, [(1, 50)])
    page = desk.report(video)
    assert "No cut was found: the video is one scene." in page.text
    assert "Cutting rhythm" not in page.text


def test_results_of_another_length_are_said(desk: Any) -> None:
    video = desk.analysed()
    desk.audio(video, [None] * 40)
    desk.scenes(video, [(1, 60)])
    text = squeezed(desk.report(video).text)
    assert "The audio result has 40 frames, the video 50." in text
    assert "The scenes end at frame 60, the video at frame 50." in text
    assert "No speech was heard." in text


def test_reduced_results_of_existing_scripts_are_read(desk: Any) -> None:
    """The contract's reduced files: no header, few keys."""
    video = desk.analysed()
    for path in (Results(video).audio_json, Results(video).tracking_json):
        whole = json.loads(path.read_text())
        path.write_text(json.dumps({"frames_analysis": whole["frames_analysis"]}, indent=2))
    text = squeezed(desk.report(video).text)
    assert "SPEAKER_00 40%" in text
    assert "Engine: not said in the file" in text


def test_engines_that_were_tried_before_are_named(desk: Any) -> None:
    video = desk.analysed()
    desk.audio(video, [None] * 50, tried=[{"engine": "pyannote", "reason": "no token"}, "lemonfox (no key)"])
    assert "Tried before: pyannote: no token lemonfox (no key)" in squeezed(desk.report(video).text)


def test_what_the_reason_tells_already_is_not_told_twice(desk: Any) -> None:
    video = desk.analysed()
    told = desk.provenance("audio", reason="pyannote: no token; lemonfox: no key")
    tried = [{"engine": "pyannote", "reason": "no token"}, {"engine": "lemonfox", "reason": "no key"}]
    desk.audio(video, [None] * 50, provenance=told, tried=tried)
    text = squeezed(desk.report(video).text)
    assert "pyannote: no token; lemonfox: no key" in text
    assert "Tried before" not in text


def test_pictures_that_cannot_be_read_leave_a_report_without(desk: Any) -> None:
    video = desk.analysed()
    facts = probe(video)
    video.write_bytes(b"no longer a video")
    page = desk.report(video, facts=facts)
    assert "The pictures could not be read from the video:" in squeezed(page.text)
    assert len(page.all("li", class_="card")) == 5
    assert not page.all("img")


def test_many_speakers_share_the_last_lane(desk: Any) -> None:
    """Eight lanes at most, and no more labels in memory than any film has speakers."""
    video = desk.analysed()
    desk.audio(video, [[f"S{number:03}", f"T{number:03}"] for number in range(50)])
    page = desk.report(video)
    assert len(page.all("div", class_="voice-label")) == 8
    assert "58 others" in page.text
    assert "Speakers 65" in squeezed(page.text)


def test_thousands_of_scenes_stay_usable(desk: Any) -> None:
    """An even sample has pictures, the table has all, the timeline joins neighbours, and the page stays small."""
    video = desk.video(frames=3000, size=(32, 18))
    desk.scenes(video, [(number, number) for number in range(1, 3001)])
    page = desk.report(video, maximum_thumbnails=30)
    assert "30 of 3,000 scenes, evenly chosen" in squeezed(page.text)
    cards = page.all("li", class_="card")
    assert [int(card["id"][1:]) for card in cards] == list(range(51, 3001, 100))
    assert len(page.all("tr")) >= 3000
    assert len([each for each in page.all("a") if each.get("id", "").startswith("t")]) == 600
    assert len(page.source) < 1_000_000
    assert len(set(page.ids())) == len(page.ids())
    assert {each["href"][1:] for each in page.all("a") if each["href"].startswith("#")} <= set(page.ids())
    assert page.all("a", id="t46", href="#s51")
    assert page.all("a", href="#t51", class_="number")


def test_a_hundred_scenes_stay_under_two_megabytes(desk: Any) -> None:
    """Nothing is harder to compress than noise."""
    video = desk.video(frames=100, size=(240, 136), noise=True)
    desk.scenes(video, [(number, number) for number in range(1, 101)])
    page = desk.report(video)
    assert len([each for each in page.all("img") if each["alt"]]) == 100
    assert len(page.source.encode()) < 2_000_000


def test_french(desk: Any) -> None:
    page = desk.report(desk.analysed(), language="fr")
    assert page.all("html", lang="fr")
    text = squeezed(page.text)
    for said in ("Rapport de la vidéo", "Durée 2 s", "25 i/s", "Plan moyen 0,4 s", "Parole 60 %", "Planche-contact"):
        assert said in text, said
    assert "Speech" not in text


def test_writes_the_whole_page_or_nothing(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    video = desk.analysed()
    target = Results(video).report_html
    target.write_text("old")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video_report(video, target, ReportOptions(), probe(video), stop)
    with pytest.raises(FileNotFoundError):
        write_video_report(video, desk.folder / "absent" / "a.html", ReportOptions(), probe(video))
    assert target.read_text() == "old"
    assert not [path for path in desk.folder.iterdir() if is_temporary(path)]


def test_the_same_results_give_the_same_page_which_is_left_alone(desk: Any) -> None:
    video = desk.analysed()
    desk.report(video)
    before = Results(video).report_html.stat()
    desk.report(video)
    after = Results(video).report_html.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    desk.scenes(video, [(1, 50)])
    assert "the video is one scene" in desk.report(video).text


def test_portrait_and_odd_facts(desk: Any) -> None:
    video = desk.video(size=(54, 96))
    desk.scenes(video, [(1, 25), (26, 50)])
    page = desk.report(video, facts=replace(probe(video), frames=0, frame_rate=probe(video).frame_rate * 0))
    assert page.all("ol", class_="portrait")
    assert {each["height"] for each in page.all("img") if each["alt"]} == {"96"}
