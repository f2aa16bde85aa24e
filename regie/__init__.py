"""Régie from Python: start runs, follow them, stop them, go on with them.

    import regie

    run = regie.start("video", source="rushes.zip", out="film")
    status = run.wait(progress=lambda status: print(status.progress))

It takes a server that is up: `regie up` on this machine, or the one that `server_url` or PREFECT_API_URL names. It
works in scripts and in notebooks. What cannot be done, and what to do about it, is said by an InputError.
"""

from lib.errors import InputError
from regie.handle import Run, RunEndedError, latest, run, start

__all__ = ["InputError", "Run", "RunEndedError", "latest", "run", "start"]
