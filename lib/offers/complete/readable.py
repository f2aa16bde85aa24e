"""The readable text of a page that states nothing for machines."""

import copy
import logging
from typing import Any

from lxml import etree

from lib.offers.complete.document import shown
from lib.offers.complete.texts import TEXT, paragraphs, unpiled

MOST_NODES = 30_000
"""Elements of a page up to which its main text is told from the rest: the time for it grows with them."""
LITTLE = 200
"""Characters below which what was found is no description."""


def readable(root: Any, limit: int = TEXT) -> str:
    """Return the main text of a page, without what is around it (menus, other offers, notices of cookies)."""
    if sum(1 for _ in root.iter()) <= MOST_NODES and len(found := _extracted(root)) >= LITTLE:
        return paragraphs(found, limit)
    mains = sorted((shown(each) for each in root.xpath("//main | //article | //*[@role='main']")[:5]), key=len)
    return paragraphs(mains[-1] if mains and len(mains[-1]) >= LITTLE else shown(root), limit)


def _extracted(root: Any) -> str:
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it tells every page that it finds nothing in
    tree = copy.deepcopy(root)
    etree.strip_elements(tree, "script", "style", "template", "noscript", with_tail=False)
    try:
        html = unpiled(etree.tostring(tree, encoding="unicode", method="html"))
        found = trafilatura.extract(html, include_comments=False, favor_recall=True)
    except Exception:  # noqa: BLE001 - it is given what strangers wrote, and has no error of its own
        return ""
    return found or ""
