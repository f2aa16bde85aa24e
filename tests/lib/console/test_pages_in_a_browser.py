"""The pages in Chromium: live, for everybody, and whatever strangers write into every field."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from regie_toy_planted import Planted, completed, failed
from regie_toy_strangers import ELEMENTS, HOSTILE, LONG, TAIL, harmless

from lib.runs.plan import Phase, Workflow

SIZES = ("desktop", "phone")


def workflow(key: str, word: str = "") -> Workflow:
    names = [f"{word}{name}" for name in ("One", "Two", "Three")]
    environment = f"{word}base"
    phases = (
        Phase(1, "one", names[0], "m:f", environment),
        Phase(2, "two", names[1], "m:f", environment, ("one",), ("one",)),
        Phase(3, "three", names[2], "m:f", environment, ("one",), ("one",)),
    )
    return Workflow(key, f"{word}Planted", "m:f", phases)


PLAIN, STRANGE = workflow("planted"), workflow("strange", HOSTILE)


@pytest.fixture(scope="module")
def prefect(deployed: None) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture(scope="module")
def url(serve: Any, prefect: SyncPrefectClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home") / "<img src=x onerror=window.pwned=1>"
    with serve({each.key: each for each in (PLAIN, STRANGE)}, home=home) as address:
        yield address


@pytest.fixture(scope="module")
def runs(prefect: SyncPrefectClient) -> dict[str, Planted]:
    """Runs in different states, of which nothing changes."""
    working = Planted(prefect, PLAIN, "/rushes/working.zip")
    working.begin("one", done=3, total=3, percent=100, engine="clockwork", figures="3 cuts")
    working.becomes(completed(), "one")
    working.begin("two", done=1, total=4, failed=1, percent=40, item="film.mov 12/99", engine="clockwork")
    for number, level in enumerate((20, 30, 40, 10)):
        working.log(f"line {number}", level)
    partial = Planted(prefect, PLAIN, "/rushes/partial.zip")
    partial.begin("one", done=2, total=3, failed=1, percent=100)
    partial.becomes(failed("1 of 3 failed", "Partial"), "one")
    partial.becomes(failed("One failed in part.", "Partial"))
    strange = Planted(prefect, STRANGE, f"/rushes/{HOSTILE.replace('/', '')}{LONG}")
    words = dict.fromkeys(("item", "engine", "figures"), HOSTILE + LONG)
    strange.begin("one", done=1, total=3, percent=30, **words)
    strange.begin("two")
    strange.becomes(failed(HOSTILE + LONG), "two")
    strange.log(HOSTILE + LONG, 40)
    stranger = Planted(prefect, STRANGE, HOSTILE.replace("/", ""))
    stranger.begin("one")
    stranger.becomes(failed(HOSTILE), "one")
    stranger.becomes(failed(HOSTILE + LONG))
    return {"working": working, "partial": partial, "strange": strange, "stranger": stranger}


Open = Any


@pytest.fixture
def visit(chromium: Any, visiting: Any, url: str, runs: dict[str, Planted]) -> Iterator[Open]:
    with visiting(chromium, url) as go:
        yield go


def paths(runs: Mapping[str, Planted]) -> list[str]:
    return ["/runs", "/runs?workflow=none", "/system", *(f"/runs/{run.id}" for run in runs.values())]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Open, runs: dict[str, Planted], size: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for path in paths(runs):
        tab = visit(path, size, color_scheme=scheme)
        found = Axe().run(tab).response["violations"]
        assert [(path, each["id"], each["nodes"][0]["html"]) for each in found] == []
        tab.context.close()
    tab = visit(f"/runs/{runs['working'].id}", size, color_scheme=scheme)
    tab.get_by_role("button", name="Run some phases").click()
    tab.wait_for_selector("dialog[open]")
    assert Axe().run(tab).response["violations"] == []
    tab.keyboard.press("Escape")
    tab.locator("#machine summary").click()
    assert Axe().run(tab).response["violations"] == []


@pytest.mark.parametrize("size", SIZES)
def test_no_page_is_wider_than_its_window(visit: Open, runs: dict[str, Planted], size: str) -> None:
    for path in paths(runs):
        tab = visit(path, size)
        assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, path
        tab.context.close()


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_what_strangers_write_is_text(visit: Open, runs: dict[str, Planted], scripts: bool, size: str) -> None:
    for path in ["/runs", "/system", *(f"/runs/{runs[name].id}" for name in ("strange", "stranger"))]:
        tab = visit(path, size, wait=scripts, java_script_enabled=scripts)
        assert tab.locator(ELEMENTS).count() == 0
        if scripts:
            harmless(tab)
        if "/runs/" in path:
            assert TAIL in tab.inner_text("h1")
            assert "window.pwned=1" in tab.inner_text(".detail")
        tab.context.close()
    tab = visit(f"/runs/{runs['strange'].id}/some", size, wait=scripts, java_script_enabled=scripts)
    assert TAIL in tab.inner_text("fieldset:has([name=only])")
    assert tab.locator(ELEMENTS).count() == 0


def test_what_stands_in_an_address_is_text(visit: Open) -> None:
    tab = visit('/runs?workflow=none&subject="><script>window.pwned=1</script><img src=x onerror=window.pwned=1>')
    assert tab.get_by_role("searchbox").input_value().startswith('"><script>')
    harmless(tab)


@pytest.mark.parametrize("size", SIZES)
def test_what_strangers_write_later_is_text(
    visit: Open, prefect: SyncPrefectClient, size: str, runs: dict[str, Planted]
) -> None:
    run = Planted(prefect, STRANGE, "quiet")
    run.begin("one", done=0, total=2, percent=1, item="quiet")
    tab = visit(f"/runs/{run.id}", size)
    tab.wait_for_function("() => document.querySelector('.detail').textContent.includes('quiet')")
    run.say("one", done=1, total=2, percent=60, item=HOSTILE + LONG, engine=HOSTILE, figures=HOSTILE)
    run.log(HOSTILE + LONG, 40)
    tab.wait_for_function("() => document.querySelector('.detail').textContent.includes('window.pwned=1')")
    tab.wait_for_selector("#log li.error", state="attached")
    assert TAIL in tab.inner_text("#log")
    run.becomes(failed(HOSTILE + LONG), "one")
    run.becomes(failed(HOSTILE + LONG))
    tab.wait_for_selector(".hero + .notice:not([hidden])")
    assert "Failed" in tab.inner_text(".head")
    harmless(tab)
    assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_a_run_that_comes_in_is_a_row_and_its_name_is_text(
    visit: Open, prefect: SyncPrefectClient, runs: dict[str, Planted]
) -> None:
    tab = visit("/runs")
    focused = tab.locator(f'a[href="/runs/{runs["partial"].id}"]')
    focused.focus()
    run = Planted(prefect, STRANGE, HOSTILE.replace("/", "") + LONG)
    tab.wait_for_selector(f'tr[data-row="{run.id}"]', state="attached")
    assert tab.locator("#runs tbody tr").first.get_attribute("data-row") == str(run.id)
    assert TAIL in tab.inner_text(f'tr[data-row="{run.id}"]')
    assert focused.evaluate("(element) => element === document.activeElement")
    run.becomes(failed("no"))
    tab.wait_for_selector(f'tr[data-row="{run.id}"][data-state=failed]', state="attached")
    assert "Failed" in tab.inner_text("#told")
    harmless(tab)


SNAPSHOT = """() => {
  const said = (element) => [element.textContent, element.title, element.getAttribute("href"), element.hidden,
    element.dataset.state, element.value, element.getAttribute("stroke-dasharray")];
  return [...document.querySelectorAll("[data-t], [data-c], [data-if], [data-v], [data-href], [data-state]")]
    .filter((element) => !element.closest("[data-row=machine]") && !element.querySelector("time, [data-t=duration]")
      && !["duration", "left"].includes(element.dataset.t))
    .map((element) => said(element).map((each) => each ?? "").join("|"));
}"""


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_live_reads_as_the_first_paint(visit: Open, runs: dict[str, Planted], language: str) -> None:
    """Every text, state and bar that scripts write is the one that the server wrote."""
    for path in ["/runs", *(f"/runs/{run.id}?phase=one" for run in runs.values())]:
        tab = visit(path, wait=False, java_script_enabled=False, locale=language)
        painted = tab.evaluate(SNAPSHOT)
        tab.context.close()
        tab = visit(path, locale=language)
        live = tab.evaluate(SNAPSHOT)
        # A title is left out of the first paint where nothing is cut off.
        differ = [(one, two) for one, two in itertools.zip_longest(painted, live) if _untitled(one) != _untitled(two)]
        assert differ == []
        assert len(live) > 10
        tab.context.close()


def _untitled(said: str | None) -> list[str]:
    parts = (said or "").split("|")
    return [part for place, part in enumerate(parts) if place != len(parts) - 6]


def test_without_scripts_a_run_is_all_there(visit: Open, runs: dict[str, Planted]) -> None:
    tab = visit(f"/runs/{runs['working'].id}", wait=False, java_script_enabled=False)
    assert "film.mov 12/99" in tab.inner_text(".detail")
    assert "1 of 4 · 1 failed" in tab.inner_text(".detail")
    tab.locator(".node", has_text="One").click()
    assert "3 cuts" in tab.inner_text(".detail")
    tab.get_by_role("button", name="Cancel").click()
    assert "Cancel this run?" in tab.inner_text("main")
    tab.get_by_role("link", name="Let it run").click()
    assert "working.zip" in tab.inner_text("h1")


def test_a_phase_is_chosen_by_keyboard_and_stays_chosen(
    visit: Open, prefect: SyncPrefectClient, runs: dict[str, Planted]
) -> None:
    run = Planted(prefect, PLAIN, "chosen")
    run.begin("one", done=1, total=2, percent=10, item="first")
    run.begin("two", done=1, total=2, percent=10, item="second")
    tab = visit(f"/runs/{run.id}")
    node = tab.locator(".node", has_text="Two")
    node.focus()
    tab.keyboard.press("Enter")
    assert "Two" in tab.inner_text(".detail h3")
    assert "phase=two" in tab.url
    run.say("two", done=2, total=2, percent=90, item="third")
    tab.wait_for_function("() => document.querySelector('.detail').textContent.includes('third')")
    assert node.evaluate("(element) => element === document.activeElement")
    assert tab.locator("#told").inner_text() == ""  # progress is not read out
    run.becomes(completed(), "two")
    tab.wait_for_function("() => document.getElementById('told').textContent === 'Two: Completed'")
    assert tab.locator(".node[aria-current]").get_attribute("data-row") == "phase:two"


def test_logs_are_filtered_and_followed(visit: Open, runs: dict[str, Planted]) -> None:
    tab = visit(f"/runs/{runs['working'].id}")
    tab.wait_for_function("() => document.querySelectorAll('#log li').length === 3")
    tab.get_by_label("Level").select_option("error")
    tab.wait_for_function("() => document.querySelectorAll('#log li').length === 1")
    assert "level=error" in tab.locator("#download").get_attribute("href")
    tab.get_by_label("Level").select_option("debug")
    tab.wait_for_function("() => document.querySelectorAll('#log li').length === 4")
    runs["working"].log("the newest", 10)
    tab.wait_for_function("() => document.querySelector('#log li:last-child').textContent.includes('the newest')")
    tab.locator("#log-tools [name=phase]").select_option("two")
    tab.wait_for_selector("#no-logs", state="visible")


def test_a_log_that_was_scrolled_up_stays_there(
    visit: Open, prefect: SyncPrefectClient, runs: dict[str, Planted]
) -> None:
    run = Planted(prefect, PLAIN, "logged")
    for number in range(60):
        run.log(f"line {number}")
    tab = visit(f"/runs/{run.id}")
    tab.wait_for_function("() => document.querySelectorAll('#log li').length === 60")
    box = "document.getElementById('log')"
    assert tab.evaluate(f"{box}.scrollTop + {box}.clientHeight >= {box}.scrollHeight - 24")
    tab.evaluate(f"{box}.scrollTop = 100")
    tab.wait_for_function("() => !document.getElementById('follow').checked")
    run.log("one more")
    tab.wait_for_function("() => document.querySelectorAll('#log li').length === 61")
    assert tab.evaluate(f"{box}.scrollTop") == 100
    tab.get_by_label("Follow").check()
    tab.wait_for_function(f"() => {box}.scrollTop > 100")


def test_a_dialogue_keeps_the_focus_and_gives_it_back(visit: Open, runs: dict[str, Planted]) -> None:
    tab = visit(f"/runs/{runs['working'].id}")
    button = tab.get_by_role("button", name="Run some phases")
    button.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("dialog[open]")
    inside = "document.querySelector('dialog').contains(document.activeElement)"
    for key in [*["Tab"] * 8, *["Shift+Tab"] * 12]:
        tab.keyboard.press(key)
        assert tab.evaluate(inside)
    for box in tab.locator("dialog input").all():
        box.uncheck()
    tab.get_by_role("button", name="Run these phases").click()
    assert "at least one" in tab.inner_text("dialog .trouble")
    tab.keyboard.press("Escape")
    tab.wait_for_selector("dialog", state="detached")
    assert button.evaluate("(element) => element === document.activeElement")


def test_what_cannot_be_done_says_why(visit: Open, runs: dict[str, Planted]) -> None:
    tab = visit(f"/runs/{runs['working'].id}")
    button = tab.get_by_role("button", name="Resume")
    button.focus()
    assert button.get_attribute("aria-disabled") == "true"
    tab.wait_for_selector("#why-resume", state="visible")
    assert tab.inner_text("#why-resume") == "It has not ended yet."
    tab.keyboard.press("Enter")
    assert tab.locator("dialog").count() == 0


def test_a_request_that_is_refused_says_so(visit: Open, runs: dict[str, Planted]) -> None:
    """There is no deployment of this workflow to run it again with."""
    tab = visit(f"/runs/{runs['partial'].id}")
    tab.get_by_role("button", name="Run again").click()
    tab.wait_for_selector("#trouble", state="visible")
    assert "That did not work" in tab.inner_text("#trouble")
    assert "Conflict" in visit.complaints.pop()


def test_a_run_that_ends_is_said_in_the_title(
    visit: Open, prefect: SyncPrefectClient, runs: dict[str, Planted]
) -> None:
    run = Planted(prefect, PLAIN, "ending")
    run.begin("one", percent=50, done=1, total=2)
    tab = visit(f"/runs/{run.id}")
    tab.wait_for_function("() => document.title.endsWith('% · ending · Régie')")
    run.becomes(completed(), "one")
    run.becomes(completed())
    tab.wait_for_function("() => document.title === '● ending: Completed'")
    other = visit("/system")
    other.locator("#ends summary").click()
    other.get_by_label("Say it in the tab").uncheck()
    other.reload()
    assert not other.locator("#ends [name=title]").is_checked()


def test_what_the_person_chose_is_asked_of_the_browser(
    visit: Open, prefect: SyncPrefectClient, runs: dict[str, Planted]
) -> None:
    tab = visit("/runs", permissions=["notifications"])
    tab.evaluate(
        """() => {
          window.shown = [];
          window.played = 0;
          window.Notification = class { constructor(title, options) { window.shown.push(options.body); }
            static permission = "granted"; static requestPermission = async () => "granted"; };
          const start = OscillatorNode.prototype.start;
          OscillatorNode.prototype.start = function (...when) { window.played += 1; return start.apply(this, when); };
        }"""
    )
    tab.locator("#ends summary").click()
    assert not tab.get_by_label("Play a sound").is_checked()
    tab.get_by_label("Play a sound").check()
    tab.get_by_label("Show a notification").check()
    tab.wait_for_function("() => window.played === 2")
    run = Planted(prefect, PLAIN, "heard")
    tab.wait_for_selector(f'tr[data-row="{run.id}"]', state="attached")
    run.becomes(completed())
    tab.wait_for_function("() => window.shown.length === 1")
    assert tab.evaluate("window.shown") == ["heard: Completed"]
    assert tab.evaluate("window.played") == 4


def test_times_are_the_readers_own(visit: Open, runs: dict[str, Planted]) -> None:
    for zone, locale in (("Asia/Tokyo", "en-GB"), ("America/New_York", "en-US")):
        tab = visit(f"/runs/{runs['working'].id}", timezone_id=zone, locale=locale)
        time = tab.locator(".hero time[data-time=started]")
        told = time.evaluate("(each, tag) => [each.textContent, new Date(each.dateTime).toLocaleTimeString(tag, "
                             "{hour: '2-digit', minute: '2-digit'})]", locale)  # fmt: skip
        assert told[0].endswith(told[1])


def test_clocks_tick_by_the_servers_time(visit: Open, runs: dict[str, Planted]) -> None:
    tab = visit(f"/runs/{runs['working'].id}")
    elapsed = tab.locator(".hero [data-t=duration]")
    before = elapsed.inner_text()
    tab.wait_for_function(
        "(before) => document.querySelector('.hero [data-t=duration]').textContent !== before", arg=before
    )


def test_the_list_pages_on(visit: Open, prefect: SyncPrefectClient, runs: dict[str, Planted]) -> None:
    many = [Planted(prefect, PLAIN, f"paged {number}", completed()) for number in range(16)]
    tab = visit("/runs?subject=paged")
    assert tab.locator("#runs tbody tr").count() == 15
    tab.get_by_role("link", name="Older").click()
    tab.wait_for_selector("#live[data-live=on]", state="attached")
    assert "16–16 of 16" in tab.inner_text(".paging")
    assert tab.locator("#runs tbody tr").count() == 1
    assert many[0].subject in tab.inner_text("#runs")


def test_a_stream_that_was_lost_comes_back(visit: Open, prefect: SyncPrefectClient, runs: dict[str, Planted]) -> None:
    run = Planted(prefect, PLAIN, "asleep")
    run.begin("one", percent=10, done=1, total=10, item="before")
    tab = visit(f"/runs/{run.id}")
    tab.wait_for_function("() => document.querySelector('.detail').textContent.includes('before')")
    tab.goto("/system")
    run.say("one", percent=50, done=5, total=10, item="meanwhile")
    tab.go_back()
    tab.wait_for_function("() => document.querySelector('.detail').textContent.includes('meanwhile')")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_for_those_who_do_not_want_it(visit: Open, runs: dict[str, Planted], motion: str) -> None:
    tab = visit(f"/runs/{runs['working'].id}", reduced_motion=motion)
    moves = tab.locator(".ring [data-arc]").first.evaluate("(each) => getComputedStyle(each).transitionProperty")
    assert (moves == "none") is (motion == "reduce")


def test_everything_is_reached_by_keyboard(visit: Open, runs: dict[str, Planted]) -> None:
    tab = visit(f"/runs/{runs['working'].id}")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(60):
        tab.keyboard.press("Tab")
        reached.add(
            tab.evaluate("(document.activeElement.id || document.activeElement.textContent.trim()).slice(0, 20)")
        )
    assert {"Cancel…", "Resume", "Run again", "download", "log", "follow"} <= reached
    assert len([each for each in reached if each.startswith(("1One", "2Two", "3Three"))]) == 3


def test_the_machine_is_live_and_its_widget_folds(visit: Open, runs: dict[str, Planted]) -> None:
    tab = visit("/system")
    tab.wait_for_function("() => document.querySelector('main [data-t=memory_percent]').textContent.endsWith('%')")
    summary = tab.locator("#machine summary")
    summary.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#machine meter").first.is_visible()
    tab.keyboard.press("Escape")
    assert not tab.locator("#machine meter").first.is_visible()
    assert summary.evaluate("(element) => element === document.activeElement")
