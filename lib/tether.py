"""Run a module in a container that ends with whoever started it: `python -m lib.tether MODULE`.

The worker that starts a container holds its standard input open; the engine closes it when the worker ends, however
that happens. This is to a container what `lib.child` is to a process.
"""

import os
import runpy
import sys
import threading


def end_with_standard_input() -> None:
    """Have this process end when its standard input does; nothing else reads from it from now on."""
    held = os.dup(0)
    with open(os.devnull) as nothing:  # noqa: PTH123  # a device, no path of anybody's
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_wait_for_the_end, args=(held,), name="tether", daemon=True).start()


def _wait_for_the_end(held: int) -> None:
    while os.read(held, 1024):
        pass
    # Nothing is cleaned up, as by SIGKILL: that is what happens to whatever goes with its parent. Being the first
    # process of its container, it takes all others there with it.
    os._exit(1)


if __name__ == "__main__":
    end_with_standard_input()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
