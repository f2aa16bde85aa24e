"""Every `JobPosting` that a page states for machines, as JSON-LD or as microdata, however sloppily it is written."""

import html
import json
import re
from collections import deque
from collections.abc import Iterator
from typing import Any

from lib.offers.complete.document import shown

MOST_SCRIPTS, MOST_POSTINGS = 50, 100
MOST_CHARACTERS = 2_000_000
"""Of one script."""
DEEPEST, MOST_VALUES = 12, 50_000
"""How far, and how many values of a script, are looked at."""

Node = dict[str, Any]


def job_postings(root: Any) -> list[Node]:
    """Return the `JobPosting` objects of a page's JSON-LD, those of its microdata when there are none.

    Objects that are only named (`{"@id": "#company"}`) are put in from elsewhere on the page.
    """
    scripts = root.xpath("//script[contains(translate(@type, 'LDJSON', 'ldjson'), 'ld+json')]")[:MOST_SCRIPTS]
    nodes = [node for script in scripts for node in _nodes(loaded(script.text or ""))]
    named = {node["@id"]: node for node in reversed(nodes) if isinstance(node.get("@id"), str) and len(node) > 2}
    found = [_with_named(node, named) for node in nodes if is_a(node, "JobPosting")]
    return (found or list(_microdata(root)))[:MOST_POSTINGS]


def is_a(node: Node, kind: str) -> bool:
    """Say whether an object is of a kind of schema.org's, however the kind is written."""
    kinds = node.get("@type")
    return any(
        isinstance(each, str) and re.split(r"[/:#]", each.strip())[-1] == kind
        for each in (kinds if isinstance(kinds, list) else [kinds])
    )


def loaded(text: str) -> object:
    """Return what a script of JSON says, mending what sites get wrong; None when nothing can be made of it.

    Line breaks in strings, comments, CDATA, commas before a bracket, signs written as HTML entities, backslashes
    before signs that need none, and whatever follows the first value.
    """
    text = text[:MOST_CHARACTERS].strip("\ufeff \t\r\n;")
    text = re.sub(r"^(?:(?:\s|//|/\*|\*/)*(?:<!--|<!\[CDATA\[))+(?:\s*\*/)?", "", text)
    decoder = json.JSONDecoder(strict=False)
    for mend in (str, _mended, lambda sent: _mended(html.unescape(sent))):
        try:
            value: object = decoder.raw_decode(mend(text).lstrip())[0]
        except (ValueError, RecursionError):
            continue
        return value
    return None


def _mended(text: str) -> str:
    """Return JSON without comments and superfluous commas, strings with their backslashes right."""

    def mend(match: re.Match[str]) -> str:
        token = match[0]
        if token[0] == '"':
            return re.sub(r'(\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))|\\', r"\1", token)
        return ""

    # Every alternative matches to the end where its own end is missing: nothing is tried twice.
    tokens = r'"[^"\\]*(?:\\.?[^"\\]*)*(?:"|\Z)|/\*.*?(?:\*/|\Z)|//[^\n]*|,(?=\s*[\]}])'
    return re.sub(tokens, mend, text, flags=re.DOTALL)


def _nodes(value: object) -> Iterator[Node]:
    """Give every object in a value, the outer first."""
    queue, seen = deque([(value, 0)]), 0
    while queue and seen < MOST_VALUES:
        each, depth = queue.popleft()
        seen += 1
        if isinstance(each, dict):
            yield each
        if depth < DEEPEST and isinstance(each, dict | list):
            inner = each.values() if isinstance(each, dict) else each
            queue.extend((one, depth + 1) for one in inner if isinstance(one, dict | list))


def _with_named(node: Node, named: dict[str, Node]) -> Node:
    def put(value: object) -> object:
        if isinstance(value, list):
            return [put(each) for each in value[:MOST_SCRIPTS]]
        if isinstance(value, dict) and isinstance(value.get("@id"), str) and len(value) <= 2:
            return named.get(value["@id"], value)
        return value

    return {key: put(value) for key, value in node.items()}


def _microdata(root: Any) -> Iterator[Node]:
    """Give the `JobPosting` objects that attributes of the page's own elements state."""
    for element in root.xpath("//*[@itemscope][contains(@itemtype, 'JobPosting')]")[:MOST_POSTINGS]:
        yield _item(element, 0)


def _item(element: Any, depth: int) -> Node:
    node: Node = {"@type": (element.get("itemtype") or "").strip()}
    stack = list(reversed(element))
    looked = 0
    while stack and looked < MOST_VALUES:
        each = stack.pop()
        looked += 1
        nested = each.get("itemscope") is not None
        for name in (each.get("itemprop") or "").split():
            value = _item(each, depth + 1) if nested and depth < DEEPEST else _value(each)
            node[name] = value if name not in node else [*_listed(node[name]), value]
        if not nested and each.get("itemprop") is None:
            stack.extend(reversed(each))
    return node


def _value(element: Any) -> str:
    for attribute in ("content", "datetime", "href"):
        if (value := element.get(attribute)) is not None:
            return str(value)
    return shown(element).removeprefix("- ")


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
