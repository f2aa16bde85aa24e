"""Follow a run that is carried out in this process."""

import threading
from typing import TYPE_CHECKING

from deployments.cli.follow import follow
from lib.runs.plan import Workflow
from lib.runs.status import RunStatus
from lib.workflows import workflows

if TYPE_CHECKING:  # Prefect takes seconds to import, and reads where it is at home while it is
    from lib.runs.server import Connection


def follow_here(connection: "Connection", workflow: Workflow, run_id: str, *, show: bool) -> RunStatus:
    """Carry out a run in this process, its main thread, while another thread follows it."""
    from deployments.here import carry_out_here
    from lib.runs.reader import read_status

    follower = threading.Thread(target=follow, args=(connection, run_id), kwargs={"show": show}, daemon=True)
    follower.start()
    carry_out_here(workflow, run_id)
    follower.join()
    return connection(read_status, run_id, workflows())
