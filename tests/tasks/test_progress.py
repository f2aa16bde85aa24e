import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import Artifact
from prefect.runtime import flow_run as runtime
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from lib.runs.progress import ProgressRecord
from lib.runs.report import Item, ItemState
from tasks.progress import PhaseProgress

pytestmark = pytest.mark.usefixtures("prefect_server")


def in_a_run(work: Callable[[], None]) -> UUID:
    """Do something inside a flow run; return its id."""

    @flow(name="progress", persist_result=False)
    def holder() -> str:
        work()
        return str(runtime.get_id())

    return UUID(holder())


def artifacts_of(run_id: UUID) -> list[Artifact]:
    with get_client(sync_client=True) as client:
        return client.read_artifacts(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run_id])))


def http_of_the_run() -> httpx.Client:
    """The HTTP client that everything in the present flow run shares."""
    return get_client(sync_client=True)._client


@contextmanager
def server_gone() -> Iterator[None]:
    """Nothing listens where the server was."""
    http = http_of_the_run()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: the connection is refused
        was, http.base_url = http.base_url, httpx.URL(f"http://127.0.0.1:{taken.getsockname()[1]}/api/")
        try:
            yield
        finally:
            http.base_url = was


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.01)


def item(subject: str, state: ItemState = ItemState.DONE, engine: str = "", **counts: float) -> Item:
    return Item(subject=subject, state=state, engine=engine, counts=counts)


def test_outside_a_run_there_is_nothing_to_write_to() -> None:
    with pytest.raises(RuntimeError, match="inside a flow run"):
        PhaseProgress({})


def test_a_phase_has_one_artifact_with_its_last_figures() -> None:
    def work() -> None:
        with PhaseProgress({"a.mp4": 100, "b.mp4": 300}) as progress:
            progress.of("a.mp4")(50, 100)
            progress.ended(item("a.mp4", engine="x 1", frames=40, cuts=2))
            progress.of("b.mp4")(10, 100, "b.mp4")
            progress.ended(item("b.mp4", ItemState.FAILED, frames=2))

    [artifact] = artifacts_of(in_a_run(work))
    assert artifact.type == "progress"
    assert artifact.key is None
    assert artifact.data == 100
    assert artifact.description == "2 of 2 · 1 failed"
    assert artifact.metadata_ is not None
    assert ProgressRecord.from_metadata(artifact.metadata_) == ProgressRecord(
        done=1, total=2, failed=1, percent=100, engine="x 1", figures="42 frames, 2 cuts", work=400, worked=400
    )


def test_work_that_was_not_done_is_told_apart() -> None:
    def work() -> None:
        progress = PhaseProgress(
            {"kept": 1, "found": 10, "skipped": 100, "done": 1000, "failed": 10_000, "now": 50_000}
        )
        assert (progress.record().work, progress.record().worked) == (61_111, 0)
        progress.ended(item("kept", ItemState.KEPT))
        progress.ended(item("found").model_copy(update={"found": True}))
        progress.ended(item("skipped", ItemState.SKIPPED))
        assert progress.record().worked == 0
        progress.ended(item("done"))
        progress.ended(item("failed", ItemState.FAILED))
        progress.of("now")(3, 4)
        assert (progress.record().work, progress.record().worked) == (61_111, 1000 + 10_000 + 37_500)

    in_a_run(work)


def test_items_without_a_size_count_as_one_each() -> None:
    def work() -> None:
        progress = PhaseProgress({"a": 0, "b": 0})
        progress.ended(item("a"))
        assert (progress.record().percent, progress.record().work, progress.record().worked) == (50, 2, 1)

    in_a_run(work)


def test_work_that_is_stopped_by_an_error_leaves_the_figures_it_came_to() -> None:
    def work() -> None:
        with PhaseProgress({"a": 1, "b": 1}) as progress:
            progress.ended(item("a"))
            raise ValueError("stop")

    def stopped() -> None:
        with pytest.raises(ValueError, match="stop"):
            work()

    [artifact] = artifacts_of(in_a_run(stopped))
    assert artifact.data == 50


def test_the_server_is_told_at_most_about_twice_a_second() -> None:
    writes: list[float] = []

    def note(request: httpx.Request) -> None:
        if "/artifacts/" in str(request.url):
            writes.append(time.monotonic())

    def work() -> None:
        http_of_the_run().event_hooks["request"].append(note)
        with PhaseProgress({"film": 1_000_000_000}) as progress:
            tell = progress.of("film")
            frame = 0
            while len(writes) < 4:
                frame += 1
                tell(frame, 1_000_000_000)
            tell(1, 2)

    [artifact] = artifacts_of(in_a_run(work))
    assert artifact.data == 50, "the last figure is always written"
    *regular, _last = writes
    assert all(later - earlier >= 0.5 for earlier, later in pairwise(regular))


def test_several_threads_tell_their_progress_without_the_context_of_the_run() -> None:
    subjects = [f"film {number}" for number in range(200)]

    def work() -> None:
        problems: list[Exception] = []
        with PhaseProgress(dict.fromkeys(subjects, 10)) as progress:

            def work_on(part: list[str]) -> None:
                try:
                    for subject in part:
                        for frame in range(10):
                            progress.of(subject)(frame, 10)
                            progress.record()
                        progress.ended(item(subject))
                except Exception as problem:  # noqa: BLE001  # whatever it is, it would have ended the phase
                    problems.append(problem)

            threads = [threading.Thread(target=work_on, args=(subjects[n::4],)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert problems == []

    [artifact] = artifacts_of(in_a_run(work))
    assert artifact.description == "200 of 200"


def test_a_server_that_is_gone_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: list[float] = []
    monkeypatch.setattr("tasks.progress.SECONDS_FOR_THE_LAST_WRITE", 0.1)

    def work() -> None:
        began = time.monotonic()
        with server_gone(), PhaseProgress({"a": 1, "b": 1}) as progress:
            thread = threading.Thread(target=progress.ended, args=(item("a"),))  # a decoder's thread, without a context
            thread.start()
            thread.join()
            progress.ended(item("b"))
            assert progress.record().done == 2
        seconds.append(time.monotonic() - began)

    assert artifacts_of(in_a_run(work)) == []
    assert seconds[0] < 5, "Prefect's client alone tries for a minute"


def test_progress_goes_on_when_the_server_is_back() -> None:
    def work() -> None:
        refused: list[httpx.Request] = []
        http_of_the_run().event_hooks["request"].append(refused.append)
        with PhaseProgress({"a": 1, "b": 1}) as progress:
            with server_gone():
                progress.ended(item("a"))
                until(lambda: len(refused) > 2)
            progress.ended(item("b"))

    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        [artifact] = artifacts_of(in_a_run(work))
    assert artifact.description == "2 of 2"


SUBJECTS = ["a", "b", "c"]
SIZES = st.fixed_dictionaries({subject: st.floats(0, 1e9) for subject in SUBJECTS})
TELLINGS = st.tuples(st.sampled_from([*SUBJECTS, "stranger"]), st.integers(-5, 120), st.integers(0, 100))
ENDINGS = st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(ItemState))


def test_figures_are_within_their_limits_and_never_go_back() -> None:
    @examples(max_examples=200)
    @given(sizes=SIZES, steps=st.lists(TELLINGS | ENDINGS, max_size=25))
    def check(sizes: dict[str, float], steps: list[tuple[Any, ...]]) -> None:
        progress = PhaseProgress(sizes)
        progress._throttle = lambda: False  # type: ignore[assignment]  # nothing is written here: figures only
        percent, ended = 0.0, set[str]()
        for step in steps:
            if isinstance(step[1], ItemState):
                progress.ended(item(step[0], step[1]))
                ended.add(step[0])
            else:
                progress.of(step[0])(step[1], step[2])
            record = progress.record()
            assert percent <= record.percent <= 100
            assert 0 <= record.worked <= record.work
            assert record.done + record.failed + record.skipped == len(ended) <= record.total == len(SUBJECTS)
            percent = record.percent
        if ended == set(SUBJECTS):
            assert percent == 100

    in_a_run(check)


def test_a_phase_without_items_is_at_nought_and_then_complete() -> None:
    def work() -> None:
        assert PhaseProgress({}).record().sentence() == "0 of 0"

    in_a_run(work)
