import dataclasses
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from lib.video.provenance import HEAD_BYTES, Provenance, relevant

TEXTS = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OPTIONS = st.dictionaries(TEXTS, VALUES, max_size=3)
PROVENANCES = st.builds(
    Provenance, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, OPTIONS, st.dictionaries(TEXTS, TEXTS, max_size=2), TEXTS
)
MADE = Provenance("scenes", "transnet", "1.0", "the first of the chain", "ab" * 32, {"threshold": 0.5}, {"audio": "f"})
IDENTITY = {"phase", "engine", "engine_version", "video_sha256", "options", "inputs"}


def written(path: Path, provenance: dict[str, Any], **rest: Any) -> Path:
    path.write_bytes(orjson.dumps({"provenance": provenance, **rest}))
    return path


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: 1, 1.0 and true are not."""
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


@given(one=PROVENANCES, other=PROVENANCES, data=st.data())
def test_the_fingerprint_changes_exactly_with_its_parts(
    one: Provenance, other: Provenance, data: st.DataObject
) -> None:
    taken = data.draw(st.sets(st.sampled_from([field.name for field in dataclasses.fields(Provenance)])))
    changed = dataclasses.replace(one, **{name: getattr(other, name) for name in taken})
    alike = all(same(getattr(one, name), getattr(changed, name)) for name in IDENTITY)
    assert (one.fingerprint == changed.fingerprint) is alike


def test_each_part_of_the_identity_changes_the_fingerprint() -> None:
    others = dict.fromkeys(IDENTITY - {"options", "inputs"}, "other") | {
        "options": {"threshold": 0.6},
        "inputs": {"audio": "g"},
    }
    prints = {dataclasses.replace(MADE, **{name: value}).fingerprint for name, value in others.items()}
    assert len(prints | {MADE.fingerprint}) == len(IDENTITY) + 1
    assert dataclasses.replace(MADE, reason="other", created_at="later").fingerprint == MADE.fingerprint


def test_the_order_of_options_does_not_matter() -> None:
    one = dataclasses.replace(MADE, options={"a": 1, "b": {"c": 2, "d": 3}})
    other = dataclasses.replace(MADE, options={"b": {"d": 3, "c": 2}, "a": 1})
    assert one.fingerprint == other.fingerprint


@given(provenance=PROVENANCES)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, provenance: Provenance) -> None:
    path = written(tmp_path_factory.getbasetemp() / "result.json", provenance.as_dict(), frames=[1, 2])
    found = Provenance.read(path)
    assert found == provenance
    assert found is not None
    assert found.fingerprint == provenance.fingerprint


def test_a_result_written_with_indents_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("\n " + json.dumps({"provenance": MADE.as_dict(), "frames": []}, indent=2))
    assert Provenance.read(path) == MADE


def test_the_head_of_a_huge_file_is_enough(tmp_path: Path) -> None:
    path = written(tmp_path / "result.json", MADE.as_dict(), frames=[])
    with path.open("r+b") as stream:
        stream.seek(0, 2)
        stream.truncate(100 << 30)  # 100 GiB, sparse: reading it all would neither end nor fit
    assert Provenance.read(path) == MADE


def test_a_header_cut_in_the_middle_of_a_letter_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "result.json", MADE.as_dict(), frames="é" * HEAD_BYTES)
    assert Provenance.read(path) == MADE


def test_no_file_a_folder_and_an_empty_file_have_no_provenance(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path, tmp_path / "absent", tmp_path / "empty"):
        assert Provenance.read(path) is None


HEADER = MADE.as_dict()
DAMAGED = {
    "truncated": orjson.dumps({"provenance": HEADER})[:90],
    "not first": orjson.dumps({"frames": 3, "provenance": HEADER}),
    "null, and another object after it": orjson.dumps({"provenance": None, "video": HEADER}),
    "text, and another object after it": orjson.dumps({"provenance": "x", "video": HEADER}),
    "a list": orjson.dumps({"provenance": [HEADER]}),
    "a list outside": orjson.dumps([{"provenance": HEADER}]),
    "a key missing": orjson.dumps({"provenance": {k: v for k, v in HEADER.items() if k != "engine"}}),
    "a key too many": orjson.dumps({"provenance": HEADER | {"self": 1}}),
    "an engine that is a number": orjson.dumps({"provenance": HEADER | {"engine": 3}}),
    "a phase that is an object": orjson.dumps({"provenance": HEADER | {"phase": {}}}),
    "options that are a list": orjson.dumps({"provenance": HEADER | {"options": ["a"]}}),
    "options that are null": orjson.dumps({"provenance": HEADER | {"options": None}}),
    "inputs of another kind": orjson.dumps({"provenance": HEADER | {"inputs": {"audio": 3}}}),
    "a number without end": b'{"provenance": {"phase": ' + b"9" * 5000 + b"}}",
    "a number beyond 64 bits": json.dumps({"provenance": HEADER | {"options": {"n": 2**70}}}).encode(),
    "half a character": json.dumps({"provenance": HEADER | {"engine": "\ud800"}}).encode(),
    "too deep": b'{"provenance": {"phase": ' + b"[" * 200_000 + b"]" * 200_000 + b"}}",
    "longer than a header may be": orjson.dumps({"provenance": HEADER | {"reason": "x" * HEAD_BYTES}}),
    "not UTF-8": b"\xff\xfe{\x00",
    "zeros": bytes(4096),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_or_hostile_header_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(content)
    assert Provenance.read(path) is None


@given(cut=st.integers(0, 2000), garbage=st.binary(max_size=40), data=st.data())
def test_whatever_lies_there_is_a_provenance_or_none(
    tmp_path_factory: pytest.TempPathFactory, cut: int, garbage: bytes, data: st.DataObject
) -> None:
    whole = bytearray(orjson.dumps({"provenance": HEADER, "frames": [1]}))
    at = data.draw(st.integers(0, len(whole)))
    whole[at : at + len(garbage)] = garbage
    path = tmp_path_factory.getbasetemp() / "garbled.json"
    path.write_bytes(bytes(whole[:cut]))
    found = Provenance.read(path)
    if found is not None:
        assert isinstance(found, Provenance)
        assert len(found.fingerprint) == 64


class Options(BaseModel):
    threshold: float = 0.5
    folder: Path = Path("models")
    workers: int = Field(default=2, json_schema_extra={"affects_result": False})


def test_options_that_do_not_change_the_result_are_left_out() -> None:
    assert relevant(Options()) == {"threshold": 0.5, "folder": "models"}
    assert relevant(Options(workers=8)) == relevant(Options())
    assert relevant(Options(threshold=0.6)) != relevant(Options())
