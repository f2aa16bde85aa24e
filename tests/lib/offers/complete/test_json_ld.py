import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.complete.document import parse
from lib.offers.complete.json_ld import DEEPEST, is_a, job_postings, loaded

JOB = {"@context": "https://schema.org", "@type": "JobPosting", "title": "Baker"}


def page(*scripts: object) -> str:
    bodies = (script if isinstance(script, str) else json.dumps(script) for script in scripts)
    return "".join(f'<script type="application/ld+json">{body}</script>' for body in bodies)


def titles(html: str) -> list[object]:
    return [node.get("title") for node in job_postings(parse(html))]


@pytest.mark.parametrize(
    "said",
    [
        JOB,
        [JOB],
        {"@graph": [{"@type": "Organization"}, JOB]},
        {"@type": "WebPage", "mainEntity": JOB},
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": JOB}]},
        {**JOB, "@type": ["Thing", "JobPosting"]},
        {**JOB, "@type": "http://schema.org/JobPosting"},
        {**JOB, "@type": "https://schema.org/JobPosting"},
        {**JOB, "@type": "schema:JobPosting"},
    ],
    ids=str,
)
def test_a_job_posting_is_found_wherever_it_is(said: object) -> None:
    assert titles(page(said)) == ["Baker"]


@pytest.mark.parametrize(
    "script",
    [
        '{"@type": "JobPosting", "title": "Baker",}',
        '{"@type": ["JobPosting",], "title": "Baker"}',
        '{"@type": "JobPosting", "title": "Baker"};',
        '{"@type": "JobPosting", "title": "Baker"} {"@type": "Thing"}',
        '\ufeff {"@type": "JobPosting", "title": "Baker"}',
        '<!-- {"@type": "JobPosting", "title": "Baker"} -->',
        '//<![CDATA[\n{"@type": "JobPosting", "title": "Baker"}\n//]]>',
        '/* ours */ {"@type": "JobPosting", /* kind */ "title": "Baker" // name\n}',
        "{&quot;@type&quot;: &quot;JobPosting&quot;, &quot;title&quot;: &quot;Baker&quot;}",
        '{"@type": "JobPosting", "title": "Baker", "description": "one\ntwo\tthree"}',
        '{"@type": "JobPosting", "title": "Baker", "description": "l\\\'offre, a\\_b, c:\\\\"}',
        '{"@type": "JobPosting", "title": "Baker", "url": "https://a.example//b", "x": [1,],}',
    ],
)
def test_sloppy_json_is_mended(script: str) -> None:
    assert titles(page(script)) == ["Baker"]


def test_mending_changes_no_text() -> None:
    said = loaded('{"a": "https://x.example/*not a comment*/, ] // nor this", "b": "\\\\\\\'", "c": "\\u00e9\\n",}')
    assert said == {"a": "https://x.example/*not a comment*/, ] // nor this", "b": "\\'", "c": "é\n"}


def test_a_broken_script_does_not_hide_the_others() -> None:
    assert titles(page('{"@type": "Organization", "name": "The "best""}', "", JOB)) == ["Baker"]


def test_what_is_only_named_is_put_in() -> None:
    graph = [{**JOB, "hiringOrganization": {"@id": "#us"}}, {"@id": "#us", "@type": "Organization", "name": "Oven"}]
    (node,) = job_postings(parse(page({"@graph": graph})))
    assert node["hiringOrganization"]["name"] == "Oven"


def test_the_kind_of_the_script_may_be_written_in_any_way() -> None:
    html = f'<script TYPE="Application/LD+JSON; charset=utf-8">{json.dumps(JOB)}</script>'
    assert titles(html) == ["Baker"]


def test_other_scripts_and_other_kinds_are_left_alone() -> None:
    assert titles(f"<script>{json.dumps(JOB)}</script>" + page({**JOB, "@type": "NewsArticle"}, {"@type": 3})) == []


def test_microdata_counts_where_there_is_no_json_ld() -> None:
    html = """<div itemscope itemtype="https://schema.org/JobPosting"><h1 itemprop="title">Baker</h1>
    <p itemprop="hiringOrganization" itemscope itemtype="http://schema.org/Organization"><b itemprop="name">Oven</b></p>
    <time itemprop="datePosted" datetime="2026-11-01">yesterday</time>
    <i itemprop="skills">a</i><i itemprop="skills">b</i></div>"""
    (node,) = job_postings(parse(html))
    assert is_a(node, "JobPosting")
    assert node["title"] == "Baker"
    assert node["hiringOrganization"]["name"] == "Oven"
    assert node["datePosted"] == "2026-11-01"
    assert node["skills"] == ["a", "b"]
    assert titles(html + page({**JOB, "title": "Miller"})) == ["Miller"]


@pytest.mark.parametrize(
    "script",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"@type": "JobPosting", "title": ' + "9" * 5000 + "}",
        '"\\"' * 200_000,
        "/*" * 200_000,
        '{"a": "' + "\\" * 200_001,
        "," * 100_000 + " " * 100_000,
        "{&quot;" * 50_000,
    ],
    ids=["lists", "objects", "digits", "quotes", "comments", "backslashes", "commas", "entities"],
)
def test_hostile_json_is_nothing(script: str) -> None:
    assert titles(page(script)) == []


def test_what_lies_too_deep_is_not_looked_for() -> None:
    node: object = JOB
    for _ in range(DEEPEST + 1):
        node = {"inner": node}
    assert titles(page(node)) == []


@given(st.text())
def test_loading_never_fails(text: str) -> None:
    loaded(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=10,
    )
)
def test_what_is_right_is_loaded_as_it_is(value: object) -> None:
    text = json.dumps(value)
    assert repr(loaded(text)) == repr(json.loads(text))
