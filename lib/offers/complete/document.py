"""A page as a tree, and the text that a reader of it sees."""

import html
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from lib.offers.complete.texts import paragraphs

MOST = 4_000_000
"""Characters of a page that are looked at."""
MOST_SHOWN = 400_000
"""Characters of seen text that are gathered."""

_PARAGRAPHS = frozenset(
    {"article", "blockquote", "div", "dl", "fieldset", "form", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"ol", "p", "pre", "section", "table", "ul"}
)
_LINES = _PARAGRAPHS | frozenset(
    {"address", "aside", "body", "dd", "details", "dialog", "dt", "figcaption", "figure", "footer", "header", "hr"}
    | {"legend", "li", "main", "nav", "summary", "tbody", "td", "tfoot", "th", "thead", "title", "tr"}
)
_UNREAD = frozenset(
    {"script", "style", "template", "noscript", "head", "svg", "math", "iframe", "object", "canvas", "audio", "video"}
    | {"select", "textarea"}
)
_HIDDEN = frozenset({"hidden", "d-none", "is-hidden", "u-hidden", "display-none", "hide"})
_LINE, _PARAGRAPH, _POINT, _POINT_END = _MARKS = "\x00\x01\x02\x03"
"""What stands between texts until it is known what else does: no tree has these characters."""
_UNSHOWN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def parse(text: str) -> Any:
    """Return the tree of a page, whatever it is: a page that is none gives an empty tree."""
    # As bytes, since a page may declare another encoding than the text has been decoded from.
    content = text[:MOST].encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, recover=True)
    try:
        root = etree.fromstring(content, parser) if content.strip() else None
    except etree.LxmlError:
        root = None
    return etree.Element("html") if root is None else root


def shown(element: Any) -> str:
    """Return the text that a reader sees in an element, with lines and paragraphs; a `- ` goes before points of lists.

    Scripts, styles and what is hidden (by attribute, by style, or by one of the usual classes) are left out.
    """
    return paragraphs(re.sub(rf"[\s{_MARKS}]+", _space, "".join(_pieces(element))), MOST_SHOWN)


def fragment(text: str) -> str:
    """Return the plain text of a description that may be HTML, HTML with its signs escaped (even twice), or plain."""
    text = text[:MOST]
    for _ in range(2):
        if re.search(r"<[a-zA-Z/][^<>]*>", text) or not re.search(
            r"&(?:amp;)*(?:lt|#0*60|#x0*3c);", text, re.IGNORECASE
        ):
            break
        text = html.unescape(text)
    if not re.search(r"<[a-zA-Z/][^<>]*>", text):
        return paragraphs(html.unescape(text))
    if not re.search(r"<(?:p|br|li|div|h[1-6]|ul|ol|tr|section)\b", text, re.IGNORECASE):
        text = re.sub(r"\r?\n", "<br>", text)
    return paragraphs(shown(parse(f"<body>{text}")))


def texts(root: Any, path: str) -> Iterator[str]:
    """Give the text of the first ten elements that an XPath finds, as one line each, empty ones left out."""
    for element in root.xpath(path)[:10]:
        if found := " ".join(shown(element).split()):
            yield found


def _pieces(element: Any) -> Iterator[str]:
    depth = 0
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, each in walk:
        if event == "end":
            depth -= 1
            yield _POINT_END if each.tag == "li" else _break(each.tag)
            if depth and each.tail:
                yield _flowing(each.tail)
            continue
        depth += 1
        if (each.tag in _UNREAD or _is_hidden(each)) and each is not element:
            walk.skip_subtree()
            continue
        yield _break(each.tag)
        if each.tag == "br":
            yield "\n"
        elif each.tag == "li":
            yield _POINT
        if each.text:
            yield each.text if each.tag == "pre" else _flowing(each.text)


def _break(tag: object) -> str:
    return _PARAGRAPH if tag in _PARAGRAPHS else _LINE if tag in _LINES else ""


def _space(match: re.Match[str]) -> str:
    """Return what all that stands between two texts comes to."""
    between = match[0]
    if _POINT in between:
        return "\n- " if _POINT_END in between else "\n\n- "
    if _PARAGRAPH in between or between.count("\n") > 1:
        return "\n\n"
    return "\n" if set(between) & set(f"\n{_MARKS}") else " "


def _flowing(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _is_hidden(element: Any) -> bool:
    get = element.get
    return (
        get("hidden") is not None
        or get("aria-hidden") == "true"
        or (element.tag == "dialog" and get("open") is None)
        or bool(_UNSHOWN.search(get("style") or ""))
        or not _HIDDEN.isdisjoint((get("class") or "").split())
    )
