"""Pages of real sites, which lie beside the project and not in it."""

import gzip
import json
from pathlib import Path
from statistics import mean

import pytest

from benchmarks.offer_pages import TODAY
from lib.offers.complete.document import parse
from lib.offers.complete.judgement import Kind
from lib.offers.complete.readable import readable
from lib.offers.complete.reading import read_page
from lib.offers.complete.texts import folded
from lib.offers.offer import Offer

PAGES = Path(__file__).resolve().parents[5] / "shared" / "testdata" / "pages"
MANY = 20

pytestmark = pytest.mark.skipif(not PAGES.is_dir(), reason="the folder of real pages, ../shared/testdata, is not here")


def pages() -> list[tuple[str, dict[str, str]]]:
    told = json.loads((PAGES / "ground-truth.json").read_text())
    paths = sorted(PAGES.glob("html/*.gz"))[:MANY]
    return [(gzip.decompress(path.read_bytes()).decode(errors="replace"), told[path.name[:64]]) for path in paths]


def test_the_readable_text_of_real_pages_is_theirs() -> None:
    shares = []
    for html, told in pages():
        wanted, found = (set(folded(text).split()) for text in (told["articleBody"], readable(parse(html))))
        shares.append((len(wanted & found) / len(wanted), len(wanted & found) / len(found)))
    assert mean(share for share, _ in shares) > 0.97
    assert mean(share for _, share in shares) > 0.93


def test_no_real_page_is_taken_for_a_notice() -> None:
    kinds = set()
    for html, told in pages():
        url = told.get("url", "https://www.example.org/text")
        kinds.add(read_page(html, url, Offer(link=url), TODAY).verdict.kind)
    assert kinds == {Kind.OFFER}
