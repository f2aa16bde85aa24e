"""Offers in Chromium: every change is seen where it is, for everybody, and whatever strangers write."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
import regie_toy_offers as toy
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentCreate
from regie_toy_planted import Planted, completed
from regie_toy_strangers import HOSTILE, LONG, TAIL, harmless

TABLE = {
    "Apex": {"to_complete": (2, 1), "analysed": 4},
    "Bourse": {"to_import": 3, "to_analyse": 7, "analysed": 1200, "error": 1},
    "Zeste": {"expired": 5},
    "": {"error": 1},
}
AFTER = {
    "Apex": {"to_complete": 1, "to_analyse": 1, "analysed": 4},
    "Bourse": {"to_import": 3, "to_analyse": 5, "analysed": (1202, 2), "error": 1},
    "Midi": {"to_import": 1},
}
TROUBLE: dict[str, Any] = {
    "failures": [{"phase": "import", "file": "one.eml", "reason": "Why not"}] * 3,
    "failed": 1200,
    "left_alone": [{"name": "two.eml", "reason": "Forged"}],
    "spent": {"tokens": 12300, "cost": 0.5},
}
Open = Any
Plant = Callable[..., Planted]


@pytest.fixture(scope="module")
def prefect(prefect_server: None) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture(scope="module")
def url(serve: Any, prefect: SyncPrefectClient) -> Iterator[str]:
    with serve({"offers": toy.TOY_OFFERS}) as address:
        yield address


@pytest.fixture
def visit(chromium: Any, visiting: Any, url: str) -> Iterator[Open]:
    with visiting(chromium, url) as go:
        yield go


@pytest.fixture
def plant(prefect: SyncPrefectClient, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Plants the runs that there are."""
    monkeypatch.setattr(toy.Apart, "prefix", request.node.name)
    monkeypatch.setattr(toy, "FOUND", {("Apex", "analysed"): [toy.item(), toy.item("Second", link="", score=None)]})
    return partial(Planted, prefect, toy.TOY_OFFERS, "/mail/box")


@pytest.fixture
def run(plant: Plant) -> Planted:
    """A run at work that shows a table."""
    run = plant()
    run.begin("import", done=1, total=2, percent=50, item="alert 2")
    run.show(**toy.document(TABLE))
    return run


def row(tab: Any, name: str) -> list[str]:
    """Return the figures of a row as they are shown, without the marks of changes, which go by themselves."""
    read = """(row) => [...row.querySelectorAll("td")].map((td) =>
      [...td.querySelectorAll("a, small")].map((each) => each.textContent).join(" "))"""
    told: list[str] = tab.locator(f'[data-line="{name}"]').evaluate(read)
    return told


WATCH = """() => {
  window.marks = [];
  const note = (mark) =>
    window.marks.push([mark.closest("tr").dataset.line, mark.closest("td").cellIndex, mark.textContent]);
  new MutationObserver((changes) => changes.forEach(({ addedNodes }) =>
    addedNodes.forEach((node) => node.localName === "i" && note(node)))).observe(document.getElementById("board"),
    { childList: true, subtree: true });
}"""
"""Notes every mark of a change."""


def test_a_change_is_seen_in_its_cells_and_moves_nothing_else(visit: Open, run: Planted) -> None:
    tab = visit("/offers", "phone")
    tab.evaluate(WATCH)
    focused = tab.locator('[data-line="source:Bourse"] a[href*=to_analyse]')
    focused.focus()
    tab.evaluate("document.getElementById('scroll').scrollLeft = 64")
    places = "[scrollY, document.getElementById('scroll').scrollLeft]"
    before = tab.evaluate(places)
    assert before[1] > 0
    assert row(tab, "source:Apex") == ["0", "2 +1 …", "0", "4", "0", "0", "0", "0", "6"]
    run.show(**toy.document(AFTER, calls={"reads": 12, "writes": 4}))
    tab.wait_for_function("() => document.querySelector('.about').textContent.includes('4 to write')")
    assert row(tab, "source:Apex") == ["0", "1", "1", "4", "0", "0", "0", "0", "6"]
    assert row(tab, "source:Bourse")[2:4] == ["5", "1,202 +2 …"]
    assert row(tab, "totals")[3:5] == ["1,206 +2 …", "0"]
    apex, bourse, totals = "source:Apex", "source:Bourse", "totals"
    assert sorted(tab.evaluate("window.marks")) == [  # and nothing where nothing changed
        [apex, 2, "−1"], [apex, 3, "+1"], [bourse, 3, "−2"], [bourse, 4, "+2"],
        [totals, 1, "+1"], [totals, 2, "−1"], [totals, 3, "−1"], [totals, 4, "+2"], [totals, 5, "−5"],
        [totals, 7, "−1"], [totals, 9, "−5"],
    ]  # fmt: skip
    assert tab.locator("[data-line='source:Apex'] a[href$='source=Apex&status=to_analyse']").count() == 1
    assert tab.locator("#board tbody bdi").all_inner_texts() == ["Apex", "Bourse", "Midi"]
    assert tab.evaluate(places) == before
    assert focused.evaluate("(element) => element === document.activeElement")
    assert tab.inner_text("#told") == ""  # figures are not read out
    tab.wait_for_selector("#board i", state="detached")
    assert tab.evaluate("window.marks.length") == 11  # the page was not loaded again


def test_a_figure_that_has_the_focus_keeps_it_when_it_is_none(visit: Open, run: Planted) -> None:
    tab = visit("/offers")
    tab.locator('[data-line="source:Zeste"] a[href*=expired]').focus()
    inside = "document.getElementById('scroll').contains(document.activeElement)"
    run.show(**toy.document({**TABLE, "Zeste": {"ignored": 1}}))
    tab.wait_for_selector('[data-line="source:Zeste"] a[href*=ignored]')
    assert tab.evaluate(f"{inside} && document.activeElement.textContent") == "0"
    run.show(**toy.document(AFTER))
    tab.wait_for_selector('[data-line="source:Zeste"]', state="detached")
    assert tab.evaluate(inside)


def test_a_table_comes_in_with_its_run_and_the_run_ends(visit: Open, plant: Plant) -> None:
    tab = visit("/offers", locale="fr-FR")
    assert "Aucune offre" in tab.inner_text("main")
    run = plant()
    tab.wait_for_selector(".now")
    assert "apparaîtra ici" in tab.inner_text("main")
    run.show(**toy.document(TABLE))
    tab.wait_for_selector("#board")
    assert row(tab, "source:Bourse")[3] == "1\u202f200"
    run.begin("complete", done=1, total=4, percent=25, item="Data engineer")
    tab.wait_for_function("() => document.querySelector('.now').textContent.includes('Data engineer')")
    assert "aria-disabled" in tab.locator("button", has_text="Relire").evaluate("(each) => each.outerHTML")
    state = completed()
    state.message = "Nothing to do"
    run.becomes(completed(), "complete")
    run.becomes(state)
    tab.wait_for_function("() => document.querySelector('.outcome').textContent === 'Nothing to do'")
    assert "aria-disabled" not in tab.locator("button", has_text="Relire").evaluate("(each) => each.outerHTML")
    assert tab.title().startswith("● box\u202f: Terminé")
    tab.wait_for_function("() => !document.querySelector('#board small')")


def test_what_went_wrong_comes_in_and_stays_open(visit: Open, run: Planted) -> None:
    tab = visit("/offers")
    failures, spent = tab.locator("[data-row=failures]"), tab.locator("[data-if=spent]")
    assert not failures.is_visible()
    assert not spent.is_visible()
    first = {"phase": "complete", "file": "Data engineer", "reason": "No answer"}
    run.show(**toy.document(TABLE, failures=[first], failed=1))
    failures.locator("summary").click()
    assert failures.inner_text().split("\n") == ["1 failure", "Complete · Data engineer", "No answer"]
    run.show(**toy.document(TABLE, **{**TROUBLE, "failures": [first, *TROUBLE["failures"]]}))
    failures.get_by_text("1,200 failures").wait_for()
    assert failures.locator("li").all_text_contents()[1:] == ["Import · one.eml Why not"] * 2
    assert failures.locator("p").inner_text() == "1,197 more in the logs of the run"
    assert tab.locator("[data-row=left_alone] summary").inner_text() == "1 message left alone"
    assert spent.inner_text().endswith("12,300 tokens · 0.5000 by the prices of the settings")
    run.show(**toy.document(TABLE))
    failures.wait_for(state="hidden")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_live_reads_as_the_first_paint(visit: Open, run: Planted, language: str) -> None:
    said = """() => [...document.querySelectorAll(
      "#board :is(tr, th, td, a, small), .about :is(dt, dd), .mean :is(summary, li, p), .node"
      )].map((each) => [each.dataset.line, each.href, each.hidden,
      each.querySelector("time, [data-t=duration]") ? "" : each.textContent].join("|"))"""
    run.show(**toy.document(TABLE, **TROUBLE))
    painted = visit("/offers", wait=False, java_script_enabled=False, locale=language).evaluate(said)
    tab = visit("/offers", locale=language)
    tab.wait_for_function("() => document.querySelector('#board')")
    assert tab.evaluate(said) == painted
    assert len(painted) > 60
    assert tab.locator(".mean li").all_text_contents() == ["Import · one.eml Why not"] * 3 + ["two.eml Forged"]
    nameless = tab.locator("[data-line='source:']")
    assert (nameless.locator("th").inner_text(), nameless.locator("a[href]").count()) == ("–", 0)


def test_a_figure_leads_to_its_offers_by_keyboard(visit: Open, run: Planted) -> None:
    tab = visit("/offers")
    tab.locator("#scroll").focus()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('tr').dataset.line") == "source:Apex"
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".found")
    assert tab.url.endswith("/offers/list?source=Apex&status=analysed")
    assert tab.locator(".found h2").all_inner_texts() == ["Data engineer", "Second"]
    assert tab.locator(".found h2 a").count() == 1
    tab.get_by_role("link", name="Offers").last.click()
    tab.wait_for_selector("#board")


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_axe_finds_nothing_and_no_page_is_too_wide(visit: Open, run: Planted, size: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    def look(tab: Any) -> None:
        found = Axe().run(tab).response["violations"]
        assert [(tab.url, each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0

    tab = visit("/offers", size, color_scheme=scheme)
    run.show(**toy.document(AFTER, **TROUBLE))
    tab.wait_for_selector("#board i")
    tab.locator("[data-row=failures] summary").click()
    look(tab)
    run.becomes(completed(), "import")
    run.becomes(completed())
    tab.wait_for_selector("[aria-describedby=why-start_with]:not([aria-disabled])")
    tab.locator("summary", has_text="What the columns count").click()
    tab.get_by_role("button", name="Start with").click()
    tab.wait_for_selector("dialog[open]")
    look(tab)
    look(visit("/offers/list?source=Apex&status=analysed", size, color_scheme=scheme))


def test_what_strangers_write_is_text(visit: Open, plant: Plant, prefect: SyncPrefectClient) -> None:
    run = plant(store=HOSTILE, profile=HOSTILE)
    run.begin("import", percent=50, item=HOSTILE, engine=HOSTILE)
    columns = [{"status": f"{HOSTILE}{place}", "name": HOSTILE} for place in range(8)]
    wrong = {"failures": [{"phase": HOSTILE, "file": HOSTILE, "reason": HOSTILE + LONG}]}
    wrong["left_alone"] = [{"name": HOSTILE, "reason": HOSTILE}]
    hostile = {"columns": columns, "store": HOSTILE + LONG, "mail": HOSTILE, **wrong}
    fields = dict.fromkeys(("title", "company", "place", "reasons", "note", "source", "status", "published"), HOSTILE)
    status = columns[3]["status"][:200]
    toy.FOUND[(HOSTILE, status)] = [toy.item(**fields, link=f"javascript:{HOSTILE}"), toy.item(**fields)]
    run.show(**toy.document({HOSTILE: {"analysed": 2}}, **hostile))
    tab = visit("/offers")
    assert TAIL in tab.inner_text("#board tbody th")
    later = f"later {HOSTILE}"
    run.show(**toy.document({HOSTILE: {"analysed": 3}, later: {"analysed": (1, 1)}}, **hostile))
    tab.wait_for_function("() => document.querySelectorAll('#board tbody tr').length === 2")
    assert tab.locator("#board tbody th").all_inner_texts()[1].startswith("later \"'></title>")
    for summary in tab.locator(".mean summary").all():
        summary.click()
    assert tab.locator(".mean li bdi", has_text=TAIL).count() == 4
    run.show(**toy.document({HOSTILE: {"analysed": 3}}, **hostile | {"failures": wrong["failures"] * 2}))
    tab.wait_for_function("() => document.querySelectorAll('[data-row=failures] li').length === 2")
    assert tab.locator(".mean li bdi", has_text=TAIL).count() == 6
    harmless(tab)
    tab.locator("#board tbody a[href]").first.click()
    tab.wait_for_selector(".found")
    assert tab.locator(".found li h2").count() == 2
    assert tab.locator(".found h2 a").count() == 1
    assert TAIL in tab.inner_text(".reasons")
    harmless(tab)
    run.becomes(completed())
    tab = visit("/offers/start")
    assert tab.locator("[name=store]").input_value().startswith("\"'></title>")
    harmless(tab)


def test_a_run_is_started_in_a_dialogue_and_stopped(
    visit: Open, plant: Plant, prefect: SyncPrefectClient, url: str
) -> None:
    old = plant(state=completed(), store="/my.db")
    old.show(**toy.document(TABLE))
    tab = visit("/offers")
    tab.get_by_role("button", name="Start", exact=True).click()
    tab.wait_for_selector("#trouble", state="visible")
    assert "is not deployed" in tab.inner_text("#trouble")
    assert "Conflict" in visit.complaints.pop()
    schema = {"type": "object", "properties": {name: {} for name in ("mail", "store", "options", "look")}}
    flow = prefect.create_flow(old.flows[""])
    new = DeploymentCreate(name="regie", flow_id=flow, parameters={"mail": "/m"}, parameter_openapi_schema=schema)
    prefect.request("POST", "/deployments/", json=new.model_dump(mode="json", exclude_unset=True))
    opener = tab.get_by_role("button", name="Start with")
    opener.click()
    tab.wait_for_selector("dialog[open]")
    assert tab.get_by_label("Store").input_value() == "/my.db"
    tab.get_by_label("Mailbox").fill("mail/mine")
    tab.get_by_label("Only load the table").check()
    tab.keyboard.press("Enter")
    tab.locator("dialog .trouble", has_text="mail/mine could be in any folder").wait_for()
    assert "422" in visit.complaints.pop()
    tab.get_by_label("Mailbox").fill("/mail/mine")
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".line[data-state=pending]")
    assert tab.locator("dialog").count() == 0
    started = httpx.get(f"{url}/api/v1/offers").json()["run"]["run_id"]
    parameters = prefect.read_flow_run(started).parameters
    assert parameters == {"mail": "/mail/mine", "store": "/my.db", "look": True}
    assert row(tab, "source:Zeste")[4] == "5"  # the table stays until there is another
    tab.get_by_role("button", name="Stop").click()
    tab.get_by_role("button", name="Cancel the run").click()
    tab.wait_for_selector(".line[data-state=cancelled]")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_fades_for_those_who_do_not_want_it(visit: Open, run: Planted, motion: str) -> None:
    tab = visit("/offers", reduced_motion=motion)
    run.show(**toy.document(AFTER))
    name = "() => [...document.querySelectorAll('#board i')].map((mark) => getComputedStyle(mark).animationName)[0]"
    assert (tab.wait_for_function(name).json_value() == "none") is (motion == "reduce")
