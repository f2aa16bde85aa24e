import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lib.runs.page import cell
from lib.video.summary import results_markdown

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = [
    "a | b || c",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://example.org/x.png)",
    "# heading\n\n- list",
    "**bold** _it_ ~~no~~ `code`",
    "back\\slash \\| &amp; &lt;",
    "|---|\n| x | y |",
    "`` ` ``",
    "<!-- ",
    "https://example.org/?a=1&b=2",
    "mail@example.org",
]
TEXTS = st.sampled_from(HOSTILE) | st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("|`<>[]()*_\\\n#&;~!-=: "), max_size=60
)


def shown(token: Token) -> str:
    """The text of an inline token; None of it may be markup."""
    children = token.children or []
    assert {child.type for child in children} <= {"text", "text_special"}, [child.type for child in children]
    return "".join(child.content for child in children)


def rows(markdown: str) -> list[list[str]]:
    """The cells of every row of every table, as a reader sees them."""
    table: list[list[str]] = []
    for token, inside in zip(tokens := MARKDOWN.parse(markdown), [*tokens[1:], None], strict=True):
        if token.type == "tr_open":
            table.append([])
        elif token.type in {"td_open", "th_open"}:
            assert inside is not None
            table[-1].append(shown(inside))
    return table


def flat(text: str) -> str:
    return " ".join(text.split())


@given(text=TEXTS, other=TEXTS)
def test_hostile_text_is_shown_as_it_is_in_its_own_cell(text: str, other: str) -> None:
    markdown = f"| A | B |\n| --- | --- |\n| {cell(text)} | {cell(other)} |\n"
    assert rows(markdown)[1:] == [[flat(text), flat(other)]]


@given(text=TEXTS)
def test_a_cell_is_one_line(text: str) -> None:
    assert len(cell(text).splitlines()) <= 1


@given(subject=TEXTS, reason=TEXTS)
def test_a_summary_shows_what_it_was_given_and_no_more_markup(subject: str, reason: str) -> None:
    markdown = results_markdown([{"file": subject, "phase": "scenes", "reason": reason}], [])
    assert rows(markdown) == [
        ["File", "Phase", "Why"],
        [flat(subject), "scenes", flat(reason)],
    ]
    tokens = MARKDOWN.parse(markdown)
    headings = [shown(inside) for token, inside in itertools.pairwise(tokens) if token.type == "heading_open"]
    assert headings == ["Files that failed"]


def test_a_summary_names_the_reports_by_paths_that_can_be_copied() -> None:
    report = Path("/out_put [1]/my_project *1*/report.html")
    tokens = MARKDOWN.parse(results_markdown([], [report]))
    texts = ["".join(child.content for child in token.children or []) for token in tokens if token.type == "inline"]
    assert str(report) in texts


def test_a_run_without_failures_lists_none() -> None:
    markdown = results_markdown([], [])
    assert "failed" not in markdown
    assert "Reports" not in markdown
