"""How long two runs at once take on two machines, against the same two on one that works on one at a time.

The machines are network namespaces with host names of their own; their server is that of deployments/compose.yaml, on a
PostgreSQL and a Redis of Debian's. Needs root. The runs are of the workflow of the tests, whose phases sleep: what is
measured is how runs are shared out and begun, not what a processor can do. With --lost also how soon what a machine
had at work when it disappeared, a phase and a run, is at work on another one, with the default settings.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from lib.runs.plan import Workflow

TOYS = Path(__file__).resolve().parents[1] / "tests" / "toys"
STEPS = 20
"""Steps of the work on each of a phase's two items."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--pause", type=float, default=0.1, help=f"seconds that each of {STEPS} steps of an item sleeps"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--lost", action="store_true", help="measure how soon a lost machine's work goes on, too")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    sys.path.insert(0, str(TOYS))
    toys = import_module("regie_toy_cluster")
    if why := toys.missing():
        raise SystemExit(f"Machines cannot be made here: {why}")
    os.environ["REGIE_WORKFLOWS"] = '["regie_toy_plan:TOY"]'
    rows: list[dict[str, Any]] = []
    with (
        tempfile.TemporaryDirectory(prefix="regie-hosts-") as folder,
        toys.Cluster(Path(folder), lost_after=30) as cluster,
    ):
        from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

        auth = cluster.given["PREFECT_AUTH"]
        with temporary_settings({PREFECT_API_URL: cluster.api_url, PREFECT_API_AUTH_STRING: auth}):
            for machines in (1, 2):
                made = [cluster.machine(f"m{machines}{n}") for n in range(machines)]
                for machine in made:
                    machine.work("base", "scenes", REGIE_WORKER_LIMIT="1")
                wait_for(["base", "scenes"], made)
                seconds = [two_runs(arguments.pause) for _ in range(arguments.rounds)]
                rows.append({"machines": machines, "seconds": seconds, "median": statistics.median(seconds)})
                cluster.retire()
            lost = {what: taken_up(cluster, what) for what in ("phase", "run")} if arguments.lost else {}
    ratio = rows[1]["median"] / rows[0]["median"]
    load = os.getloadavg()[0]
    if arguments.json:
        print(json.dumps({"rows": rows, "ratio": ratio, "lost": lost, "load": load}))
        return
    print(f"{'machines':>8} {'two runs at once, s':>20}  each round")
    for row in rows:
        print(f"{row['machines']:>8} {row['median']:>20.1f}  {' '.join(f'{each:.1f}' for each in row['seconds'])}")
    for what, waited in lost.items():
        print(f"a {what} of a lost machine is at work again after {waited:.0f} s")
    print(f"ratio {ratio:.2f} (0.5 is ideal); load at the end {load:.1f} on {os.cpu_count()} cores")


def two_runs(pause: float) -> float:
    """Start two runs, and return the seconds until both are completed."""
    from lib.runs.control import start_run
    from lib.runs.reader import run_status

    toy: Workflow = import_module("regie_toy_plan").TOY
    orders = {"steps": STEPS, "pause": pause}
    begun = time.monotonic()
    runs = [start_run(toy, {"source": f"box {n}", "orders": orders}) for n in range(2)]
    while True:
        states = [run_status(run, {"toy": toy}).state for run in runs]
        if all(state.final for state in states):
            break
        time.sleep(0.2)
    seconds = time.monotonic() - begun
    if any(state.value != "completed" for state in states):
        raise SystemExit(f"The runs ended as {', '.join(state.value for state in states)}")
    return seconds


def taken_up(cluster: Any, what: str) -> float:
    """Return the seconds from the loss of a machine until its phase, or its run, is worked on by another one."""
    toy: Workflow = import_module("regie_toy_plan").TOY
    until = import_module("regie_toy_holder").until
    key, environment = ("last", "scenes") if what == "phase" else ("left", "base")
    staying, lost, other = (cluster.machine(f"{what}{n}") for n in range(3))
    staying.work("base" if what == "phase" else "scenes")
    lost.work(environment)
    wait_for([environment], [lost])
    folder = cluster.shared / what
    folder.mkdir()
    begun = folder / f"{key}.begun"
    from lib.runs.control import start_run

    start_run(toy, {"source": what, "orders": {"phases": {key: "hold"}, "folder": str(folder)}})
    until((folder / f"{key}.worked").exists, 120)
    other.work(environment)
    wait_for([environment], [other])
    time.sleep(10)  # its watch has looked by then
    lost.die()
    since = time.monotonic()
    until(lambda: len(begun.read_text().splitlines()) == 2, 300)
    seconds = time.monotonic() - since
    cluster.retire()
    return seconds


def wait_for(environments: list[str], machines: list[Any]) -> None:
    """Wait until the workers of these machines have said that they are there."""
    from prefect.client.orchestration import get_client

    from deployments.pools import pool_name
    from lib.runs.process import host_of

    names = {machine.name for machine in machines}
    with get_client(sync_client=True) as client:
        for environment in environments:
            while not names <= {
                host_of(worker.name) for worker in client.read_workers_for_work_pool(pool_name(environment))
            }:
                time.sleep(0.5)


if __name__ == "__main__":
    main()
