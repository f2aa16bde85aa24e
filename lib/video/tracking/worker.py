"""A process that finds the faces in parts of a video; started by `lib.video.tracking.pool` as a program of its own.

It reads JSON messages, one a line: first the job, then chunks. It answers with lines of JSON: frames that are done, a
chunk that is done, an error. The faces of a chunk go to a file, one line a frame. It ends with its input, so that it
never outlives the process that started it.
"""

import gc
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import orjson

from lib.errors import InputError, UnavailableError
from lib.video.tracking.faces import Face

REPORT_SECONDS = 0.05
COORDINATE_DECIMALS, SCORE_DECIMALS = 1, 4


def main() -> NoReturn:
    """Serve until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no answer
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(messages,), daemon=True).start()
    try:
        _serve(messages, answers)
    except Exception as error:  # noqa: BLE001 (whatever it is, the process that waits has to hear of it)
        _answer(answers, _told(error))
        threading.Event().wait()  # the end of the input ends this process
    os._exit(0)


def _told(error: Exception) -> dict[str, Any]:
    """Return an error as a message, from which `pool` makes an error of the same kind."""
    if isinstance(error, OSError) and error.errno:
        return {"error": "system", "errno": error.errno, "message": error.strerror}
    if isinstance(error, InputError):
        return {"error": "input", "message": str(error)}
    if isinstance(error, UnavailableError):
        return {"error": "unavailable", "message": str(error)}
    return {"error": "failure", "message": f"{type(error).__name__}: {error}"}


def _listen(messages: "queue.SimpleQueue[Any]") -> None:
    for line in sys.stdin.buffer:
        messages.put(orjson.loads(line))
    os._exit(0)


def _serve(messages: "queue.SimpleQueue[Any]", answers: BinaryIO) -> NoReturn:
    from lib.video.tracking.engines import registry
    from lib.video.tracking.frames import FrameReader
    from lib.video.tracking.options import TrackingOptions

    job = messages.get()
    options = TrackingOptions.model_validate(job["options"])
    engine = registry.load(job["engine"], options)
    gc.collect()
    gc.freeze()  # what was imported stays: the collections below have little to look at
    width, height = job["size"]
    scale = job["width"] / width
    with FrameReader(_path(job["video"]), width, height) as reader:
        while True:
            chunk = messages.get()
            restarts = set(chunk["restarts"])
            undecoded, told, unsaid = 0, time.monotonic(), 0
            with _path(chunk["output"]).open("wb") as output:
                pictures = reader.read(chunk["start"], chunk["stop"], chunk["timestamps"])
                for frame, picture in enumerate(pictures, start=chunk["start"]):
                    if frame in restarts:
                        engine.restart()
                    undecoded += picture is None
                    faces = () if picture is None else engine.faces(picture)
                    output.write(_line(faces, scale, options.landmarks))
                    unsaid += 1
                    if time.monotonic() - told > REPORT_SECONDS:
                        _answer(answers, {"frames": unsaid})
                        told, unsaid = time.monotonic(), 0
            gc.collect()  # packets and frames hold each other, and are too few for Python to collect them soon
            _answer(answers, {"frames": unsaid, "done": chunk["index"], "undecoded": undecoded})


def _path(hexadecimal: str) -> Path:
    return Path(os.fsdecode(bytes.fromhex(hexadecimal)))


def _line(faces: Sequence[Face], scale: float, landmarks: bool) -> bytes:
    """Return the faces of a frame, in pixels of the displayed picture."""
    found = [
        {
            "box": [round(edge * scale, 2) for edge in face.box],
            "confidence": round(face.confidence, SCORE_DECIMALS),
            "openness": round(face.openness, SCORE_DECIMALS),
            "landmarks": (face.landmarks * scale).round(COORDINATE_DECIMALS) + np.float32(0) if landmarks else [],
            "blendshapes": {name: round(score, SCORE_DECIMALS) for name, score in face.blendshapes.items()}
            if landmarks
            else {},
        }
        for face in faces
    ]
    return orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def _answer(answers: BinaryIO, message: dict[str, Any]) -> None:
    try:
        answers.write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
