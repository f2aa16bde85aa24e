"""The pages as they come over the wire: complete without a script, in two languages, small, and safe."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from lib.console.pages import RUNS_ON_A_PAGE
from lib.console.rendering import STATIC, spark, static_version
from lib.runs.plan import Workflow

LIMIT = 50_000
"""Bytes of a page with its styles and scripts."""


class Seen(HTMLParser):
    """What a page shows without scripts: its words, its links, its forms."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._silent = 0
        self.feed(page)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._silent += tag in {"script", "template"}

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "template"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def seen(client: httpx.Client, path: str, status: int = 200, **headers: str) -> Seen:
    answer = client.get(path, headers={"accept": "text/html", **headers})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Seen(answer.text)


def test_the_first_page_is_the_list_of_runs(console: httpx.Client) -> None:
    answer = console.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")


def test_runs_are_listed_with_what_one_compares(console: httpx.Client, ended: dict[str, str]) -> None:
    page = seen(console, "/runs")
    assert page.all("a", href=f"/runs/{ended['completed']}")
    assert "Completed good box" in page.text
    assert "Partial b> box" in page.text
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", page.text)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("subject=nothing+like+this", set()),
        ("state=partial", {"partial"}),
        ("workflow=toy&state=", {"completed", "partial"}),
        ("workflow=&state=&subject=&since=", {"completed", "partial"}),
        ("since=2020-01-01", {"completed", "partial"}),
        ("since=2199-01-01", set()),
        ("workflow=none", set()),
        ("subject=%3Cb%3E", set()),
    ],
)
def test_runs_are_filtered_by_a_form(console: httpx.Client, ended: dict[str, str], asked: str, found: set[str]) -> None:
    page = seen(console, f"/runs?{asked}")
    assert {name for name, run_id in ended.items() if page.all("a", href=f"/runs/{run_id}")} == found
    assert page.all("form", action="/runs", method="get")
    assert ("No run matches" in page.text) is not bool(found)


def test_filters_stay_as_they_were_given(console: httpx.Client, ended: dict[str, str]) -> None:
    page = seen(console, "/runs?state=partial&subject=%22%3E%3Cscript%3E")
    assert page.all("option", value="partial", selected="")
    assert page.all("input", name="subject", value='"><script>')


def test_an_offset_past_the_end_leads_back(console: httpx.Client, ended: dict[str, str]) -> None:
    page = seen(console, "/runs?offset=15&workflow=toy")
    assert page.all("a", rel="prev", href="/runs?workflow=toy")


def test_what_is_wrong_with_a_request_is_a_page(console: httpx.Client) -> None:
    assert "since" in seen(console, "/runs?since=yesterday", 422).text


def test_a_run_shows_its_phases_as_nodes_and_one_in_detail(console: httpx.Client, ended: dict[str, str]) -> None:
    page = seen(console, f"/runs/{ended['partial']}")
    nodes = page.all("a", **{"class": "node"})
    assert [each["data-row"] for each in nodes] == [
        f"phase:{key}" for key in ("start", "left", "right", "join", "last")
    ]
    assert [each["data-row"] for each in nodes if "aria-current" in each] == ["phase:left"]
    assert "The toy is broken. Mend it." in page.text
    assert "of 5 phases done" in page.text or "of 4 phases done" in page.text or "of 3 phases done" in page.text
    other = seen(console, f"/runs/{ended['partial']}?phase=start")
    assert [each["data-row"] for each in other.all("a", **{"aria-current": "true"})] == ["phase:start"]


def test_a_run_leads_to_prefect_and_to_its_logs(console: httpx.Client, ended: dict[str, str]) -> None:
    run_id = ended["completed"]
    page = seen(console, f"/runs/{run_id}")
    assert [each for each in page.all("a") if each["href"].endswith(f"/runs/flow-run/{run_id}")]
    [download] = page.all("a", id="download")
    assert "The toy" in console.get(download["href"]).text or console.get(download["href"]).status_code == 200


def test_latest_is_a_run(console: httpx.Client, ended: dict[str, str]) -> None:
    assert seen(console, "/runs/latest").all("body", **{"data-run": ended["partial"]})


def test_only_what_makes_sense_is_offered(console: httpx.Client, ended: dict[str, str]) -> None:
    page = seen(console, f"/runs/{ended['completed']}")
    buttons = {
        each["aria-describedby"]: "aria-disabled" in each for each in page.all("button") if "aria-describedby" in each
    }
    assert buttons == {"why-cancel": True, "why-resume": True, "why-again": False, "why-some": False}
    assert "It completed: there is nothing to resume." in page.text


@pytest.mark.parametrize("path", ["/runs/nobody", "/runs/00000000-0000-4000-8000-000000000000", "/runs/%3Cb%3E"])
def test_what_is_no_run_is_a_page_that_leads_on(console: httpx.Client, path: str) -> None:
    page = seen(console, path, 404)
    assert "There is no such run" in page.text
    assert page.all("a", href="/runs")


def test_an_empty_list_says_what_to_do_next(serve: Any, deployed: None) -> None:
    from regie_toy_plan import TOY

    unused = Workflow("unused", "Unused", "m:f", TOY.phases)
    with serve({"unused": unused}) as url, httpx.Client(base_url=url) as client:
        page = seen(client, "/runs")
    assert "No run yet" in page.text
    assert "regie run unused …" in page.text


def test_the_system_page_has_gauges_versions_and_timings(console: httpx.Client, ended: dict[str, str]) -> None:
    page = seen(console, "/system")
    assert len(page.all("meter")) >= 6  # the page's own, and the widget's
    assert "Prefect 3." in page.text
    assert "GET /runs" in page.text
    assert "Durations of Toy" in page.text


@pytest.mark.parametrize(
    ("path", "headers", "word"),
    [
        ("/runs", {"accept-language": "fr-FR,fr;q=0.9,en;q=0.5"}, "Exécutions"),
        ("/runs", {"accept-language": "de"}, "Runs"),
        ("/runs?lang=fr", {"accept-language": "en"}, "Exécutions"),
        ("/runs", {"accept-language": "en", "cookie": "regie_language=fr"}, "Exécutions"),
        ("/runs?lang=en", {"cookie": "regie_language=fr"}, "Runs"),
        ("/runs?lang=<b>", {"cookie": "regie_language=<b>"}, "Runs"),
    ],
)
def test_the_language_is_the_readers(console: httpx.Client, path: str, headers: dict[str, str], word: str) -> None:
    page = seen(console, path, **headers)
    assert page.all("html", lang="fr" if word == "Exécutions" else "en")
    assert word in page.text


def test_a_language_that_was_chosen_is_remembered(console: httpx.Client) -> None:
    assert "regie_language=fr" in console.get("/runs?lang=fr").headers["set-cookie"]
    console.cookies.clear()
    answer = console.get("/runs?subject=a%26b")
    assert "set-cookie" not in answer.headers
    page = Seen(answer.text)
    assert page.all("a", href="?subject=a%26b&lang=fr", **{"class": "language"})


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("path", ["/runs", "/runs/latest", "/runs/latest/some", "/runs/latest/cancel", "/system"])
def test_a_page_is_small_with_all_that_it_loads(
    console: httpx.Client, ended: dict[str, str], path: str, language: str
) -> None:
    page = console.get(path, headers={"accept-language": language}).text
    loaded = {unescape(each): "" for each in re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page)}
    todo = list(loaded)
    while todo:
        address = todo.pop()
        loaded[address] = console.get(address).text
        for name in re.findall(r'from "\./([\w.]+)"', loaded[address]):
            other = f"{address.rpartition('/')[0]}/{name}"
            if other not in loaded:
                loaded[other] = ""
                todo.append(other)
    size = sum(len(text.encode()) for text in (page, *loaded.values()))
    assert len([each for each in loaded if each.endswith(".js")]) >= 5
    assert size < LIMIT, size


def test_the_longest_list_is_small(console: httpx.Client, ended: dict[str, str]) -> None:
    """A row, with a name of two hundred characters, as often as a page has rows."""
    page = console.get("/runs?workflow=none").text
    row = max(re.findall(r"<tr data-row.*?</tr>", console.get("/runs").text, flags=re.DOTALL), key=len)
    others = sum(
        len(console.get(f"/static/{static_version()}/{name}").content)
        for name in ("base.css", "table.css", "runs.js", "page.js", "live.js", "bind.js", "words.js")
    )
    assert len(page.encode()) + RUNS_ON_A_PAGE * (len(row.encode()) + 2 * 150) + others < LIMIT


def test_static_files_are_kept_by_their_version(console: httpx.Client) -> None:
    for path in STATIC.iterdir():
        answer = console.get(f"/static/{static_version()}/{path.name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert console.get("/static/other/base.css").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.js", "..%2fpages.py", "%2e%2e", "base.css%00", "", "../pages.py"])
def test_only_static_files_are_given(console: httpx.Client, name: str) -> None:
    assert console.get(f"/static/{static_version()}/{name}").status_code == 404


def test_pages_keep_to_their_content_security_policy(console: httpx.Client, ended: dict[str, str]) -> None:
    for path in ("/runs", "/runs/latest", "/system", "/runs/latest/some"):
        answer = console.get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        page = Seen(answer.text)
        for tag, attributes in page.tags:
            assert tag != "style"
            assert "style" not in attributes
            assert not [name for name in attributes if name.startswith("on")]
            if tag == "script":
                assert attributes.get("src", "").startswith("/static/") or attributes["type"] == "application/json"


def test_without_scripts_forms_act(console: httpx.Client, ended: dict[str, str]) -> None:
    """What they start waits, since nobody works here; so it can be cancelled and run again."""
    started = console.post(f"/runs/{ended['completed']}/again", data={"only": ["2", "3"]})
    assert started.status_code == 303
    address = started.headers["location"]
    page = seen(console, address)
    assert page.text.count("Skipped") >= 3
    ask = seen(console, f"{address}/cancel")
    [form] = ask.all("form", method="post")
    assert "Cancel this run?" in ask.text
    assert console.post(form["action"]).headers["location"] == address
    assert "Cancelled" in seen(console, address).text
    resumed = console.post(f"{address}/resume")
    assert resumed.headers["location"] == address
    assert "Pending" in seen(console, address).text
    console.post(f"{address}/cancel")


def test_what_cannot_be_done_is_refused_in_words(console: httpx.Client, ended: dict[str, str]) -> None:
    answer = console.post(f"/runs/{ended['completed']}/resume", headers={"accept": "text/html"})
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("text/html")
    assert "This cannot be done" in Seen(answer.text).text
    assert console.post(f"/runs/{ended['completed']}/again", data={"only": ["77"]}).status_code == 422


def test_no_other_form_is_asked_for(console: httpx.Client, ended: dict[str, str]) -> None:
    assert console.get(f"/runs/{ended['completed']}/delete").status_code == 404


def test_a_small_curve_lies_in_its_box() -> None:
    points = spark([3.0, 0.0, 6.0])
    assert [x for x, _ in points] == [0.0, 48.0, 96.0]
    assert all(0 <= y <= 24 for _, y in points)
    assert points[2][1] < points[0][1] < points[1][1]
    assert len(spark([1.0])) == 2
    assert spark([0.0, 0.0])
    assert len(spark([1.0] * 500)) == 40
