"""pyannote.audio 4: its own pipeline, on a waveform in memory, at full precision, with its telemetry off."""

import hashlib
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version as package_version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lib.errors import UnavailableError
from lib.progress import Progress
from lib.video.audio.options import AudioOptions, Secrets
from lib.video.audio.segments import Segment
from lib.video.audio.sound import RATE, Sound

TELEMETRY = "PYANNOTE_METRICS_ENABLED"
"""pyannote.audio reports every model, pipeline and file to its makers unless this variable says "false"."""
STEPS = ("segmentation", "embeddings")
"""The steps of the pipeline that take time, in their order."""


def version(options: AudioOptions) -> str:
    """Return the package's version, and what is in the files that the options name."""
    parts = [package_version("pyannote-audio")]
    local = _local(options.pyannote_model)
    if local is not None:
        parts.append(f"model {_digest(local)}")
    if options.pyannote_preset is not None:
        parts.append(f"preset {_digest(options.pyannote_preset)}")
    return ", ".join(parts)


def unavailable(options: AudioOptions, secrets: Secrets) -> str | None:
    """Say that the package, the model or the token is missing."""
    try:
        missing = find_spec("pyannote.audio") is None
    except ModuleNotFoundError:
        missing = True
    if missing:
        return "pyannote.audio is not installed: `regie sync audio --engine pyannote` adds it"
    if _local(options.pyannote_model) is None:
        if options.pyannote_model.startswith((".", "/", "~")):
            return "there is nothing at the path of its model: check `pyannote_model`"
        if not secrets.hf_token and not _downloaded(options.pyannote_model):
            return (
                f"no token: accept the conditions of {options.pyannote_model} on Hugging Face and set HF_TOKEN or "
                "fill in the block `huggingface`, or give the path of a model"
            )
    return None


def diarize(sound: Sound, options: AudioOptions, secrets: Secrets, progress: Progress) -> list[Segment]:
    """Run the pipeline; the whole waveform is in memory, 64 kB a second."""
    os.environ[TELEMETRY] = "false"  # before the import, which would set it to what the package's file says
    from lib.video.audio.engines.device import torch_device, torch_threads

    with _quiet(), torch_threads(options.threads):
        import torch

        device = torch.device(torch_device(options))
        pipeline = load(options, secrets, device)
        waveform = torch.empty(1, sound.samples)
        position = 0
        for block in sound.blocks():
            waveform[0, position : position + len(block)] = torch.from_numpy(block)
            position += len(block)
        waveform /= 32768
        output = pipeline(
            {"waveform": waveform, "sample_rate": RATE, "uri": "video"},
            num_speakers=options.num_speakers,
            min_speakers=options.min_speakers,
            max_speakers=options.max_speakers,
            hook=_hook(progress),
        )
    annotation = getattr(output, "speaker_diarization", output)
    return [
        Segment(float(turn.start), float(turn.end), str(speaker))
        for turn, _, speaker in annotation.itertracks(yield_label=True)
    ]


def load(options: AudioOptions, secrets: Secrets, device: Any) -> Any:
    """Return the pipeline on a device, with the preset's hyper-parameters where they fit.

    Raises UnavailableError when it cannot be had.
    """
    local = _local(options.pyannote_model)
    if local is None and secrets.hf_endpoint:
        ask_hub_at(secrets.hf_endpoint)
    from pyannote.audio import Pipeline

    from lib.video.audio.engines.pyannote_embeddings import embed_once

    try:
        pipeline = Pipeline.from_pretrained(local or options.pyannote_model, token=secrets.hf_token)
    except Exception as error:  # noqa: BLE001 (files, network, hub and networks fail in as many ways)
        raise UnavailableError(_without(f"its model cannot be loaded: {error}", secrets.hf_token)) from None
    if pipeline is None:
        raise UnavailableError("its model cannot be loaded: accept its conditions on Hugging Face and check the token")
    if options.pyannote_preset is not None:
        _preset(pipeline, options.pyannote_preset)
    for name in ("segmentation_batch_size", "embedding_batch_size"):
        if hasattr(pipeline, name):
            setattr(pipeline, name, options.pyannote_batch)
    pipeline.to(device)
    embed_once(pipeline)
    return pipeline


def ask_hub_at(endpoint: str) -> None:
    """Have Hugging Face's package send its token to this address; raises UnavailableError when it will not."""
    os.environ["HF_ENDPOINT"] = endpoint  # read once, when the package is imported
    from huggingface_hub import constants

    if endpoint != constants.ENDPOINT:
        raise UnavailableError(
            f"its token is for {endpoint}, and this process has asked {constants.ENDPOINT} before: run it in another"
        )


def _preset(pipeline: Any, path: Path) -> None:
    """Set hyper-parameters; when they do not fit the pipeline, it keeps its own."""
    import yaml  # a dependency of pyannote.audio

    own = pipeline.parameters(instantiated=True)
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        pipeline.instantiate(content["params"])
    except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError, AttributeError) as error:
        logging.getLogger(__name__).warning("the preset does not fit the pipeline, which keeps its own: %s", error)
        pipeline.instantiate(own or pipeline.default_parameters())


def _hook(progress: Progress) -> Any:
    """Return what the pipeline calls between batches."""

    def hook(step: str, _: Any, file: Any = None, total: int | None = None, completed: int | None = None) -> None:
        if step in STEPS and total and completed is not None:
            share = (STEPS.index(step) + min(1.0, completed / total)) / len(STEPS)
            progress(round(1000 * share), 1000, f"pyannote: {step}")

    return hook


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the package warns of in any case, as that torchcodec is missing, which only paths would need."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _local(model: str) -> Path | None:
    """Return the path of a model that is not an id."""
    path = Path(model).expanduser()
    return path if path.exists() else None


def _downloaded(model: str) -> bool:
    """Whether Hugging Face's cache has files of a model; whether they are enough shows when they are loaded."""
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    return (hub / f"models--{model.replace('/', '--')}" / "snapshots").is_dir()


def _digest(path: Path) -> str:
    """Return a short hash of a file, or of a folder: its small files by content, weights by name and size."""
    found = hashlib.sha256()
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    for each in files:
        size = each.stat().st_size if each.is_file() else -1
        found.update(f"{each.relative_to(path) if path.is_dir() else ''}\0{size}\0".encode(errors="surrogateescape"))
        if 0 <= size < 1 << 20:
            found.update(each.read_bytes())
    return found.hexdigest()[:12]


def _without(text: str, secret: str | None) -> str:
    return text.replace(secret, "***") if secret else text
