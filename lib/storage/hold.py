"""A folder of storage held by one run at a time, without a server that knows of both.

A claim is an object of its own in `.regie/held/`: who claims writes one, then looks whether there is another. Storage
lists an object as soon as it is written (S3 does since 2020, and so do its likes), so of two at once at least one sees
the other, and withdraws; often both do. No clocks are compared: a holder's claim is alive as long as its beat, a second
object, changes while somebody watches it. One that does not for PATIENCE seconds is taken away, and its holder, should
it live after all, finds that out before its next beat.
"""

import contextlib
import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from lib.errors import InputError
from lib.storage.remote import Remote

FOLDER = ".regie/held"
CLAIM, BEAT = ".claim", ".beat"
BEAT_SECONDS = 10.0
PATIENCE_SECONDS = 35.0
"""Three beats and some: what fails in passing is tried again at the next."""

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def held(
    remote: Remote,
    owner: str,
    lost: Callable[[], object],
    *,
    beat: float = BEAT_SECONDS,
    patience: float = PATIENCE_SECONDS,
) -> Iterator[None]:
    """Hold a folder of storage for a run; InputError when another run holds it.

    `owner` is the id of the run: an earlier attempt at the same run is taken over from at once, for its process is
    known to be gone or asked to stop. Another run that went without a word is noticed within `patience` seconds; that
    one lives, within a beat. `lost` is called, once, in another thread, when the hold was taken away.
    """
    name = f"{FOLDER}/{owner}.{secrets.token_hex(4)}"
    about = {"run": owner, "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    remote.write(name + BEAT, b"0")
    remote.write(name + CLAIM, json.dumps(about).encode())
    done = threading.Event()
    beating = threading.Thread(target=_beat_on, args=(remote, name, done, lost, beat), daemon=True)
    beating.start()
    try:
        _require_alone(remote, name, owner, beat, patience)
        yield
    finally:
        done.set()
        beating.join(beat)
        with contextlib.suppress(InputError):
            remote.delete([name + CLAIM, name + BEAT])


def _require_alone(remote: Remote, name: str, owner: str, beat: float, patience: float) -> None:
    """Wait until every other claim is known to be dead and taken away; InputError when one is alive."""
    seen: dict[str, tuple[str, float]] = {}
    while others := _others(remote, name, owner):
        now = time.monotonic()
        for claim, version in others.items():
            first, since = seen.setdefault(claim, (version, now))
            if first != version:
                raise InputError(_refusal(remote, claim))
            if now - since >= patience:
                logger.warning("%s was held by a run that gave no sign for %.0f s: taken over", remote.url, patience)
                _remove(remote, [claim])
        time.sleep(beat / 4)


def _others(remote: Remote, name: str, owner: str) -> dict[str, str]:
    """Return the claims of other runs with the versions of their beats; take away this run's earlier ones."""
    objects = remote.list(FOLDER)
    claims = {key.removesuffix(CLAIM) for key in objects if key.endswith(CLAIM)} - {name}
    earlier = {claim for claim in claims if claim.startswith(f"{FOLDER}/{owner}.")}
    _remove(remote, earlier)
    return {
        claim: objects[claim + BEAT].version if claim + BEAT in objects else "" for claim in sorted(claims - earlier)
    }


def _remove(remote: Remote, claims: Iterable[str]) -> None:
    for claim in claims:
        remote.delete([claim + CLAIM, claim + BEAT])


def _refusal(remote: Remote, claim: str) -> str:
    try:
        about = json.loads(remote.read(claim + CLAIM))
        who = f"run {about['run']} on {about['host']} since {about['since']}"
    except (InputError, ValueError, KeyError, TypeError):
        who = "it has just begun or ended"
    return f"Another run works in {remote.url} ({who}). Wait for it to end, or give another output folder."


def _beat_on(remote: Remote, name: str, done: threading.Event, lost: Callable[[], object], beat: float) -> None:
    number = 0
    while not done.wait(beat):
        number += 1
        try:
            if name + CLAIM not in remote.list(FOLDER):
                if not done.is_set():
                    logger.error("%s was taken over by another run, which saw no sign of this one", remote.url)
                    lost()
                return
            remote.write(name + BEAT, str(number).encode())
        except Exception as error:  # noqa: BLE001  # whatever fails may do so in passing; who is late loses the hold
            logger.warning("The hold on %s could not be renewed: %s", remote.url, error)
