"""What a page says of itself for those who share it: Open Graph, other meta elements, its title and first heading."""

import re
from typing import Any
from urllib.parse import urlsplit

from lib.offers.complete.document import texts
from lib.offers.complete.job_posting import day
from lib.offers.complete.posting import Posting
from lib.offers.complete.texts import folded, line, paragraphs

# LinkedIn's titles: `Acme hiring Data Engineer in Lyon, France`, `Acme recrute pour des postes de … (Lyon, France)`.
_HIRING = (
    re.compile(r"(?P<company>.{1,120}?) hiring (?P<title>.{1,200}) in (?P<place>[^|]{1,120})"),
    re.compile(r"(?P<company>.{1,120}?) recrute pour des postes de (?P<title>.{1,200}) \((?P<place>[^|()]{1,120})\)"),
)
_PARTS = re.compile(r"\s+[|\-–—·•:]\s+")


def open_graph(root: Any, url: str) -> Posting:
    """Return what a page says in its meta elements; the description is a summary, as the site wrote it."""
    said = meta(root)
    title = _title(root, said, url)
    hiring = next((found for each in _HIRING if (found := each.fullmatch(title))), None)
    canonical = root.xpath("//link[translate(@rel, 'CANOIL', 'canoil') = 'canonical']/@href")
    return Posting(
        title=line(hiring["title"]) if hiring else title,
        company=line(hiring["company"]) if hiring else "",
        place=line(hiring["place"]) if hiring else "",
        published=day(said.get("article:published_time")),
        description=paragraphs(said.get("og:description") or said.get("description") or "", 5000),
        url=line(canonical[0] if canonical else said.get("og:url"), 2000),
    )


def meta(root: Any) -> dict[str, str]:
    """Return the meta elements of a page by their name, the first of each."""
    found: dict[str, str] = {}
    for each in root.xpath("//meta[@content]")[:500]:
        name = (each.get("property") or each.get("name") or "").strip().casefold()
        found.setdefault(name, each.get("content") or "")
    return found


def page_title(root: Any) -> str:
    """Return the title that a browser shows."""
    return line(next(iter(root.xpath("//title/text()")), ""))


def _title(root: Any, said: dict[str, str], url: str) -> str:
    """Return the title of the page without the site's name.

    Of `Title - Company - Place` no more is taken away, since titles have such parts too (`Data - Analytics Engineer`),
    unless the only main heading says where the title ends.
    """
    title = line(said.get("og:title")) or page_title(root)
    headings = list(texts(root, "//h1"))
    parts = _PARTS.split(title)
    site = {folded(said.get("og:site_name", "")), *_labels(url)} - {""}
    if len(parts) > 1 and any(folded(parts[-1]).startswith(name) for name in site):
        title = title[: title.rindex(parts[-1])].rstrip(" |-–—·•:")
    if len(headings) == 1 and (not title or folded(title).startswith(folded(headings[0]) or " ")):
        title = line(headings[0])
    return title


def _labels(url: str) -> set[str]:
    return {label for label in (urlsplit(url).hostname or "").split(".")[:-1] if len(label) > 3}
