"""The `regie` command with all of its commands."""

import sys

# Each of these adds its commands to `app`.
from deployments.cli import demo, doctor, run_video, settings, sync, up  # noqa: F401
from deployments.cli.app import FAILED, INTERRUPTED, app, say
from lib.errors import InputError


def main() -> None:
    """Run the command line; errors that a person can act on are said without a traceback."""
    try:
        app()
    except InputError as error:
        say(str(error))
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
