"""Where a result comes from: engine, version, options and content, and one fingerprint of them all."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter

HEAD_BYTES = 1 << 20
"""A result file's header is read from its first mebibyte at most: it is the first key of the file."""

_FIRST_KEY = re.compile(r'\s*\{\s*"provenance"\s*:\s*(?=\{)')


def relevant(options: BaseModel) -> dict[str, Any]:
    """Return the options that change a result: all but those marked `json_schema_extra={"affects_result": False}`."""
    kept = {}
    for name, info in type(options).model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and extra.get("affects_result") is False:
            continue
        kept[name] = options.model_dump(mode="json")[name]
    return kept


@dataclass(frozen=True)
class Provenance:
    """What made a result file; the value of its first key, `provenance`."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    phase: str
    engine: str
    engine_version: str
    reason: str
    """Why this engine, in words: the first of the chain, or what was wrong with those before it."""
    video_sha256: str
    options: Mapping[str, Any]
    """The options that change the result."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Fingerprints of the results that this one was made from, by phase."""
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())

    @property
    def fingerprint(self) -> str:
        """The identity of the result: equal when content, options, engine, version and inputs are equal."""
        identity = [
            self.phase, self.engine, self.engine_version, self.video_sha256, dict(self.options), dict(self.inputs),
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Return what is written to the file: every field and the fingerprint."""
        return asdict(self) | {"fingerprint": self.fingerprint}

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return the provenance of a result file from its first bytes; None when there is no file or it says nothing.

        The file is JSON whose first key is `provenance`; its length does not matter.
        """
        try:
            with path.open("rb") as stream:
                head = stream.read(HEAD_BYTES).decode("utf-8", "ignore")
        except OSError:
            return None
        start = _FIRST_KEY.match(head)
        if start is None:
            return None
        try:
            value, _ = json.JSONDecoder().raw_decode(head, start.end())
            value.pop("fingerprint", None)
            found = TypeAdapter(cls).validate_python(value)
            known = found.fingerprint
        except (ValueError, TypeError, RecursionError):
            return None
        # What cannot be written as JSON (half a character, a number beyond 64 bits) has no fingerprint.
        return found if known else None
