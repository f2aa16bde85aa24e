"""One folder of storage that fsspec can open, and what goes wrong there in words."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from lib.errors import InputError
from lib.files import TEMPORARY_SUFFIX, is_temporary, remove
from lib.storage.address import below, checked, protocol_of
from lib.storage.trouble import scrubbed, why

OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"})
"""Storage where an object is there when all of it is; elsewhere it is written beside its place and moved there."""
S3 = frozenset({"s3", "s3a"})
S3_OPTIONS: Mapping[str, Any] = {
    # Botocore's, for what fails in passing, in seconds; s3fs itself tries five times more when an answer does not end.
    "config_kwargs": {"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 2, "mode": "standard"}},
    "max_concurrency": 2,
}
PART_BYTES = 16 << 20
"""Size of the parts that a large object is uploaded in; some of them are in memory at once."""
TIME = "regie-mtime-ns"
"""Metadata of an object: when the file that it was made of had changed last, so that a copy has the same time."""
TRIES = 5
"""How often an object is fetched that is replaced again and again meanwhile."""

Moved = Callable[[int], None]
"""Is told the bytes that were just moved; what it raises ends the transfer."""


@dataclass(frozen=True)
class Object:
    """An object as it is at present."""

    version: str
    """Is another one whenever the content is."""
    size: int
    mtime_ns: int
    """When it had changed last, as far as the storage says; 0 when it does not."""


def connect(url: str, options: Mapping[str, Any] | None = None, *, deep: bool = True) -> "Remote":
    """Return the folder at a URL; `options` are fsspec's storage options: credentials, endpoint.

    Not `deep`, it is a folder whose own folders are passed over.
    InputError when the URL is none that a run can be given, or what its storage needs is not installed.
    """
    import fsspec

    url = checked(url)
    protocol = protocol_of(url)
    given: dict[str, Any] = {"use_listings_cache": False, **(options or {})}
    if protocol in S3:
        given = {**S3_OPTIONS, **given}
        given["config_kwargs"] = {**S3_OPTIONS["config_kwargs"], **given["config_kwargs"]}
    if protocol == "file":
        given = {"auto_mkdir": True}
    try:
        system, path = fsspec.core.url_to_fs(url, **given)
    except (ImportError, ValueError) as error:
        reason = why(error, url, options or {}) or scrubbed(str(error), options or {})
        raise InputError(f"{url} could not be opened: {reason}") from error
    kind = _S3 if protocol in S3 else _Files if protocol == "file" else Remote
    return kind(url, system, str(path), options or {}, deep=deep)


class Remote:
    """A folder of storage; names in it have slashes between their parts. What fails is an InputError in words."""

    def __init__(self, url: str, system: Any, path: str, options: Mapping[str, Any], *, deep: bool = True) -> None:
        self.url = url
        self.deep = deep
        self._fs = system
        self._path = path.rstrip("/")
        self._options = options
        self._whole = protocol_of(url) in OBJECT_STORES

    def is_file(self) -> bool:
        """Whether the URL is an object's own, and no folder's."""
        with self._explained("looked at"):
            return bool(self._fs.isfile(self._path))

    def list(self, folder: str = "") -> dict[str, Object]:
        """Return every object below the URL, or below one folder there; none when there is no such folder."""
        with self._explained("listed"):
            self._fs.invalidate_cache()
            try:
                place = self._at(folder) if folder else self._path
                found = self._fs.find(place, maxdepth=None if self.deep else 1, detail=True)
            except FileNotFoundError:
                self._require_bucket()
                return {}
        start = f"{self._path}/"
        return {
            name.removeprefix(start): self._object(info)
            for name, info in found.items()
            if name.startswith(start) and not info.get("islink")
        }

    def get(self, name: str, target: Path, expected: Object, moved: Moved) -> Object:
        """Fetch an object to the path `target`, with its time; return what it is, which may be newer than expected."""
        with self._explained("fetched", name):
            before = expected
            for _ in range(TRIES):
                self._fs.get_file(self._at(name), str(target), callback=_callback(moved))
                there = self._facts(name)
                if there.version == before.version and there.size == target.stat().st_size:
                    if there.mtime_ns:
                        os.utime(target, ns=(there.mtime_ns, there.mtime_ns))
                    return there
                before = there  # it was replaced meanwhile: what was fetched may have parts of both
            raise InputError(f"{below(self.url, name)} changes while it is fetched. Run again when it is at rest.")

    def put(self, name: str, source: Path, moved: Moved) -> Object:
        """Write a file as an object, all of it or nothing."""
        with self._explained("written", name):
            mtime_ns = source.stat().st_mtime_ns
            target = self._at(name)
            if self._whole:
                self._fs.put_file(str(source), target, callback=_callback(moved), **self._with_time(mtime_ns))
            else:
                beside = f"{target.rpartition('/')[0]}/.{secrets.token_hex(6)}{TEMPORARY_SUFFIX}"
                try:
                    self._fs.put_file(str(source), beside, callback=_callback(moved))
                    self._set_time(beside, mtime_ns)
                    self._move(beside, target)
                except BaseException:
                    with contextlib.suppress(Exception):
                        self._fs.rm_file(beside)
                    raise
            return self._facts(name)

    def sweep(self) -> None:
        """Remove what was being written beside its place by who was killed; only who holds the folder calls it."""
        if not self._whole:
            self.delete([name for name in self.list() if any(is_temporary(Path(part)) for part in name.split("/"))])

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; one that is not there is none to remove."""
        for name in names:
            with self._explained("deleted", name), contextlib.suppress(FileNotFoundError):
                self._remove(self._at(name))

    def read(self, name: str) -> bytes:
        """Return the content of a small object."""
        with self._explained("read", name):
            return cast(bytes, self._fs.cat_file(self._at(name)))

    def write(self, name: str, content: bytes) -> None:
        """Write a small object."""
        with self._explained("written", name):
            self._fs.pipe_file(self._at(name), content)

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}"

    def _object(self, info: Mapping[str, Any]) -> Object:
        changed = next((info[key] for key in ("LastModified", "mtime", "last_modified", "created") if info.get(key)), 0)
        seconds = changed.timestamp() if isinstance(changed, datetime) else float(changed)
        version = info.get("ETag") or info.get("etag") or f"{seconds!r}-{info['size']}"
        return Object(str(version), int(info["size"]), int(seconds * 1e9))

    def _facts(self, name: str) -> Object:
        """Return what an object is, its own time included."""
        return self._object(self._fs.info(self._at(name)))

    def _with_time(self, _mtime_ns: int) -> dict[str, Any]:
        """Return what makes storage remember the time of a file, where that is known."""
        return {}

    def _set_time(self, path: str, mtime_ns: int) -> None:
        """Set the time of a file, where that is known."""

    def _move(self, path: str, target: str) -> None:
        self._fs.mv(path, target)

    def _remove(self, path: str) -> None:
        self._fs.rm_file(path)

    def _require_bucket(self) -> None:
        """Raise FileNotFoundError when a folder cannot even be made."""

    @contextlib.contextmanager
    def _explained(self, done: str, name: str = "") -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            reason = why(error, self.url, self._options)
            if reason is None:
                raise
            raise InputError(f"{below(self.url, name)} could not be {done}: {reason}") from error


class _S3(Remote):
    """A folder of a bucket."""

    def _facts(self, name: str) -> Object:
        bucket, key, _ = self._fs.split_path(self._at(name))
        head = self._fs.call_s3("head_object", Bucket=bucket, Key=key)
        told = head.get("Metadata", {}).get(TIME, "")
        own = int(told) if told.isascii() and told.isdigit() and len(told) < 20 else 0
        return Object(head["ETag"], head["ContentLength"], own or int(head["LastModified"].timestamp() * 1e9))

    def _with_time(self, mtime_ns: int) -> dict[str, Any]:
        return {"Metadata": {TIME: str(mtime_ns)}, "chunksize": PART_BYTES}

    def _require_bucket(self) -> None:
        self._fs.call_s3("head_bucket", Bucket=self._fs.split_path(self._path)[0])


class _Files(Remote):
    """A folder of a disk, as storage."""

    def _object(self, info: Mapping[str, Any]) -> Object:
        facts = Path(info["name"]).stat()
        return Object(f"{facts.st_mtime_ns}-{facts.st_size}-{facts.st_ino}", facts.st_size, facts.st_mtime_ns)

    def _set_time(self, path: str, mtime_ns: int) -> None:
        os.utime(path, ns=(mtime_ns, mtime_ns))

    def _move(self, path: str, target: str) -> None:
        Path(path).replace(target)

    def _remove(self, path: str) -> None:
        remove(Path(path), Path(self._path))


def _callback(moved: Moved) -> Any:
    from fsspec.callbacks import Callback

    class Told(Callback):  # type: ignore[misc]  # fsspec has no types
        def relative_update(self, inc: int = 1) -> None:
            moved(inc)

    return Told()
