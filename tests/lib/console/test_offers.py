"""Offers over the wire: the table, the offers of a cell, and the pages, complete without a script."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
import regie_toy_offers as toy
import schemathesis
from hypothesis import HealthCheck, settings
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentCreate
from regie_toy_planted import Planted, completed
from schemathesis.specs.openapi.checks import positive_data_acceptance

from lib.console.api.offers import item_of
from lib.console.app import create_app
from lib.console.offers import understand
from lib.settings import Settings

LIMIT = 50_000
"""Bytes of a page with its styles and scripts."""
TABLE = {
    "Apex": {"to_complete": (2, 1), "analysed": 4},
    "Bourse & Cie": {"to_import": 3, "analysed": 1200, "error": 1},
}
Plant = Callable[..., Planted]
Begun = Callable[[], dict[str, Any] | None]


@pytest.fixture(scope="module")
def prefect(prefect_server: None) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture(scope="module")
def client(serve: Any, prefect: SyncPrefectClient) -> Iterator[httpx.Client]:
    with serve({"offers": toy.TOY_OFFERS}) as url, httpx.Client(base_url=url) as opened:
        yield opened


@pytest.fixture(scope="module")
def working(prefect: SyncPrefectClient) -> Planted:
    """A run of offers that is at work, and shows a table; an older one had another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy.Apart, "prefix", "working")
        older = Planted(prefect, toy.TOY_OFFERS, "/mail/older", completed())
        older.show(**toy.document({"Older": {"analysed": 1}}))
        run = Planted(prefect, toy.TOY_OFFERS, "/mail/new", store="/new.db", profile="/profile.toml")
        run.begin("import", done=1, total=2, percent=50, item="alert 2")
        run.show(**toy.document(TABLE))
    return run


@pytest.fixture
def console(client: httpx.Client, working: Planted, monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    """A console whose newest run is the one at work."""
    monkeypatch.setattr(toy.Apart, "prefix", "working")
    monkeypatch.setattr(toy, "FOUND", {})
    return client


@pytest.fixture
def plant(prefect: SyncPrefectClient, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Plants the runs that there are."""
    monkeypatch.setattr(toy.Apart, "prefix", re.sub(r"\W", "-", request.node.name))
    return partial(Planted, prefect, toy.TOY_OFFERS, "/mail")


def page(client: httpx.Client, path: str, status: int = 200, language: str = "en") -> str:
    answer = client.get(path, headers={"accept": "text/html", "accept-language": language})
    assert answer.status_code == status, answer.text
    return answer.text


def words(text: str) -> str:
    """Return what a page says, without tags."""
    return " ".join(unescape(re.sub(r"<script.*?</script>|<[^>]*>", " ", text, flags=re.DOTALL)).split())


def test_the_table_and_the_run_are_told(console: httpx.Client, working: Planted) -> None:
    told = console.get("/api/v1/offers").json()
    assert (told["run"]["state"], told["run"]["subject"]) == ("running", "new")
    assert told["table_run"] == str(working.id)
    table = told["table"]
    assert [row["source"] for row in table["rows"]] == ["Apex", "Bourse & Cie"]
    assert table["rows"][0]["cells"][1] == {"count": 2, "pending": 1}
    assert table["totals"]["total"] == 1210
    assert (table["calls"], table["store"]) == ({"reads": 12, "writes": 3}, "SQLite offers.db")
    assert len(table["columns"]) == len(table["totals"]["cells"])


def test_the_topic_tells_the_run_its_phases_and_every_source(console: httpx.Client) -> None:
    with console.stream("GET", "/api/v1/events?topics=offers") as stream:
        data = next(line for line in stream.iter_lines() if line.startswith("data: "))
    rows = json.loads(data.removeprefix("data: "))["rows"]
    phases = ["phase:import", "phase:complete", "phase:analyse"]
    assert list(rows) == [
        "run",
        *phases,
        "source:Apex",
        "source:Bourse%20%26%20Cie",
        "totals",
        "table",
        "failures",
        "left_alone",
    ]
    assert rows["phase:import"]["item"] == "alert 2"
    assert rows["source:Apex"]["cells"][3] == {"count": 4, "pending": 0}


def damage(**fields: Any) -> dict[str, Any]:
    return {**toy.document(TABLE), **fields}


def test_a_view_that_is_damaged_is_passed_over(client: httpx.Client, plant: Plant) -> None:
    plant(state=completed()).show(**toy.document({"Kept": {"analysed": 7}}))
    plant().show(**damage(columns=[]))
    told = client.get("/api/v1/offers").json()
    assert told["run"]["state"] == "running"
    assert [row["source"] for row in told["table"]["rows"]] == ["Kept"]
    assert "Kept" in page(client, "/offers")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "weather"},
        damage(kind="weather"),
        damage(columns=[]),
        damage(columns=toy.COLUMNS[:3]),
        damage(rows=None),
        damage(rows=[{"source": 1, "cells": [], "total": 0}]),
        damage(totals={"source": "", "cells": toy.cells(error=-1), "total": 0}),
        damage(totals={"source": "", "cells": toy.cells(), "total": 10**400}),
        damage(at="yesterday"),
        damage(calls=[1]),
        damage(failures=[{"phase": "import"}]),
        damage(left_alone="all"),
        damage(spent={"tokens": 1, "cost": float("nan")}),
    ],
)
def test_what_is_damaged_or_anothers_is_not_understood(document: dict[str, Any]) -> None:
    assert understand(document) is None
    assert understand(toy.document(TABLE)) is not None


def test_nothing_is_on_its_way_once_the_run_is_over(client: httpx.Client, plant: Plant) -> None:
    plant(state=completed()).show(**toy.document(TABLE))
    table = client.get("/api/v1/offers").json()["table"]
    assert table["over"]
    assert {cell["pending"] for row in (*table["rows"], table["totals"]) for cell in row["cells"]} == {0}


def test_before_the_first_run_the_page_says_what_to_do(client: httpx.Client, plant: Plant) -> None:
    assert client.get("/api/v1/offers").json() == {"run": None, "table": None, "table_run": ""}
    text = words(page(client, "/offers"))
    assert "No offers here yet" in text
    assert "regie demo offers" in text
    assert "Look again" not in text
    assert client.get("/api/v1/offers/items").status_code == 404
    assert "Aucune offre" in words(page(client, "/offers", language="fr"))


def test_before_the_first_table_the_run_is_there(client: httpx.Client, plant: Plant) -> None:
    plant().begin("import", item="alert 1")
    text = words(page(client, "/offers"))
    assert "alert 1" in text
    assert "once a run has loaded it" in text


def test_an_empty_store_says_so(client: httpx.Client, plant: Plant) -> None:
    plant().show(**toy.document({}))
    assert re.search(r'<p[^>]*data-if="nothing">', page(client, "/offers"))


def test_the_page_follows_from_what_a_workflow_shows(serve: Any, prefect: SyncPrefectClient) -> None:
    with serve({"jobs": replace(toy.TOY_OFFERS, key="jobs")}) as url, httpx.Client(base_url=url) as client:
        assert client.get("/offers").status_code == 200
        assert 'href="/offers"' in client.get("/runs").text
    with serve({"offers": replace(toy.TOY_OFFERS, view="")}) as url, httpx.Client(base_url=url) as client:
        for path in ("/offers", "/offers/list", "/offers/start", "/api/v1/offers", "/api/v1/events?topics=offers"):
            assert client.get(path).status_code == 404
        assert client.post("/offers/start").status_code == 404
        assert 'href="/offers"' not in client.get("/runs").text


def test_the_page_shows_figures_and_leads_to_offers(console: httpx.Client, working: Planted):
    text = page(console, "/offers")
    assert '<a href="/offers/list?source=Apex&amp;status=analysed">4</a>' in text
    assert '<a href="/offers/list?source=Bourse%20%26%20Cie">1,204</a>' in text
    assert '<a href="/offers/list?source=&amp;status=error">1</a>' in text
    assert text.count("<small") == 2
    assert "2</a><small>+1 …</small>" in text
    assert f"/runs/{working.id}?phase=import#detail" in text
    for word in ("A compléter", "SQLite offers.db", "12 to read, 3 to write", "alert 2", "Alerts that wait in"):
        assert word in words(text)
    french = words(page(console, "/offers", language="fr"))
    assert "1 204" in french
    assert "12 en lecture, 3 en écriture" in french


TROUBLE: dict[str, Any] = {
    "failures": [{"phase": "complete", "file": f"offer {place}", "reason": "No\nanswer"} for place in range(7)],
    "failed": 312,
    "left_alone": [{"name": "new.eml", "reason": "Its sender may be forged."}],
    "spent": {"tokens": 12300, "cost": 0.01843},
}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            ["312 failures", "309 more in the logs", "1 message left alone", "12,300 tokens · 0.0184 by the prices"],
        ),
        ("fr", ["312 échecs", "309 de plus", "1 message laissé", "12 300 tokens · 0,0184 selon les prix"]),
    ],
)
def test_what_went_wrong_and_was_spent_is_shown(
    client: httpx.Client, plant: Plant, language: str, said: list[str]
) -> None:
    plant().show(**toy.document(TABLE, **TROUBLE))
    text = words(page(client, "/offers", language=language))
    for each in (*said, "Complete · offer 2 No answer", "new.eml Its sender may be forged."):
        assert each in text
    assert "offer 3" not in text
    table = client.get("/api/v1/offers").json()["table"]
    assert (len(table["failures"]), table["failed"], table["spent"]) == (7, 312, TROUBLE["spent"])


def test_where_nothing_went_wrong_nothing_of_it_is_shown(console: httpx.Client) -> None:
    text = page(console, "/offers")
    for name in ("failures", "left_alone", "spent"):
        assert re.search(f'data-if="{name}" hidden', text)


def test_only_what_makes_sense_is_offered(client: httpx.Client, plant: Plant) -> None:

    def disabled() -> set[str]:
        buttons = re.findall(r'aria-describedby="why-(\w+)" aria-disabled', page(client, "/offers"))
        return set(buttons)

    run = plant()
    assert disabled() == {"start", "look", "start_with"}
    run.becomes(completed())
    assert disabled() == {"stop"}


def test_the_offers_of_a_cell_are_listed(console: httpx.Client) -> None:
    toy.FOUND[("Apex", "analysed")] = [toy.item("Seen", note="a note"), toy.item("Second", score=None)]
    told = console.get("/api/v1/offers/items?source=Apex&status=analysed").json()
    assert told["total"] == 4
    first, second = told["items"]
    assert (first["title"], first["score"], first["host"]) == ("Seen", 71.5, "jobs.example")
    assert first["reasons"].splitlines()[1] == "Place: 6/10, an hour away"
    assert second["score"] is None
    text = page(console, "/offers/list?source=Apex&status=analysed")
    assert '<a href="https://jobs.example/42" rel="noopener noreferrer">' in text
    for word in ("Analysée", "2 of 4", "Atelier Nord · Lyon", "Place: 6/10", "a note", "no score yet", "2 more are"):
        assert word in words(text)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("source=&status=analysed", ["a", "b"]),
        ("status=error", ["c"]),
        ("source=Bourse%20%26%20Cie", ["b", "c"]),
        ("", ["a", "b", "c"]),
        ("limit=2", ["a", "b"]),
        ("source=Nobody", []),
        ("status=none", []),
        ("source=Apex&status=error", []),
    ],
)
def test_totals_lead_to_the_offers_of_all(console: httpx.Client, asked: str, found: list[str]) -> None:
    toy.FOUND |= {
        ("Apex", "analysed"): [toy.item("a")],
        ("Bourse & Cie", "analysed"): [toy.item("b")],
        ("Bourse & Cie", "error"): [toy.item("c")],
    }
    assert [item["title"] for item in console.get(f"/api/v1/offers/items?{asked}").json()["items"]] == found


def test_every_status_comes_in_its_order_and_none_is_asked_for_alerts(client: httpx.Client, plant: Plant) -> None:
    order = ["analysed", "to_analyse", "to_complete", "error", "expired", "ignored", "other"]
    toy.FOUND |= {("Apex", name): [toy.item(name)] * 2 for name in (*sorted(order), "to_import")}
    plant().show(**toy.document({"Apex": dict.fromkeys((*order, "to_import"), 2)}))

    def titles(query: str) -> list[str]:
        return [each["title"] for each in client.get(f"/api/v1/offers/items?{query}").json()["items"]]

    assert titles("source=Apex") == [name for name in order for _ in range(2)]
    assert titles("limit=3") == ["analysed", "analysed", "to_analyse"]
    assert client.get("/api/v1/offers/items").json()["total"] == 14
    assert titles("status=to_import") == ["to_import"] * 2
    lines = csv.DictReader(io.StringIO(client.get("/api/v1/offers/items.csv").content.decode("utf-8-sig"), newline=""))
    assert list(dict.fromkeys(line["title"] for line in lines)) == order


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "data:text/html,<b>", "//evil.example",
        "https:evil", "http://[", "ftp://a.example", "", None, 7, "https://a.example/\u202e", "https://" + "a" * 3000,
    ],
)  # fmt: skip
def test_only_links_to_the_web_are_links(link: Any) -> None:
    item = item_of(toy.item(link=link))
    assert (item.link, item.host) == ("", "")


def test_what_is_no_link_is_none_on_the_page(console: httpx.Client) -> None:
    toy.FOUND[("Apex", "analysed")] = [toy.item(link="javascript:alert(1)")]
    assert 'rel="noopener noreferrer"' not in page(console, "/offers/list?source=Apex&status=analysed")


@pytest.mark.parametrize(
    "fields", [{"score": "high", "title": None}, {"score": 10**9, "title": 5, "reasons": ["a"]}, {}]
)
def test_an_offer_whose_fields_are_odd_is_shown_all_the_same(console: httpx.Client, fields: dict[str, Any]) -> None:
    toy.FOUND[("Apex", "analysed")] = [toy.item(**fields) if fields else {}]
    assert "no score yet" in page(console, "/offers/list?source=Apex&status=analysed")


@pytest.mark.parametrize(
    ("store", "status", "said"),
    [("away", 502, "does not answer"), ("wrong", 422, "no such store"), ("broken", 502, "cannot be read")],
)
def test_what_keeps_from_looking_is_said_in_words(
    client: httpx.Client, plant: Plant, store: str, status: int, said: str
) -> None:
    plant(store=store).show(**toy.document(TABLE))
    for path in ("items", "items.csv"):
        answer = client.get(f"/api/v1/offers/{path}?status=analysed")
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
    assert said in words(page(client, "/offers/list?status=analysed", status))
    assert "canary-7d2f" not in page(client, "/offers/list?status=analysed", status)


def test_what_waits_in_the_mailbox_is_not_listed_yet(console: httpx.Client) -> None:
    assert "alerts in the mailbox" in page(console, "/offers/list?status=to_import")
    assert "Look again" in page(console, "/offers/list?status=error")


def test_offers_are_downloaded_without_formulas(console: httpx.Client) -> None:
    toy.FOUND |= {("Apex", "analysed"): [toy.item("=1+1")], ("Bourse & Cie", "error"): [toy.item("b", score=None)]}
    answer = console.get("/api/v1/offers/items.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="regie-offers.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [(row["title"], row["score"]) for row in rows] == [("'=1+1", "71.5"), ("b", "")]
    only = console.get("/api/v1/offers/items.csv?source=Apex&status=analysed").text
    assert len(only.splitlines()) == 3  # reasons have two lines


@pytest.mark.parametrize("path", ["/offers", "/offers/list?status=analysed"])
def test_a_full_page_is_small_with_all_that_it_loads(
    client: httpx.Client, plant: Plant, monkeypatch: Any, path: str
) -> None:
    """In French, which is longer."""
    monkeypatch.setattr(toy, "FOUND", {("x", "analysed"): [toy.item("A title of some length" * 5)] * 200})
    run = plant()
    run.begin("import", done=100, total=200, percent=50, item="x" * 100)
    names = (
        "APEC",
        "Cadremploi",
        "France Travail",
        "Free-Work",
        "HelloWork",
        "Indeed",
        "LinkedIn",
        "Welcome to the Jungle",
    )
    statuses = ("to_import", "to_complete", "analysed", "expired", "ignored")
    counts = dict.fromkeys(statuses, 1000) | {"to_analyse": (0, 10)}
    failures = [{"phase": "analyse", "file": "A title of some length", "reason": "What happened to it. " * 5}] * 50
    run.show(**toy.document(dict.fromkeys(names, counts), failures=failures, failed=312, spent={"tokens": 9000}))
    text = page(client, path, language="fr")
    loaded = dict.fromkeys(unescape(each) for each in re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', text))
    for address in (todo := list(loaded)):
        found = client.get(address).text
        loaded[address] = found
        others = (f"{address.rpartition('/')[0]}/{name}" for name in re.findall(r'from "\./([\w.]+)"', found))
        todo += [other for other in others if other not in todo]
    assert len(loaded) >= 7
    size = sum(len(each.encode()) for each in (text, *loaded.values()))
    assert size < LIMIT, size


def deploy(client: SyncPrefectClient, run: Planted) -> None:
    """Have runs be started like this one; no worker takes them up."""
    names = ("mail", "store", "profile", "options", "look")
    flow = client.create_flow(run.flows[""])
    new = DeploymentCreate(
        name="regie",
        flow_id=flow,
        parameters={"mail": "/mail/of the settings"},
        parameter_openapi_schema={"type": "object", "properties": {name: {} for name in names}},
    )
    client.request("POST", "/deployments/", json=new.model_dump(mode="json", exclude_unset=True))


@pytest.fixture
def begun(client: httpx.Client, plant: Plant, prefect: SyncPrefectClient) -> Begun:
    """Tells what the newest run was started with; None before the first. A run that is over shows no table."""
    planted = plant(state=completed())
    deploy(prefect, planted)

    def told() -> dict[str, Any] | None:
        run = client.get("/api/v1/offers").json()["run"]["run_id"]
        return None if run == str(planted.id) else prefect.read_flow_run(run).parameters

    return told


def test_what_is_not_deployed_says_so(client: httpx.Client, plant: Plant) -> None:
    plant(state=completed(), store="/my.db")
    assert "is not deployed" in words(client.post("/offers/start", headers={"accept": "text/html"}).text)


def test_without_a_table_a_run_is_as_the_settings_say(client: httpx.Client, begun: Begun) -> None:
    answer = client.post("/offers/start", data={"look": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/offers")
    assert begun() == {"mail": "/mail/of the settings", "look": True}
    assert client.get("/api/v1/offers").json()["run"]["state"] == "pending"


@pytest.mark.parametrize("look", [False, True])
def test_a_run_is_like_that_of_the_table(client: httpx.Client, plant: Plant, begun: Begun, look: bool) -> None:
    same = {"store": "/mine.db", "profile": "~/p.toml", "options": {"retry": True}}
    plant(state=completed(), **same, only=[2], first=1, look=True, inline=True).show(**toy.document(TABLE))
    plant(state=completed(), store="/without a table.db")
    assert client.post("/api/v1/offers/start", json={"look": look}).status_code == 201
    known = {"mail": "/mail", **same, "profile": str(Path.home() / "p.toml")}
    assert begun() == known | ({"look": True} if look else {})


def test_what_is_left_empty_in_the_form_is_as_the_settings_say(
    client: httpx.Client, plant: Plant, begun: Begun
) -> None:
    plant(state=completed(), store="/mine.db", options={"retry": True}).show(**toy.document(TABLE))
    client.post("/offers/start", data={"mail": "", "store": " ", "profile": " /p.toml ", "other": "x"})
    assert begun() == {"mail": "/mail/of the settings", "profile": "/p.toml"}
    client.post("/offers/start", data={"mail": "", "store": "", "profile": ""})
    assert begun() == {"mail": "/mail/of the settings"}


TYPED = [
    ("/whole path.db", "/whole path.db"),
    ("~/x.db", str(Path.home() / "x.db")),
    ("airtable", "airtable"),
    ("sqlite:///x.db", "sqlite:///x.db"),
    ("x.db", 422),
    ("./x.db", 422),
    ("~nobody-of-that-name/x.db", 422),
    ("x" * 2001, 422),
]


@pytest.mark.parametrize(("typed", "taken"), TYPED, ids=[typed[:12] for typed, _ in TYPED])
def test_a_path_means_the_same_wherever_the_run_works(
    client: httpx.Client, begun: Begun, typed: str, taken: str | int
) -> None:
    answer = client.post("/api/v1/offers/start", json={"mail": "/mail", "store": typed})
    if isinstance(taken, int):
        assert (answer.status_code, begun()) == (taken, None)
        assert "store" in answer.text
    else:
        assert begun() == {"mail": "/mail", "store": taken}


def test_what_a_form_cannot_mean_is_said_on_a_page(client: httpx.Client, begun: Begun) -> None:
    for typed in ("mine.db", "x" * 2001):
        answer = client.post("/offers/start", data={"store": typed})
        assert (answer.status_code, begun()) == (422, None)
        assert "store" in words(answer.text)


def test_the_form_holds_what_the_run_of_the_table_had(console: httpx.Client) -> None:
    form = page(console, "/offers/start")
    for name, value in (("mail", "/mail/new"), ("store", "/new.db"), ("profile", "/profile.toml")):
        assert re.search(f'name="{name}" value="{value}"', form)


api = schemathesis.openapi.from_dict(create_app(Settings(), {}).openapi())


@api.include(path_regex="^/api/v1/offers").parametrize()
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_every_operation_does_what_it_says(client: httpx.Client, working: Planted, case: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy.Apart, "prefix", "working")
        # OpenAPI does not say which texts are whole paths.
        case.call_and_validate(
            base_url=str(client.base_url), excluded_checks=[positive_data_acceptance] if case.method == "POST" else []
        )
