"""Whether a base in Airtable is made as the settings say, and what to do where it is not."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from lib.offers.statuses import Status
from lib.offers.stores.options import AirtableOptions, StoreOptions

LINE, LONG = "singleLineText", "multilineText"
TEXTS = (LINE, LONG, "richText", "singleSelect", "url")
TYPES: Mapping[str, Sequence[str]] = {
    # Airtable finds rows again (upserts) by fields of few types, and an URL is none of them.
    "link": (LINE, LONG),
    "description": (LONG, LINE, "richText"),
    "reasons": (LONG, LINE, "richText"),
    "note": (LONG, LINE, "richText"),
    "published": ("date", "dateTime", LINE),
    "expires": ("date", "dateTime", LINE),
    "seen": ("dateTime", "date", LINE),
    "status": ("singleSelect", LINE),
    "score": ("number", LINE),
}
"""Types that a field may have, the best first; of others TEXTS."""
NAMES = {
    LINE: "Single line text", LONG: "Long text", "singleSelect": "Single select", "number": "Number", "date": "Date",
    "dateTime": "Date with a time",
}  # fmt: skip
"""What the types that are asked for are called in Airtable."""


def schema_problems(answer: Any, options: StoreOptions) -> list[str]:
    """Compare Airtable's description of a base with the settings; say what differs, and what to do."""
    names = options.airtable
    tables = _named(answer, "tables")
    table = next((each for each in tables.values() if names.table in {each.get("id"), each["name"]}), None)
    if table is None:
        return [
            f"The base {names.base} has no table “{names.table}”{_perhaps(names.table, tables)}: rename one, or set "
            "offers.store.airtable.table."
        ]
    fields = _named(table, "fields")
    found = [_field_problem(column, name, fields, names) for column, name in names.fields.model_dump().items()]
    status = fields.get(names.fields.status, {})
    if status.get("type") == "singleSelect":
        found += _option_problems(status, options)
    return [problem for problem in found if problem]


def _field_problem(column: str, name: str, fields: Mapping[str, Mapping[str, Any]], names: AirtableOptions) -> str:
    types = TYPES.get(column, TEXTS)
    if name not in fields:
        return (
            f"The table “{names.table}” has no field “{name}”{_perhaps(name, fields)}: add it as {NAMES[types[0]]}, or "
            f"set offers.store.airtable.fields.{column}."
        )
    kind = str(fields[name].get("type"))[:50]
    if kind not in types:
        return f"The field “{name}” is of the type {NAMES.get(kind, kind)}: make it {NAMES[types[0]]}."
    return ""


def _option_problems(field: Mapping[str, Any], options: StoreOptions) -> list[str]:
    choices = _named(field.get("options"), "choices")
    name = options.airtable.fields.status
    return [
        f"The field “{name}” has no option “{wanted}”{_perhaps(wanted, choices)}: add it, or set "
        f"offers.store.statuses.{status}. (Otherwise it is added when it is first written, if the token's owner may.)"
        for status in Status
        # OTHER stands for options of the user's own.
        if status is not Status.OTHER and (wanted := options.statuses.name(status)) not in choices
    ]


def _named(holder: Any, part: str) -> dict[str, Mapping[str, Any]]:
    """Return the objects of a list in Airtable's answer by their names."""
    entries = holder.get(part) if isinstance(holder, dict) else None
    entries = entries if isinstance(entries, list) else []
    return {each["name"]: each for each in entries if isinstance(each, dict) and isinstance(each.get("name"), str)}


def _perhaps(wanted: str, names: Iterable[str]) -> str:
    folded = {name.casefold(): name for name in names}
    near = get_close_matches(wanted.casefold(), folded, n=1, cutoff=0.8)
    return f" (it has “{folded[near[0]][:100]}”)" if near else ""
