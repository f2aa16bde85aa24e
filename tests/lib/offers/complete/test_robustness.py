"""Pages are read without fail, whatever became of them."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.offer_pages import TODAY, Case, cases
from lib.offers.complete.completion import completed
from lib.offers.complete.reading import read_page
from lib.offers.offer import Offer
from lib.offers.statuses import Status

PIECES = [
    *("<", ">", '"', "'", "&", "&lt;", "&#0;", "\x00", "\ud800", "\u202e", "<!--", "-->", "]]>", "{", "}", "[", "]"),
    *("<script type='application/ld+json'>", "</script>", '{"@type":"JobPosting"', '"@graph":', '"baseSalary":[[{}]],'),
    *(
        "<div itemscope itemtype='http://schema.org/JobPosting'>",
        "<i itemprop='title'>",
        "<title>",
        "<h1>",
        "<p hidden>",
    ),
    *(
        '"validThrough":"2020-01-01",',
        "9" * 400,
        "<svg><p>",
        "<template>",
        "<?xml version='1.0'?>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    ),
]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Case, str]:
    case = draw(st.sampled_from(cases()))
    html = case.html
    for _ in range(draw(st.integers(1, 8))):
        start = draw(st.integers(0, len(html)))
        end = start + draw(st.sampled_from([0, 0, 1, 7, 100, 2000]))
        html = html[:start] + draw(st.sampled_from(PIECES) | st.text(max_size=5)) + html[end:]
    return case, html


def is_sound(offer: Offer, before: Offer) -> bool:
    texts = (offer.title, offer.company, offer.place, offer.contract, offer.salary, offer.remote, offer.note)
    plain = all(each.isprintable() or each == "\n" for text in (*texts, offer.description) for each in text)
    short = all(len(text) <= 500 for text in texts) and len(offer.description) <= 50_000
    named = (offer.link, offer.key, offer.record) == (before.link, before.key, before.record)
    return plain and short and named and offer.status in {Status.TO_ANALYSE, Status.EXPIRED}


@given(mutated())
@settings(max_examples=150)
def test_a_page_of_a_site_that_was_damaged_is_read(found: tuple[Case, str]) -> None:
    case, html = found
    assert is_sound(completed(case.offer, read_page(html, case.url, case.offer, TODAY)), case.offer)


@given(st.text(), st.text(max_size=20), st.dates())
def test_any_text_is_read(html: str, title: str, today: date) -> None:
    offer = Offer(link="https://oven.example/jobs/77", key="Oven:77", title=title)
    read_page(html, "https://oven.example/", offer, today)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=60))
def test_any_mixture_is_read(pieces: list[str]) -> None:
    offer = Offer(link="https://oven.example/jobs/77", title="Baker")
    assert is_sound(completed(offer, read_page("".join(pieces), offer.link, offer, TODAY)), offer)
