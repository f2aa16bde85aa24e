"""The processes that find faces: started, fed with chunks, listened to and ended."""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

import lib
from lib.errors import InputError, UnavailableError

AHEAD = 4
"""Chunks per process that may be done before one that comes before them: their files lie on the disk until then."""
ROOT = Path(next(iter(lib.__path__))).parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
QUIET = {"GLOG_minloglevel": "3", "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg"}


class WorkerDiedError(RuntimeError):
    """A process ended before its work did; the message says how."""


@dataclass(frozen=True)
class Advance:
    """Frames that were done since the last time."""

    frames: int


@dataclass(frozen=True)
class Done:
    """A chunk that is done, with all those before it."""

    index: int
    undecoded: int
    """Frames of it that could not be decoded."""


class Pool:
    """Processes for one job; leaving the block ends them, whatever they are doing."""

    def __init__(self, processes: int, job: dict[str, Any]) -> None:
        self._count = processes
        self._job = job
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()

    def run(self, chunks: Sequence[dict[str, Any]]) -> Iterator[Advance | Done]:
        """Have the chunks done; yield each as it is done, in their order, and frames in between.

        Raises InputError and UnavailableError as the processes did, WorkerDiedError when one ended by itself.
        """
        finished: dict[int, Done] = {}
        given = yielded = 0
        with selectors.DefaultSelector() as selector:
            for _ in range(min(self._count, len(chunks))):
                worker = _Worker(self._job)
                self._workers.append(worker)
                selector.register(worker.answers, selectors.EVENT_READ, worker)
            idle = list(self._workers)
            while yielded < len(chunks):
                while idle and given < min(len(chunks), yielded + AHEAD * self._count):
                    idle.pop(0).send(chunks[given] | {"index": given})
                    given += 1
                for key, _ in selector.select():
                    for answer in key.data.receive():
                        if answer["frames"]:
                            yield Advance(answer["frames"])
                        if "done" in answer:
                            finished[answer["done"]] = Done(answer["done"], answer["undecoded"])
                            idle.append(key.data)
                while yielded in finished:
                    yield finished.pop(yielded)
                    yielded += 1


class _Worker:
    """One process."""

    def __init__(self, job: dict[str, Any]) -> None:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            # -P: what happens to lie in the current folder is not imported.
            [sys.executable, "-P", "-m", "lib.video.tracking.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, **ONE_THREAD, **QUIET, "PYTHONPATH": path},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self.answers = self._process.stdin, self._process.stdout
        self._rest = b""
        self.send(job)

    def send(self, message: dict[str, Any]) -> None:
        """Give the process its job or a chunk."""
        rest = memoryview(orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE))
        try:
            while rest:
                rest = rest[self._input.write(rest) :]
        except BrokenPipeError:
            raise self._death() from None

    def receive(self) -> list[dict[str, Any]]:
        """Return what the process has said since."""
        data = os.read(self.answers.fileno(), 1 << 16)
        if not data:
            raise self._death()
        *lines, self._rest = (self._rest + data).split(b"\n")
        answers = [orjson.loads(line) for line in lines]
        for answer in answers:
            if "error" in answer:
                raise _raised(answer)
        return answers

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._input.close()
        self.answers.close()

    def _death(self) -> WorkerDiedError:
        try:
            code = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # it closed its answers, but lives: of no use any more
            self._process.kill()
            code = self._process.wait()
        how = f"with exit code {code}" if code >= 0 else f"by signal {signal.Signals(-code).name}"
        hint = (
            " Most often the machine ran out of memory: run again with fewer processes (`tracking.processes`)."
            if code == -signal.SIGKILL
            else ""
        )
        return WorkerDiedError(f"A process of tracking was ended {how} before its work was done.{hint}")


def _raised(answer: dict[str, Any]) -> Exception:
    """Return the error that a process met, as what it was there."""
    if answer["error"] == "system":
        return OSError(answer["errno"], answer["message"])
    kinds: dict[str, type[Exception]] = {"input": InputError, "unavailable": UnavailableError}
    return kinds.get(answer["error"], RuntimeError)(answer["message"])
