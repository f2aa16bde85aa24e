"""Running FFmpeg as a child that reports its progress and never outlives its caller."""

import contextlib
import functools
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import IO

from lib import child
from lib.errors import UnavailableError
from lib.progress import Progress

KEPT_LINES = 40
"""A damaged video can make FFmpeg complain once a block: the first lines and as many last ones are kept."""


class FFmpegError(Exception):
    """FFmpeg ended with an error; the message is the first line in which it said why, `lines` are those kept."""

    def __init__(self, returncode: int, lines: Sequence[str]) -> None:
        super().__init__(lines[0] if lines else f"FFmpeg ended with status {returncode}")
        self.returncode = returncode
        self.lines = tuple(lines)

    def says(self, *texts: str) -> bool:
        """Whether one of the texts is in what FFmpeg said."""
        return any(text in line for line in self.lines for text in texts)


@functools.cache
def binary() -> str:
    """Return the FFmpeg program that a wheel brought, or the one named by IMAGEIO_FFMPEG_EXE."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise UnavailableError(
            "FFmpeg is missing: install the extra `base` (package imageio-ffmpeg) or set IMAGEIO_FFMPEG_EXE."
        ) from error


def run(arguments: Sequence[str], total: int, progress: Progress) -> list[str]:
    """Run FFmpeg to its end and return the errors that it reported on the way (damaged blocks and the like).

    `progress` is called with the number of frames written, of `total`. Whatever it raises ends FFmpeg first. Raises
    FFmpegError when FFmpeg fails.
    """
    command = [binary(), "-hide_banner", "-nostdin", "-nostats", "-v", "error", "-progress", "pipe:1", *arguments]
    with _child(command) as process:
        assert process.stdout is not None and process.stderr is not None  # noqa: PT018 (for the type checker)
        complaints = _Complaints(process.stderr)
        for line in process.stdout:
            key, _, value = line.decode("ascii", "replace").strip().partition("=")
            if key == "frame" and value.isdigit():
                progress(min(int(value), total), total)
        returncode = process.wait()
        lines = complaints.lines()
    if returncode != 0:
        raise FFmpegError(returncode, lines)
    return lines


@contextlib.contextmanager
def _child(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program; it is gone when the block is left, however that happens."""
    # The program that ends with its parent, even one that is killed; without what an environment adds to every start.
    tied = [sys.executable, "-I", "-S", child.__file__, str(os.getpid()), *command]
    process = subprocess.Popen(tied, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


class _Complaints:
    """What a child writes to its standard error, read beside it so that it never waits for us; memory is bounded."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=KEPT_LINES)
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(ValueError):  # closed below us: the child was ended
            while line := stream.readline(4096):
                text = line.decode("utf-8", "replace").strip()
                if text:
                    (self._first if len(self._first) < KEPT_LINES else self._last).append(text)

    def lines(self) -> list[str]:
        self._thread.join()
        return [*self._first, *self._last]
