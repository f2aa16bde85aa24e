from datetime import UTC, datetime, timedelta
from pathlib import Path

from deployments.cli.status import as_text
from lib.runs.status import PhaseStatus, RunState, RunStatus

GOLDEN = Path(__file__).with_name("status.json")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def status() -> RunStatus:
    """One of each field, with a value of its own."""
    done = PhaseStatus(
        number=1,
        key="fetch",
        name="Fetch",
        environment="base",
        after=(),
        state=RunState.COMPLETED,
        stopping=False,
        run_id="11111111-1111-4111-8111-111111111111",
        started=NOON,
        ended=NOON + timedelta(seconds=4.5),
        duration=4.5,
        progress=100,
        item="",
        done=2,
        total=3,
        failed=0,
        skipped=1,
        engine="curl 8",
        figures="3 files",
        error="",
        attempt=2,
    )
    working = done.model_copy(
        update={
            "number": 2,
            "key": "look",
            "name": "Look",
            "environment": "scenes",
            "after": ("fetch",),
            "state": RunState.RUNNING,
            "stopping": True,
            "ended": None,
            "progress": 25.0,
            "item": "film.mp4 1200/4800",
        }
    )
    return RunStatus(
        run_id="22222222-2222-4222-8222-222222222222",
        workflow="toy",
        subject="Été.zip",
        state=RunState.RUNNING,
        stopping=True,
        message="",
        attempt=2,
        progress=40.5,
        counts={RunState.RUNNING: 1, RunState.COMPLETED: 1},
        started=NOON,
        ended=None,
        estimated_end=NOON + timedelta(minutes=1),
        basis="median of 12 runs",
        phases=[done, working],
    )


def test_the_json_of_a_status_is_a_contract() -> None:
    """Other programs read it: a field may be added (then to the file beside this one too), none may go or change."""
    assert as_text(status()) + "\n" == GOLDEN.read_text()


def test_the_contract_has_every_field() -> None:
    told = status()
    assert RunStatus.model_fields.keys() == told.model_fields_set
    assert PhaseStatus.model_fields.keys() == told.phases[0].model_fields_set
