"""The board as people see it: a small document, and a table of Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lib.offers.analyse.analysis import Spent
from lib.offers.board import OfferBoard, Row
from lib.offers.mail.base import Doubt
from lib.offers.statuses import Status, StatusNames
from lib.offers.stores.base import Calls
from lib.runs.page import cell
from lib.runs.report import Item, ItemState, sum_counts

FAILURES_SHOWN = 50
"""So many are named; all are counted."""


def document(
    board: OfferBoard,
    names: StatusNames,
    calls: Calls,
    store: str,
    mail: str,
    items: Mapping[str, Sequence[Item]],
    spent: Spent | None = None,
    doubts: Sequence[Doubt] = (),
) -> dict[str, Any]:
    """Return the table, the calls to the store, and what came of the items of each phase: small, and JSON."""
    table = board.table()
    # What another thread adds to meanwhile is copied first.
    items = {phase: tuple(ended) for phase, ended in list(items.items())}
    failures = [
        {"phase": phase, "file": item.subject, "reason": item.reason}
        for phase, ended in items.items()
        for item in ended
        if item.state is ItemState.FAILED
    ]
    return {
        "kind": "offers",
        "store": store,
        "mail": mail,
        "columns": [{"status": status.value, "name": names.name(status)} for status in Status],
        "rows": [_row(row) for row in table.rows],
        "totals": _row(table.totals),
        "calls": {"reads": calls.reads, "writes": calls.writes},
        "spent": asdict(spent or Spent()),
        "figures": {phase: sum_counts(item.counts for item in ended) for phase, ended in items.items()},
        "failed": len(failures),
        "failures": failures[:FAILURES_SHOWN],
        "left_alone": [asdict(doubt) for doubt in doubts[:FAILURES_SHOWN]],
    }


def markdown(shown: Mapping[str, Any]) -> str:
    """Return the table of a document, and its calls, as Markdown."""
    used = [place for place, each in enumerate(shown["totals"]["cells"]) if each["count"]]
    heads = ["Source", *(cell(shown["columns"][place]["name"]) for place in used), "Total"]
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(used) + 1)}"]
    named = [*((row["source"] or "–", row) for row in shown["rows"]), ("Total", shown["totals"])]
    for name, row in named:
        figures = [str(row["cells"][place]["count"] or "") for place in used]
        lines.append(f"| {' | '.join([cell(name), *figures, str(row['total'])])} |")
    lines += ["", cell(used_in_words(shown))]
    lines += [f"- Left alone: {cell(each['name'])}: {cell(each['reason'])}" for each in shown["left_alone"]]
    lines += [f"- ✗ {cell(each['file'])}: {cell(each['reason'])}" for each in shown["failures"]]
    return "\n\n## Offers\n\n" + "\n".join(lines) + "\n"


def used_in_words(shown: Mapping[str, Any]) -> str:
    """Return what a run used: calls to the store, which one, and what a model was paid."""
    return "; ".join(filter(None, (calls_in_words(shown["calls"]), shown["store"], spent_in_words(shown["spent"]))))


def spent_in_words(spent: Mapping[str, Any]) -> str:
    """Return what a model used up: `12,300 tokens, 0.0184 by the prices of the settings`; empty when nothing."""
    words = [f"{spent['tokens']:,} tokens"] if spent["tokens"] else []
    if spent["cost"] is not None:
        words.append(f"{spent['cost']:.4f} by the prices of the settings")
    return ", ".join(words)


def calls_in_words(calls: Mapping[str, int]) -> str:
    """Return how often the store was asked: `36 calls to the store (12 to load, 24 to write)`."""
    total = calls["reads"] + calls["writes"]
    return f"{total} call{'s' * (total != 1)} to the store ({calls['reads']} to load, {calls['writes']} to write)"


def _row(row: Row) -> dict[str, Any]:
    cells = [{"count": each.count, "pending": each.pending} for each in row.cells]
    return {"source": row.source, "cells": cells, "total": row.total}
