"""Detection: the frames of a video through the model, in windows, as a stream."""

import contextlib
import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from lib.progress import Progress, silent
from lib.video.scenes.frames import Window, film, windows
from lib.video.scenes.model import Model, device_of
from lib.video.scenes.options import SceneOptions
from lib.video.scenes.segmentation import Probabilities

MOST_WORKERS = 8
"""Beyond that the decoder is what takes the time."""


@dataclass(frozen=True)
class Detection:
    """What the model says of a video, frame by frame."""

    cuts: Probabilities
    """How likely each frame is the last one of its scene."""
    gradual: Probabilities
    """How likely each frame lies within a transition."""
    rate: Fraction
    """Frames per second."""
    precision: str
    notes: tuple[str, ...]


def detect(video: Path, options: SceneOptions, progress: Progress = silent) -> Detection:
    """Run the model over a video; progress counts frames.

    Memory grows by eight bytes a frame. Raises InputError when the video cannot be decoded, UnavailableError when the
    device or the weights are missing.
    """
    with film(video, options.decoder_threads) as source:
        workers = _workers(options)
        answers: list[Probabilities] = []
        done = 0
        cut_up = windows(source, options.window, options.stride, options.padding)
        with _threads_each(workers):
            model = Model(options)
            with contextlib.closing(_answers(model, cut_up, options.padding, workers)) as stream:
                for answer in stream:
                    answers.append(answer)
                    done += len(answer)
                    progress(done, max(done, source.expected))
        progress(done, done)
        notes = list(model.notes)
        if source.damaged:
            notes.append(f"{source.damaged} damaged packets of the video could not be decoded and were left out.")
        together = np.concatenate(answers)
        return Detection(together[:, 0], together[:, 1], source.rate, model.precision, tuple(notes))


def _answers(model: Model, cut_up: Iterable[tuple[Window, int]], begin: int, workers: int) -> Generator[Probabilities]:
    """Yield the answers in order; the next frames are decoded here while the workers compute."""
    waiting: deque[Future[Probabilities]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="scenes")
    try:
        for window, counts in cut_up:
            waiting.append(pool.submit(model, window, begin, counts))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _workers(options: SceneOptions) -> int:
    if device_of(options).type == "cuda":
        return 1
    return options.workers or min(_cores(), MOST_WORKERS)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def _threads_each(workers: int) -> Iterator[None]:
    """Divide the cores among the workers, rather than let each use them all.

    A window per core is faster than all cores on one window: nothing waits for anything.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, _cores() // workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)
