"""What pages say: the catalogue in both languages, and rows of runs and phases in words."""

import re
import string
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.console.messages import MESSAGES
from lib.console.rendering import SPOKEN_BY_SCRIPTS, STATIC, TEMPLATES
from lib.console.words import HINDRANCES, PHRASES, SHOWN, Words, language_of, state_of
from lib.runs.status import RunState

ENGLISH, FRENCH = Words("en"), Words("fr")
TEXTS = {path.name: path.read_text("utf-8") for path in sorted(TEMPLATES.glob("*.html"))}
SCRIPTS = {path.name: path.read_text("utf-8") for path in sorted(STATIC.glob("*.js"))}
SOURCES = {path.name: path.read_text("utf-8") for path in sorted(TEMPLATES.parent.glob("*.py"))}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", MESSAGES)
def test_both_languages_say_the_same(key: str) -> None:
    english, french = MESSAGES[key]
    assert english.strip()
    assert french.strip()
    assert english.count("|") == french.count("|") <= 1
    assert {frozenset(fields(form)) for form in english.split("|")} == {
        frozenset(fields(form)) for form in french.split("|")
    }


def asked_by(text: str) -> set[str]:
    return set(re.findall(r"""\b(?:t|words)\(\s*f?["'`]([a-z_0-9]+)["'`{$]""", text))


def test_templates_say_only_what_the_catalogue_has() -> None:
    asked = set().union(*map(asked_by, TEXTS.values()))
    begun = {key for key in asked if key.endswith("_")}
    assert asked - begun <= MESSAGES.keys()
    for start in begun:
        assert any(key.startswith(start) for key in MESSAGES), start


def test_no_message_is_left_unused() -> None:
    said = "".join((*TEXTS.values(), *(text for name, text in SOURCES.items() if name != "messages.py")))
    begun = {start for text in (*TEXTS.values(), *SOURCES.values()) for start in asked_by(text) if start.endswith("_")}
    built = tuple(begun) + tuple(f"{name}_" for name in ("cancel", "some"))
    named = {f"{each}" for each in (*RunState, *HINDRANCES)}
    unused = [
        key
        for key in MESSAGES
        if f'"{key}"' not in said and f"'{key}'" not in said and not key.startswith(built) and key not in named
    ]
    assert unused == []


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_of_a_template_is_left_untranslated(name: str) -> None:
    """Outside of expressions and tags there are only names, signs, and a command."""
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", TEXTS[name], flags=re.DOTALL)
    spoken = re.findall(r'(?:title|placeholder|aria-label|alt)="([^"]*)"', text)
    shown = re.sub(r'<code>.*?</code>|<[^>]*>|data-\w+="[^"]*"|\bhidden\b', " ", text, flags=re.DOTALL)
    assert [word for each in spoken for word in re.findall(r"\w+", each)] == []
    assert set(re.findall(r"[^\W\d_]{2,}", shown)) <= {"Régie"}


def test_scripts_are_given_what_they_say_and_nothing_else() -> None:
    asked = set().union(*map(asked_by, SCRIPTS.values()))
    begun = tuple(key for key in asked if key.endswith("_"))
    reasons = {key for _, key in PHRASES}
    assert asked - set(begun) <= set(SPOKEN_BY_SCRIPTS)
    assert {key for key in MESSAGES if key.startswith(begun)} <= set(SPOKEN_BY_SCRIPTS)
    assert [key for key in SPOKEN_BY_SCRIPTS if key not in asked | reasons and not key.startswith(begun)] == []


def test_scripts_say_rows_under_the_names_that_the_first_paint_does() -> None:
    table = re.search(r"const SHOWN = \{(.*?)\n\};", SCRIPTS["words.js"], flags=re.DOTALL)
    assert table is not None
    assert set(re.findall(r"^  (\w+)[:,]", table[1], flags=re.MULTILINE)) == set(SHOWN)


@pytest.mark.parametrize("text", [*SCRIPTS.values(), *TEXTS.values()])
def test_nothing_is_ever_taken_for_markup_or_loaded_from_elsewhere(text: str) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function|\|safe|Markup", text)
    assert not re.search(r"https?://|<style|\sstyle=|\son[a-z]+=\"", text)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de,fr;q=0.5,en;q=0.4", "fr"),
        ("de, en;q=0.2, fr; q=0.7", "fr"),
        ("FR-fr", "fr"),
        ("fr;q=0", "en"),
        ("de", "en"),
        ("*", "en"),
        ("fr;q=nonsense,,;;=", "en"),
        ("frost", "en"),
    ],
)
def test_the_language_that_a_browser_likes_best(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


def phase(**values: Any) -> dict[str, Any]:
    blank = {"state": "running", "item": "", "error": "", "done": 0, "total": 0, "failed": 0, "skipped": 0}
    return {**blank, "progress": 0.0, "started": None, "ended": None, "attempt": 1, **values}


def test_what_is_not_complete_is_never_shown_as_a_hundred_percent() -> None:
    assert ENGLISH.shown(phase(progress=99.9), "progress") == "99%"
    assert ENGLISH.shown(phase(progress=100.0), "progress") == "100%"
    assert FRENCH.shown(phase(progress=7.5), "progress") == "7\u202f%"
    assert ENGLISH.shown(phase(progress=None), "progress") == ""


def test_counters_name_what_failed_and_what_was_skipped() -> None:
    row = phase(done=1, total=4, failed=2, skipped=1)
    assert ENGLISH.shown(row, "counters") == "1 of 4 · 2 failed · 1 skipped"
    assert FRENCH.shown(row, "counters") == "1 sur 4 · 2 échoués · 1 non tenté"
    assert ENGLISH.shown(phase(), "counters") == ""


def test_one_line_says_what_a_phase_does_or_what_went_wrong() -> None:
    assert ENGLISH.shown(phase(item="film.mov", error="it broke", total=2), "what") == "film.mov"
    assert ENGLISH.shown(phase(error="it broke", total=2), "what") == "it broke"
    assert ENGLISH.shown(phase(total=2), "what") == "0 of 2"
    assert len(ENGLISH.shown(phase(error="x" * 5000), "what")) == 101


def test_who_was_asked_to_stop_is_stopping_until_it_ends() -> None:
    assert state_of({"state": "running", "stopping": True}) == "stopping"
    assert state_of({"state": "cancelled", "stopping": True}) == "cancelled"


def test_what_still_goes_on_is_counted_up_in_whole_seconds() -> None:
    started = datetime.now(UTC) - timedelta(seconds=3.7)
    row = phase(started=started.isoformat())
    assert ENGLISH.shown(row, "duration") == "3\u202fs"
    ended = phase(state="completed", started=started.isoformat(), ended=(started + timedelta(seconds=0.5)).isoformat())
    assert FRENCH.shown(ended, "duration") == "0,5\u202fs"


def test_an_estimated_end_says_how_long_that_is() -> None:
    soon = datetime.now(UTC) + timedelta(minutes=2, seconds=5.5)
    assert ENGLISH.shown({"estimated_end": soon.isoformat()}, "left") == "in 2\u202fmin 05\u202fs"
    past = datetime.now(UTC) - timedelta(minutes=1)
    assert FRENCH.shown({"estimated_end": past.isoformat()}, "left") == "d’un instant à l’autre"


@pytest.mark.parametrize(
    ("basis", "french"),
    [
        ("median of 12 runs", "médiane de 12 exécutions"),
        ("median of 1 run, this run's pace", "médiane de 1 exécution, rythme de cette exécution"),
        ("", ""),
        ("the stars", "the stars"),
    ],
)
def test_the_basis_of_an_estimate_is_said_in_the_readers_language(basis: str, french: str) -> None:
    assert FRENCH.shown({"basis": basis}, "basis") == french


@pytest.mark.parametrize(
    ("error", "french"),
    [
        ("not asked for", "non demandé"),
        ("needs start, which failed", "a besoin de start, qui n’a pas abouti"),
        ("needs start, which was skipped", "a besoin de start, qui n’a pas abouti"),
        ("the run was cancelled before it", "l’exécution s’est terminée avant"),
        ("Le disque est plein.", "Le disque est plein."),
    ],
)
def test_reasons_of_regie_are_said_in_the_readers_language(error: str, french: str) -> None:
    assert FRENCH.phrase(error) == french


def test_only_what_makes_sense_is_offered() -> None:
    running = {"state": "running", "stopping": False, "over": False}
    assert ENGLISH.hindrance(running, "cancel") == ""
    assert "not ended" in ENGLISH.hindrance(running, "resume")
    assert "stopping" in ENGLISH.hindrance({**running, "stopping": True}, "cancel")
    for state in ("failed", "partial", "crashed", "cancelled"):
        assert "ended" in ENGLISH.hindrance({**running, "state": state, "over": True}, "cancel")
        assert ENGLISH.hindrance({**running, "state": state}, "cancel") == "", "a phase of it is at work elsewhere"
        assert ENGLISH.hindrance({**running, "state": state}, "resume") == ""
    assert "nothing to resume" in ENGLISH.hindrance({**running, "state": "completed"}, "resume")


@pytest.mark.parametrize(
    ("size", "english"), [(0, "0 kB"), (1500, "2 kB"), (999_600, "1 MB"), (25.3e9, "25.3 GB"), (4.2e13, "42.0 TB")]
)
def test_sizes(size: float, english: str) -> None:
    assert ENGLISH.bytes(size).replace("\u202f", " ") == english


def test_icons_are_there_for_every_state() -> None:
    style, icons = (STATIC / "base.css").read_text(), (STATIC / "icons.svg").read_text()
    states = {key.removeprefix("state_") for key in MESSAGES if key.startswith("state_")}
    assert states == {*map(str, RunState), "stopping"}
    assert states <= set(re.findall(r'<view id="(\w+)"', icons))
    assert set(re.findall(r"icons\.svg#(\w+)", style)) <= set(re.findall(r'<view id="(\w+)"', icons))
    assert {name for name in states if f"[data-state={name}]" not in style} == {"pending"}  # the rule of all others
