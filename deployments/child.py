"""Start a program that ends when its parent does, however the parent ends: `python -m deployments.child PROGRAM…`."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal that a process gets when its parent dies."""


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends; elsewhere than on Linux, nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:  # it died before we asked
            sys.exit(1)


if __name__ == "__main__":
    die_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  # the caller's own command line
