import pytest

from lib.offers.complete.document import parse
from lib.offers.complete.open_graph import open_graph
from lib.offers.complete.posting import Posting

URL = "https://www.oven.example/jobs/1"


def read(head: str, body: str = "") -> Posting:
    return open_graph(parse(f"<head>{head}</head><body>{body}</body>"), URL)


@pytest.mark.parametrize(
    ("title", "heading", "found"),
    [
        ("Baker | Oven", "", "Baker"),
        ("Baker - Oven.example", "", "Baker"),
        ("Baker – Night shift – Lyon", "", "Baker – Night shift – Lyon"),
        ("Baker – Night shift – Oven – Lyon", "Baker – Night shift", "Baker – Night shift"),
        ("Oven careers", "Baker", "Oven careers"),
        ("", "Baker", "Baker"),
        ("Baker", "", "Baker"),
        ("Oven", "", "Oven"),
    ],
)
def test_the_title_is_what_is_surely_not_the_site(title: str, heading: str, found: str) -> None:
    body = f"<h1>{heading}</h1>" if heading else ""
    assert read(f"<title>{title}</title>", body).title == found
    assert (
        read(f'<meta property="og:title" content="{title}"><title>Other</title>' if title else "", body).title == found
    )


@pytest.mark.parametrize(
    "title",
    [
        "Mill &amp; Oven hiring Senior Baker in Lyon, Auvergne-Rhône-Alpes, France | LinkedIn",
        "Mill &amp; Oven recrute pour des postes de Senior Baker (Lyon, Auvergne-Rhône-Alpes, France) | LinkedIn",
    ],
)
def test_the_titles_of_linkedin_say_who_and_where(title: str) -> None:
    found = open_graph(parse(f'<meta property="og:title" content="{title}">'), "https://fr.linkedin.com/jobs/view/1")
    assert found == Posting(title="Senior Baker", company="Mill & Oven", place="Lyon, Auvergne-Rhône-Alpes, France")


def test_meta_elements_say_the_rest() -> None:
    found = read(
        '<meta name="description" content="Short."><meta property="og:description" content="Longer &amp; better.">'
        '<meta property="article:published_time" content="2026-11-02T10:00:00Z"><link rel="canonical" href="/jobs/1">'
    )
    assert found.description == "Longer & better."
    assert str(found.published) == "2026-11-02"
    assert found.url == "/jobs/1"


def test_a_page_without_any_says_nothing() -> None:
    assert read("") == Posting()
