"""Whatever the JSON looks like, reducing it gives what the json module gives."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import InputError
from lib.video.reduce import reading
from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reduce import reduce_results

KEYS = ("id", "centroid_x", "source", "label", "active_speakers", "bbox_width", "bbox_height")
space = st.text(" \t\n\r", max_size=3)


def spelt(text: str) -> st.SearchStrategy[str]:
    """A string as JSON text: each character as it is or escaped."""

    def ways(character: str) -> st.SearchStrategy[str]:
        escaped = json.dumps(character)[1:-1]
        long = "".join(f"\\u{ord(unit):04x}" for unit in utf16(character))
        plain = [] if character in '"\\' or ord(character) < 32 else [character]
        slash = ["\\/"] if character == "/" else []
        return st.sampled_from([escaped, long, *plain, *slash])

    return st.tuples(*map(ways, text)).map(lambda parts: '"' + "".join(parts) + '"')


def utf16(character: str) -> list[str]:
    data = character.encode("utf-16-be", "surrogatepass")
    return [chr(int.from_bytes(data[i : i + 2])) for i in range(0, len(data), 2)]


strings = st.one_of(
    st.text(max_size=6).flatmap(spelt),
    st.text('"\\[]{},:/ a\U0001f3ac', max_size=6).flatmap(spelt),
    st.just('"\\ud800"'),
)
numbers = st.one_of(
    st.integers(-(10**25), 10**25).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["-0", "0.0", "1E5", "1e+2", "-1.5e-300", "1e-400", "18446744073709551616", "9223372036854775808"]),
)
scalars = st.one_of(strings, numbers, st.sampled_from(["true", "false", "null"]))


@st.composite
def sequences(draw: st.DrawFn, items: st.SearchStrategy[str], ends: str = "[]", maximum: int = 4) -> str:
    parts = draw(st.lists(st.tuples(space, items, space).map("".join), max_size=maximum))
    return ends[0] + (",".join(parts) or draw(space)) + ends[1]


@st.composite
def pairs(draw: st.DrawFn, key: st.SearchStrategy[str], value: st.SearchStrategy[str]) -> str:
    return draw(key) + draw(space) + ":" + draw(space) + draw(value)


values = st.recursive(
    scalars, lambda inner: sequences(inner) | sequences(pairs(strings, inner), ends="{}"), max_leaves=8
)


@st.composite
def objects(draw: st.DrawFn, required: list[str], others: st.SearchStrategy[str]) -> str:
    """An object with some pairs that have to be there, anywhere among others; the last of equal keys wins."""
    members = draw(st.lists(others, max_size=4))
    for pair in required:
        members.insert(draw(st.integers(0, len(members))), pair)
    return "{" + ",".join(draw(space) + member + draw(space) for member in members) + "}"


@st.composite
def tracked(draw: st.DrawFn) -> str:
    key = st.sampled_from([*KEYS, "landmarks", "other"]).flatmap(spelt)
    return draw(objects([], pairs(key, values)))


@st.composite
def frames(draw: st.DrawFn) -> str:
    number = draw(pairs(spelt("frame"), st.integers(-5, 10**6).map(str)))
    items = draw(pairs(spelt("tracked_objects"), sequences(tracked())))
    return draw(objects([number, items], pairs(st.sampled_from(['"x"', '"tracked"']), values)))


@st.composite
def documents(draw: st.DrawFn) -> str:
    lists = draw(st.lists(pairs(spelt("frames_analysis"), sequences(frames())), min_size=1, max_size=2))
    others = pairs(st.sampled_from(['"engine"', '"segments"', '"frames"', '"reduced"']), values)
    return draw(space) + draw(objects(lists, others)) + draw(space)


def filtered(document: dict[str, Any]) -> dict[str, Any]:
    """What reducing means, in the plainest form."""
    lines = [
        {
            "frame": frame["frame"],
            "tracked_objects": [{k: item[k] for k in KEYS if k in item} for item in frame["tracked_objects"]],
        }
        for frame in document["frames_analysis"]
    ]
    return {k: v for k, v in document.items() if k != "frames_analysis"} | {"frames_analysis": lines}


@settings(max_examples=40, deadline=None)
@given(text=documents(), chunk=st.integers(1, 64), mark=st.booleans())
def test_any_document_of_the_shape_gives_what_the_json_module_gives(text: str, chunk: int, mark: bool) -> None:
    data = (b"\xef\xbb\xbf" if mark else b"") + text.encode()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "CHUNK_BYTES", chunk)
        path = Path(folder, "film_tracking.json")
        path.write_bytes(data)
        reduce_results(Path(folder, "film.mp4"), ReduceOptions())
        assert repr(json.loads(path.read_bytes())) == repr(filtered(json.loads(data)))
        again = path.stat()
        reduce_results(Path(folder, "film.mp4"), ReduceOptions())
        assert path.stat().st_mtime_ns == again.st_mtime_ns
        assert [entry.name for entry in Path(folder).iterdir()] == [path.name]


@settings(max_examples=40, deadline=None)
@given(text=documents(), data=st.data())
def test_a_document_that_is_cut_or_spoilt_is_refused_or_read_as_the_json_module_reads_it(
    text: str, data: st.DataObject
) -> None:
    raw = bytearray(text.encode())
    place = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        del raw[place:]
    else:
        raw[place] = data.draw(st.integers(0, 255))
    try:
        expected: Any = filtered(json.loads(str(raw, "utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError):
        expected = None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film_tracking.json")
        path.write_bytes(raw)
        try:
            reduce_results(Path(folder, "film.mp4"), ReduceOptions())
        except InputError:
            assert path.read_bytes() == raw
        else:
            assert repr(json.loads(path.read_bytes())) == repr(expected)
        assert [entry.name for entry in Path(folder).iterdir()] == [path.name]
