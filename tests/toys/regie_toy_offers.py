"""The workflow of offers with items that are made up here, and tables as its runs show them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from lib.errors import InputError, UnavailableError
from lib.offers.plan import OFFERS
from lib.offers.statuses import Status, StatusNames
from lib.runs.plan import Phase, Workflow

COLUMNS = [{"status": status.value, "name": StatusNames().name(status)} for status in Status]
FOUND: dict[tuple[str, str], list[dict[str, Any]]] = {}
"""What a store holds, by source and status; a test fills it."""


class Apart(Workflow):
    """A workflow whose runs are a test's own, whatever other runs there are of its key."""

    prefix = "toy"
    """What its flows are called by; a test that wants runs of its own changes it."""

    def flow_name(self, phase: Phase | None = None) -> str:
        """Return Prefect's name of the orchestrator's flow, or of a phase's."""
        return f"{Apart.prefix}-{super().flow_name(phase)}"


TOY_OFFERS = Apart(
    **{**{field.name: getattr(OFFERS, field.name) for field in fields(Workflow)}, "items": "regie_toy_offers:items"}
)


def items(parameters: Mapping[str, Any], wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what a test made up; a store may also be away, wrong, or broken."""
    store = parameters.get("store")
    if store == "away":
        raise UnavailableError("The store does not answer. Is it up?")
    if store == "wrong":
        raise InputError("There is no such store.")
    if store == "broken":
        raise RuntimeError("secret=canary-7d2f")
    source, status = wanted["source"], wanted["status"]
    return [each for (of, has), found in FOUND.items() if of == (source or of) and has == status for each in found]


def item(title: str = "Data engineer", **fields: Any) -> dict[str, Any]:
    """Return an offer as a store gives it."""
    return {
        "title": title, "company": "Atelier Nord", "place": "Lyon", "score": 71.5,
        "reasons": "Skills: 8/10, names five of six\nPlace: 6/10, an hour away", "note": "",
        "link": "https://jobs.example/42", "status": "Analysée", "source": "LinkedIn", "published": "2026-03-01",
        **fields,
    }  # fmt: skip


def cells(**counts: int | tuple[int, int]) -> list[dict[str, int]]:
    """Return the cells of a row: counts by status, with what is pending where two are given."""
    pairs = [counts.get(status.value, 0) for status in Status]
    both = [pair if isinstance(pair, tuple) else (pair, 0) for pair in pairs]
    return [{"count": count, "pending": pending} for count, pending in both]


def document(rows: Mapping[str, Mapping[str, int | tuple[int, int]]], **fields: Any) -> dict[str, Any]:
    """Return a table as a run shows it: by source, the counts by status."""
    lines = []
    for source, counts in rows.items():
        made = cells(**counts)
        lines.append({"source": source, "cells": made, "total": sum(each["count"] for each in made)})
    totals = [
        {name: sum(line["cells"][place][name] for line in lines) for name in ("count", "pending")}
        for place in range(len(COLUMNS))
    ]
    whole = {"source": "", "cells": totals, "total": sum(each["count"] for each in totals)}
    return {
        "kind": "offers", "store": "SQLite offers.db", "mail": "mail", "columns": COLUMNS,
        "rows": lines, "totals": whole, "calls": {"reads": 12, "writes": 3}, **fields,
    }  # fmt: skip
