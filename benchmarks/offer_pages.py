"""How much of the pages of offers is read right: the share of their fields, per kind of page.

The pages are those of the tests (tests/lib/offers/complete/pages), written after the structure of what job sites serve,
with what must be read of each in cases.toml. A page that is no offer counts as one field: what it was taken for. Of an
offer count the fields that it has, those that it must not have, and each text that its description must hold or must
not hold.
"""

import argparse
import json
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from lib.offers.complete.completion import completed
from lib.offers.complete.judgement import Kind
from lib.offers.complete.reading import read_page
from lib.offers.offer import Offer

PAGES = Path(__file__).resolve().parents[1] / "tests" / "lib" / "offers" / "complete" / "pages"
TODAY = date(2026, 11, 21)
FIELDS = ("title", "company", "place", "contract", "salary", "remote", "published", "expires")


@dataclass(frozen=True)
class Case:
    """A page and what must be read of it."""

    name: str
    source: str
    """The kind of page: where its data are, or what stands in their place."""
    offer: Offer
    """As the e-mail has it."""
    url: str
    html: str
    kind: Kind
    fields: dict[str, Any]
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    rows = run()
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'page':<12}{'pages':>7}{'fields':>8}{'right':>7}{'share':>8}{'ms a page':>11}  wrong")
    for row in rows:
        print(
            f"{row['source']:<12}{row['pages']:>7}{row['fields']:>8}{row['right']:>7}{row['share']:>8.1%}"
            f"{row['milliseconds']:>11.1f}  {', '.join(row['wrong'])}"
        )


def run() -> list[dict[str, Any]]:
    """Return a row per kind of page, and one of all."""
    known = cases()
    _row("", known)  # what is imported at first counts for none
    sources = dict.fromkeys(case.source for case in known)
    return [
        *(_row(source, [case for case in known if case.source == source]) for source in sources),
        _row("all", known),
    ]


def cases() -> list[Case]:
    """Return the pages of the tests with what must be read of them."""
    told = tomllib.loads((PAGES / "cases.toml").read_text())
    return [
        Case(
            name=name,
            source=case["source"],
            offer=Offer(link=case["link"], key=case["key"], **case["mail"]),
            url=case.get("url", case["link"]),
            html=(PAGES / f"{name}.html").read_text(),
            kind=Kind(case["kind"]),
            fields=case.get("fields", {}),
            says=tuple(case.get("says", ())),
            never=tuple(case.get("never", ())),
        )
        for name, case in told.items()
    ]


def checks(case: Case) -> Iterator[tuple[str, bool]]:
    """Read a page, and say of each thing that must be read of it whether it was."""
    reading = read_page(case.html, case.url, case.offer, TODAY)
    yield f"{case.name}: {reading.verdict.kind}", reading.verdict.kind is case.kind
    if case.kind is not Kind.OFFER:
        return
    offer = completed(case.offer, reading)
    for field in FIELDS:
        found, wanted = getattr(offer, field), case.fields.get(field)
        yield f"{case.name}: {field} {found!s}", (found or None) == wanted
    for text in case.says:
        yield f"{case.name}: says {text!r}", text in offer.description
    for text in case.never:
        yield f"{case.name}: never {text!r}", text not in offer.description


def _row(source: str, known: list[Case]) -> dict[str, Any]:
    started = time.perf_counter()
    checked = [check for case in known for check in checks(case)]
    taken = time.perf_counter() - started
    right = sum(well for _, well in checked)
    return {
        "source": source,
        "pages": len(known),
        "fields": len(checked),
        "right": right,
        "share": right / len(checked),
        "milliseconds": 1000 * taken / len(known),
        "wrong": [what for what, well in checked if not well],
    }


if __name__ == "__main__":
    main()
