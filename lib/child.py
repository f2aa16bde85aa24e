"""Start a program that ends when its parent is killed: `python -m lib.child PARENT PROGRAM…`."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal that a process gets when its parent dies."""


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends; elsewhere than on Linux, nothing.

    `parent` is the id of the parent, which may have died before the kernel was asked; 0 when it is not known.
    """
    if sys.platform == "linux":
        # Not SIGTERM: the parent was killed, and with it goes what a program that is asked to end may wait for.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent not in {0, os.getppid()}:
            sys.exit(1)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  # the caller's own command line
