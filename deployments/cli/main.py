"""The `regie` command with all of its commands."""

import signal
import sys

# Each of these adds its commands to `app`.
from deployments.cli import (  # noqa: F401
    blocks,
    cancel,
    catalogue,
    demo,
    deploy,
    doctor,
    history,
    images,
    logs,
    offers,
    resume,
    run_offers,
    run_video,
    runs,
    settings,
    status,
    sync,
    up,
    watch,
    worker,
)
from deployments.cli.app import FAILED, INTERRUPTED, app, say
from lib.errors import InputError, UnavailableError


def main() -> None:
    """Run the command line; errors that a person can act on are said without a traceback.

    To be told to end, and to lose the terminal, is the same as Ctrl-C.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # under nohup it is not
            signal.signal(number, signal.default_int_handler)
    try:
        app()
    except (InputError, UnavailableError) as error:
        say(str(error))
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
