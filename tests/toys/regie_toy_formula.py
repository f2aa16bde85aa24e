"""The formulas of Airtable's that are used to filter, evaluated."""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class FormulaError(Exception):
    """It is no formula, or one that the toy does not know."""


class Formula:
    """A formula of Airtable's, of the few functions and comparisons that are used; told of a row, whether it holds."""

    _TOKEN = re.compile(
        r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\{(?P<field>[^{}]+)\}|(?P<number>\d+(?:\.\d+)?)"""
        r"""|(?P<word>[A-Za-z_]+)|(?P<sign><=|>=|!=|[=<>&(),]))""",
        re.DOTALL,
    )

    def __init__(self, formula: str, fields: Iterable[str]) -> None:
        self._fields = set(fields)
        self._tokens = deque(self._tokenized(formula))
        self._tree = self._comparison()
        if self._tokens:
            raise FormulaError("Invalid formula. Please check your formula text.")

    def __call__(self, row: Mapping[str, Any]) -> bool:
        return bool(self._value(self._tree, row))

    def _tokenized(self, formula: str) -> Iterator[tuple[str, str]]:
        position, end = 0, len(formula.rstrip())
        while position < end:
            found = self._TOKEN.match(formula, position)
            if not found or not found.lastgroup:
                raise FormulaError("Invalid formula. Please check your formula text.")
            yield found.lastgroup, found[found.lastgroup]
            position = found.end()

    def _comparison(self) -> Any:
        left = self._joined()
        if self._tokens and self._tokens[0][0] == "sign" and self._tokens[0][1] in {"=", "!=", "<", ">", "<=", ">="}:
            sign = self._tokens.popleft()[1]
            return (sign, left, self._joined())
        return left

    def _joined(self) -> Any:
        left = self._term()
        while self._tokens and self._tokens[0] == ("sign", "&"):
            self._tokens.popleft()
            left = ("&", left, self._term())
        return left

    def _term(self) -> Any:
        if not self._tokens:
            raise FormulaError("Invalid formula. Please check your formula text.")
        kind, value = self._tokens.popleft()
        if kind == "text":
            escapes = {"n": "\n", "r": "\r", "t": "\t"}
            return ("text", re.sub(r"\\(.)", lambda m: escapes.get(m[1], m[1]), value[1:-1], flags=re.DOTALL))
        if kind == "number":
            return ("text", float(value))
        if kind == "field":
            if value not in self._fields:
                raise FormulaError(f"Unknown field names: {value.lower()}")
            return ("field", value)
        if kind == "word" and self._tokens and self._tokens[0] == ("sign", "("):
            self._tokens.popleft()
            parts: list[Any] = []
            while not self._tokens or self._tokens[0] != ("sign", ")"):
                parts.append(self._comparison())
                if self._tokens and self._tokens[0] == ("sign", ","):
                    self._tokens.popleft()
            self._tokens.popleft()
            return (value.upper(), *parts)
        if (kind, value) == ("sign", "("):
            inner = self._comparison()
            if not self._tokens or self._tokens.popleft() != ("sign", ")"):
                raise FormulaError("Invalid formula. Please check your formula text.")
            return inner
        raise FormulaError("Invalid formula. Please check your formula text.")

    def _value(self, tree: Any, row: Mapping[str, Any]) -> Any:
        def text(part: Any) -> str:
            value = self._value(part, row)
            return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)

        match tree:
            case ("text", value):
                return value
            case ("field", name):
                return row.get(name)
            case ("AND", *parts):
                return all(self._value(part, row) for part in parts)
            case ("OR", *parts):
                return any(self._value(part, row) for part in parts)
            case ("NOT", part):
                return not self._value(part, row)
            case ("LOWER", part):
                return text(part).lower()
            case ("TRIM", part):
                return text(part).strip()
            case ("TRUE",):
                return True
            case ("FALSE",):
                return False
            case ("&", left, right):
                return text(left) + text(right)
            case ("=", left, right):
                return text(left) == text(right)
            case ("!=", left, right):
                return text(left) != text(right)
            case _:
                raise FormulaError(f"Unknown function: {tree[0]}")
