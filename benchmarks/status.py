"""What it costs to ask for the status of a run: time and calls, with few and with many past runs and children.

Starts a Prefect server of its own on SQLite, and with `--postgresql` one on a PostgreSQL of its own (Debian's package),
asks for the status of a run of 10 and of one of 200 children, writes `--past` past runs into the database, each with 10
children, and asks again. The first status in a process also reads the past; the percentiles are of those after it.
"""

import argparse
import asyncio
import json
import os
import pwd
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from filling import fill, workflow_of

from deployments.stack import stack
from lib.runs.plan import Workflow
from lib.settings import Settings

WORKFLOWS = {children: workflow_of(children, f"filled{children}") for children in (10, 200)}
"""By how many children a run has."""
PROGRAMS = Path("/usr/lib/postgresql")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--past", type=int, default=10_000, help="how many past runs to write")
    parser.add_argument("--looks", type=int, default=200, help="how many times to ask for each figure")
    parser.add_argument("--postgresql", action="store_true", help="measure on PostgreSQL, too")
    parser.add_argument("--parameters", type=int, default=300, help="bytes of parameters that each child carries")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for database in ("SQLite", "PostgreSQL")[: 1 + arguments.postgresql]:
        with ExitStack() as ending:
            folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="regie-status-")))
            url = f"sqlite+aiosqlite:///{folder}/prefect.db"
            if database == "PostgreSQL":
                url = ending.enter_context(postgresql(folder))
            os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = url
            config = Settings(home=folder, _env_file=None)
            server = ending.enter_context(stack(config, lambda _: None, port=0, workers=False, console=False))
            # Prefect read its environment when it was imported, for the first of the two servers.
            from prefect.settings import PREFECT_API_URL, temporary_settings

            ending.enter_context(temporary_settings({PREFECT_API_URL: server.api_url}))
            for past in (0, arguments.past):
                fill(url, WORKFLOWS[10], completed=past)
                for children, workflow in WORKFLOWS.items():
                    run_id = fill(url, workflow, working=1, parameters=arguments.parameters)[0]
                    rows.append(
                        {"database": database, "past runs": past, "children": children}
                        | asyncio.run(measure(run_id, workflow, arguments.looks))
                    )
                    show(rows[-1:], heading=len(rows) == 1, as_json=arguments.json)


async def measure(run_id: UUID, workflow: Workflow, looks: int) -> dict[str, Any]:
    """Ask for the status of a run again and again; return milliseconds and calls."""
    from prefect.client.orchestration import get_client

    from lib.runs.reader import read_status

    calls: list[str] = []

    async def count(request: Any) -> None:
        calls.append(request.url.path)

    times, counts = [], []
    async with get_client(httpx_settings={"event_hooks": {"request": [count]}}) as client:
        await client.hello()
        for _ in range(looks + 1):
            calls.clear()
            began = time.perf_counter()
            status = await read_status(client, str(run_id), {workflow.key: workflow})
            times.append(1000 * (time.perf_counter() - began))
            counts.append(len(calls))
    assert len([phase for phase in status.phases if phase.run_id]) == len(workflow.phases)
    first, *later = times
    shares = statistics.quantiles(later, n=100, method="inclusive")
    return {
        "first ms": first,
        "first calls": counts[0],
        "calls": max(counts[1:]),
        "p50 ms": shares[49],
        "p95 ms": shares[94],
        "p99 ms": shares[98],
    }


def show(rows: list[dict[str, Any]], *, heading: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows[0]), flush=True)
        return
    if heading:
        print("".join(f"{name:>12}" for name in rows[0]))
    for row in rows:
        cells = (f"{value:.1f}" if isinstance(value, float) else str(value) for value in row.values())
        print("".join(f"{cell:>12}" for cell in cells), flush=True)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Start a PostgreSQL of one's own in a folder, and give the address of its database; it ends with the block."""
    programs = sorted(PROGRAMS.glob("*/bin"), key=lambda path: float(path.parent.name))
    if not programs:
        raise SystemExit("There is no PostgreSQL here: apt-get install postgresql")
    data = folder / "postgresql"
    data.mkdir()
    # PostgreSQL refuses to run as root; its package made a user for it.
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:
        folder.chmod(0o755)
        shutil.chown(data, user)

    def run(name: str, *options: str) -> None:
        command = [str(programs[-1] / name), "-D", str(data), *options]
        subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, cwd=data)

    run("initdb", "--username=regie", "--auth=trust", "--encoding=UTF8")
    run("pg_ctl", "start", "--wait", "-o", f"-k {data} -c listen_addresses=", "--log", str(data / "log"))
    try:
        yield f"postgresql+asyncpg://regie@/postgres?host={data}"
    finally:
        run("pg_ctl", "stop", "--mode=fast")


if __name__ == "__main__":
    main()
