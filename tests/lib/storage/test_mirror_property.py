"""Whatever machines do one after the other, and wherever they are killed, storage has whole files and loses none."""

import itertools
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.storage import Mirror, Remote, connect

NAMES = ("film", "folder/film", "folder/deep/é", ".regie/book", "projects/p/.regie-project.json")
EDITS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["write", "write", "delete"])), max_size=4)
WORK = st.tuples(st.integers(0, 1), EDITS, st.none() | st.integers(0, 6))
"""Which machine works, what it does, and after how many transfers it is killed, if it is."""


class KilledError(BaseException):
    """The process is gone."""


class Dying:
    """Storage as a process sees it that is killed at its n-th transfer; from then on nothing happens."""

    def __init__(self, remote: Remote, transfers: int | None) -> None:
        self._remote = remote
        self._left = itertools.count() if transfers is None else iter(range(transfers))
        self.url, self.deep, self.list = remote.url, remote.deep, remote.list

    def _live(self) -> None:
        if next(self._left, None) is None:
            raise KilledError

    def get(self, *given: Any) -> Any:
        self._live()
        return self._remote.get(*given)

    def put(self, *given: Any) -> Any:
        self._live()
        return self._remote.put(*given)

    def delete(self, names: list[str]) -> None:
        self._live()
        self._remote.delete(names)


@settings(max_examples=60)
@given(st.lists(WORK, max_size=6))
def test_storage_is_what_was_handed_over(works: list[tuple[int, list[tuple[str, str]], int | None]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        remote = connect(f"file://{place}/storage/work")
        tokens = itertools.count()
        for machine, edits, killed_after in works:
            before = content(remote)
            mirror = Mirror(Dying(remote, killed_after), Path(place, f"machine {machine}"))  # type: ignore[arg-type]
            wanted = dict(before)
            pulled = False
            try:
                with mirror.opened():
                    mirror.pull(lambda names: names)
                    assert files(mirror.folder) == before, "a machine sees what storage has"
                    pulled = True
                    for name, edit in edits:
                        wanted.pop(name, None)
                        if edit == "write":
                            wanted[name] = f"{next(tokens)}".encode()
                            write(mirror.folder / name, wanted[name])
                        else:
                            (mirror.folder / name).unlink(missing_ok=True)
                    mirror.push()
            except KilledError:
                after = content(remote)
                if not pulled:
                    assert after == before
                for name in before.keys() | wanted.keys() | after.keys():
                    assert after.get(name) in (before.get(name), wanted.get(name)), "the old file or the new one"
                removed = before.keys() - after.keys()
                unwritten = [name for name, text in wanted.items() if after.get(name) != text]
                assert not removed or not unwritten, "nothing goes before all that is new is there"
                promised = [n for n in after if ".regie" in n and after[n] != before.get(n)]
                kept = [name for name in unwritten if ".regie" not in name]
                assert not promised or not kept, "what says what is there comes after it"
            else:
                assert content(remote) == wanted
                assert files(mirror.folder) == wanted


def content(remote: Remote) -> dict[str, bytes]:
    return {name: remote.read(name) for name in remote.list()}


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def write(path: Path, text: bytes) -> None:
    """Replace a file as Régie does: by another one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(".1.regie-tmp")
    temporary.write_bytes(text)
    temporary.replace(path)
