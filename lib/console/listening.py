"""Where the console listens: never where others reach it without a token."""

import socket

from lib.console.hosts import is_loopback
from lib.errors import InputError
from lib.ports import listen_on
from lib.settings import Settings


def listen(config: Settings) -> socket.socket:
    """Return a socket that listens where the settings say; InputError when it cannot, or must not."""
    if not is_loopback(config.console_host) and config.console_token is None:
        raise InputError(
            f"The console is to listen on {config.console_host}, where other machines reach it: that needs a token. "
            "Set REGIE_CONSOLE_TOKEN, or leave REGIE_CONSOLE_HOST at 127.0.0.1."
        )
    return listen_on(config.console_host, config.console_port, "REGIE_CONSOLE_PORT")
