"""How late a listener hears of a phase's progress, and what it costs: with one listener, and with many.

Starts a Prefect server and a console of its own, and a flow run whose phase tells its progress a few times a second, as
the work of a real one does. The lag of each telling is the time until a listener has received it or a later one: it
holds the wait for the artifact to be written, for the console's next reading, and for the stream.
"""

import argparse
import asyncio
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from deployments.stack import stack
from lib.runs.plan import Phase, Workflow
from lib.settings import Settings

COUNT = Workflow("count", "Count", "live:count", (Phase(1, "tell", "Tell", "live:tell", "base"),))
PAUSES = (0.02, 0.2)
"""Between two tellings, in seconds."""
_TOLD = re.compile(rb'"item":"n (\d+)/')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, nargs="+", default=[1, 200])
    parser.add_argument("--seconds", type=float, default=30, help="how long the phase works")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--work", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work)
        return
    with tempfile.TemporaryDirectory(prefix="regie-live-") as folder:
        os.environ |= {
            "REGIE_WORKFLOWS": '["live:COUNT"]',
            "REGIE_CONSOLE_PORT": str(port := free_port()),
            "PYTHONPATH": str(Path(__file__).parent),
        }
        with stack(Settings(home=Path(folder)), lambda _: None, port=0, workers=False) as running:
            server = next(iter(running.processes.values()))
            with console(port, Path(folder) / "console.log") as served:
                watched = {"console": psutil.Process(served), "Prefect": psutil.Process(server.pid)}
                for number, listeners in enumerate(arguments.listeners):
                    row = asyncio.run(measure(listeners, port, arguments.seconds, watched))
                    show(row, heading=number == 0, as_json=arguments.json)


def work(seconds: float) -> None:
    """Run the flow: print its run's id, wait for a line, and print when each telling was told."""
    from prefect import State, flow
    from prefect.context import FlowRunContext

    from flows.orchestration import conclude, run_phases, verdict
    from lib.runs.report import Item, ItemState, PhaseReport
    from tasks.progress import PhaseProgress

    told: list[float] = []

    @flow(name="count-tell", persist_result=False)
    def tell() -> State[Any]:
        """Tell progress."""
        draw, deadline = random.Random(1), time.monotonic() + seconds
        with PhaseProgress({"it": 1}) as progress:
            while (left := deadline - time.monotonic()) > 0:
                told.append(time.time())
                # It says `n 17/100000`: the number of the telling.
                progress.of("it")(len(told) - 1, 100_000, "n")
                time.sleep(min(draw.uniform(*PAUSES), left))
            item = Item(subject="it", state=ItemState.DONE)
            progress.ended(item)
        return conclude(PhaseReport(phase="tell", items=(item,)))

    @flow(name="count", persist_result=False)
    def count() -> State[Any]:
        """Run the one phase."""
        context = FlowRunContext.get()
        print(context.flow_run.id if context and context.flow_run else "", flush=True)
        sys.stdin.readline()
        return verdict(COUNT.phases, run_phases(COUNT, COUNT.phases, {}, inline=True, subject="it"))

    sys.modules["live"] = sys.modules["__main__"]
    globals().update(tell=tell, count=count)
    count(return_state=True)
    print(json.dumps(told), flush=True)


@contextmanager
def console(port: int, log: Path) -> Iterator[int]:
    """Start the console, and give its process once it answers."""
    with log.open("wb") as said:
        process = subprocess.Popen([sys.executable, "-m", "lib.console"], stdout=said, stderr=said)
        try:
            deadline = time.monotonic() + 60
            while not answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The console does not come up:\n{log.read_text()}")
                time.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        return int(reserved.getsockname()[1])


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").is_success
    except httpx.HTTPError:
        return False


class Listener:
    """One who listens to a run, and notes when which telling came."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.times: list[float] = []
        self.bytes = 0
        self.events = 0

    async def listen(self, port: int, run_id: str, begun: asyncio.Semaphore) -> None:
        """Listen to the end of the stream."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        request = f"GET /api/v1/runs/{run_id}/events HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        writer.write(request.encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise SystemExit(f"The console answered: {status.decode().strip()}")
        while line := await reader.readline():
            self.bytes += len(line)
            if line.startswith(b"event: "):
                self.events += 1
            if line.startswith(b"event: snapshot"):
                begun.release()
            if found := _TOLD.search(line):
                self.numbers.append(int(found[1]))
                self.times.append(time.time())
        writer.close()

    def lags(self, told: list[float]) -> Iterator[float]:
        """Give the seconds until each telling that this listener could hear, or a later one, came."""
        for number, when in enumerate(told):
            if (place := bisect_left(self.numbers, number)) < len(self.times):
                yield self.times[place] - when


async def measure(count: int, port: int, seconds: float, watched: dict[str, psutil.Process]) -> dict[str, Any]:
    """Run the flow once, with so many listeners."""
    load = os.getloadavg()[0]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--work", str(seconds)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        limit=1 << 24,
    )
    assert process.stdin
    assert process.stdout
    run_id = (await process.stdout.readline()).decode().strip()
    listeners, begun = [Listener() for _ in range(count)], asyncio.Semaphore(0)
    listening = [asyncio.create_task(each.listen(port, run_id, begun)) for each in listeners]
    async with asyncio.timeout(30):
        for _ in listening:
            await begun.acquire()
    before, clock = {name: cpu(each) for name, each in watched.items()}, time.monotonic()
    memory = watched["console"].memory_info().rss
    process.stdin.write(b"go\n")
    told = json.loads(await process.stdout.readline())
    await asyncio.gather(*listening)
    took = time.monotonic() - clock
    await process.wait()
    lags = [lag for each in listeners for lag in each.lags(told)]
    shares = statistics.quantiles(lags, n=100, method="inclusive")
    return {
        "listeners": count,
        "told": len(told),
        "events": statistics.mean(each.events for each in listeners),
        "p50 ms": 1000 * shares[49],
        "p95 ms": 1000 * shares[94],
        "max ms": 1000 * max(lags),
        "kB/min": statistics.mean(each.bytes for each in listeners) / 1000 / took * 60,
        **{f"{name} %": 100 * (cpu(each) - before[name]) / took for name, each in watched.items()},
        "MB more": (watched["console"].memory_info().rss - memory) / 1e6,
        "load": load,
    }


def cpu(process: psutil.Process) -> float:
    """Return the seconds of processor time of a process and of those below it."""
    family = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in family)


def show(row: dict[str, Any], *, heading: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(row), flush=True)
        return
    if heading:
        print("".join(f"{name:>11}" for name in row))
    print("".join(f"{f'{value:.1f}' if isinstance(value, float) else value:>11}" for value in row.values()), flush=True)


if __name__ == "__main__":
    main()
