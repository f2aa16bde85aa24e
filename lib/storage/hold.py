"""A folder of storage held by one run at a time, without a server that knows of both.

A claim is an object of its own in `.regie/held/`: who claims writes one, then looks whether there is another. Storage
lists an object as soon as it is written (S3 does since 2020, and so do its likes), so of two at once at least one sees
the other, and withdraws; often both do. No clocks are compared: a holder's claim is alive as long as its beat, a second
object, changes while somebody watches it. One that does not for PATIENCE seconds is taken away, and its holder, should
it live after all, finds that out before its next beat, and its phases on other machines before they hand over anything.
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

Lost = Callable[[bool], object]
"""Is told that the hold was taken away, and whether by another attempt at the same run."""

logger = logging.getLogger(__name__)


class TakenOverError(InputError):
    """Another run holds the folder by now."""


@contextlib.contextmanager
def held(
    remote: Remote,
    owner: str,
    lost: Lost,
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
    remote.write(name + CLAIM, json.dumps(about).encode())
    remote.write(name + BEAT, b"0")
    done = threading.Event()
    beating = threading.Thread(target=_beat_on, args=(remote, name, owner, done, lost, beat), daemon=True)
    beating.start()
    try:
        _require_alone(remote, name, owner, beat, patience)
        yield
    finally:
        done.set()
        beating.join(beat)
        with contextlib.suppress(InputError):
            remote.delete([name + CLAIM, name + BEAT])


def require_not_taken_over(remote: Remote, owner: str) -> None:
    """Raise TakenOverError when another run holds a folder that `owner`, a run, held; one reading of storage.

    A folder that nobody holds will do: the process that held it may have been told to end, and the run go on elsewhere.
    """
    claims = _claims(remote.list(FOLDER))
    if claims and not any(_is_of(claim, owner) for claim in claims):
        raise TakenOverError(
            f"Another run took over {remote.url} ({_who(remote, min(claims))}): nothing more of this one is handed "
            "over. What was handed over is kept."
        )


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
    claims = _claims(objects) - {name}
    earlier = {claim for claim in claims if _is_of(claim, owner)}
    # A beat without a claim is one that was under way when its claim was taken away.
    beats = {key.removesuffix(BEAT) for key in objects if key.endswith(BEAT)} - {name}
    _remove(remote, earlier | (beats - claims))
    return {
        claim: objects[claim + BEAT].version if claim + BEAT in objects else "" for claim in sorted(claims - earlier)
    }


def _claims(objects: Iterable[str]) -> set[str]:
    return {name.removesuffix(CLAIM) for name in objects if name.endswith(CLAIM)}


def _is_of(claim: str, owner: str) -> bool:
    return claim.startswith(f"{FOLDER}/{owner}.")


def _remove(remote: Remote, claims: Iterable[str]) -> None:
    for claim in claims:
        remote.delete([claim + CLAIM, claim + BEAT])


def _refusal(remote: Remote, claim: str) -> str:
    who = _who(remote, claim)
    return f"Another run works in {remote.url} ({who}). Wait for it to end, or give another output folder."


def _who(remote: Remote, claim: str) -> str:
    try:
        about = json.loads(remote.read(claim + CLAIM))
        return f"run {about['run']} on {about['host']} since {about['since']}"
    except (InputError, ValueError, KeyError, TypeError):
        return "it has just begun or ended"


def _beat_on(remote: Remote, name: str, owner: str, done: threading.Event, lost: Lost, beat: float) -> None:
    number, claims = 0, set[str]()
    while not done.wait(beat):
        number += 1
        try:
            claims = _claims(remote.list(FOLDER))
            if name not in claims:
                break
            remote.write(name + BEAT, str(number).encode())
        except Exception as error:  # noqa: BLE001  # whatever fails may do so in passing; who is late loses the hold
            logger.warning("The hold on %s could not be renewed: %s", remote.url, error)
    if not done.is_set():
        logger.error("%s was taken over by another run, which saw no sign of this one", remote.url)
        lost(any(_is_of(claim, owner) for claim in claims))
