"""What Prefect's engine logs of flows that end in order: how they ended, with no crash and no traceback."""

import logging
import sys

from prefect.exceptions import CancelledRun, FailedRun

from flows.stopping import Stopped


class _InOrder(logging.Filter):
    """Puts right what the engine takes for an accident.

    - Of the state that a flow returns, failed or cancelled, it makes an exception and logs its traceback. What failed
      is an error in one line; of what was cancelled the engine has said all in the line before.
    - A task that is stopped has crashed, to the engine: that is only told at the level `debug`.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, CancelledRun):
            return False
        if isinstance(error, FailedRun):
            record.msg, record.args, record.exc_info = str(error), (), None
        elif record.levelno == logging.ERROR and isinstance(sys.exc_info()[1], Stopped):
            record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
        return True


_IN_ORDER = _InOrder()


def keep_quiet() -> None:
    """Have Prefect's engine in this process log no more of flows that end in order than how they ended."""
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(_IN_ORDER)  # one that it has is not added again
