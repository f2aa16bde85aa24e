"""What a phase in another environment costs over its work: from the decision to run it to the notice of its end.

Reads the newest run of `video` of a Régie home and of the output folder that it wrote: `regie demo` makes both, with
REGIE_PROFILE=docker in containers. The work is the time spent on the items, as the phase itself measured it; the rest
is polling, starting Python or a container, importing and telling.
"""

import argparse
import json
import sqlite3
from datetime import datetime
from pathlib import Path

from lib.runs.process import CONTAINER
from lib.settings import settings
from lib.video.plan import VIDEO
from lib.video.workspace import Workspace

QUERY = """
select flow.name, log.message, log.timestamp from log
join flow_run on flow_run.id = log.flow_run_id join flow on flow.id = flow_run.flow_id
where log.flow_run_id = (
  select flow_run.id from flow_run join flow on flow.id = flow_run.flow_id where flow.name = 'video'
  order by flow_run.created desc limit 1)
order by log.timestamp
"""
PLACES = """
select flow.name, flow_run.infrastructure_pid from flow_run join flow on flow.id = flow_run.flow_id
where flow.name like 'video-%' order by flow_run.created
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="the output folder of the run")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    database = sqlite3.connect(settings().prefect_home / "prefect.db")
    times = {message.split(":")[0]: datetime.fromisoformat(when) for _, message, when in database.execute(QUERY)}
    places = dict(database.execute(PLACES).fetchall())
    workspace = Workspace(arguments.out)
    rows = []
    for phase in VIDEO.phases:
        begun = times.get(f"{phase.name} runs in the work pool of {phase.environment}")
        ended = next(
            (when for said, when in times.items() if said in {f"{phase.name} completed", f"{phase.name} partial"}), None
        )
        if begun is None or ended is None:
            continue
        work = sum(item.seconds for item in workspace.outcomes(phase.key).values())
        whole = (ended - begun).total_seconds()
        place = places.get(VIDEO.flow_name(phase)) or ""
        kind = "container" if f":{CONTAINER}" in place else "process"
        seconds = {"seconds": round(whole, 1), "work": round(work, 1), "over": round(whole - work, 1)}
        rows.append({"phase": phase.key, "in": kind, **seconds})
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'phase':<10}{'in':<10}{'seconds':>9}{'work':>8}{'over':>8}")
    for row in rows:
        print(f"{row['phase']:<10}{row['in']:<10}{row['seconds']:>9}{row['work']:>8}{row['over']:>8}")


if __name__ == "__main__":
    main()
