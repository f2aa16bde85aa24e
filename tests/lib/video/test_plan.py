import inspect

import pytest

from lib.runs.plan import Phase, ready
from lib.video.plan import VIDEO
from lib.workflows import workflows


def test_video_is_a_workflow_of_seven_phases() -> None:
    assert workflows()["video"] is VIDEO
    assert VIDEO.listing() == "1 extract, 2 convert, 3 scenes, 4 audio, 5 tracking, 6 reduce, 7 finalise"


def test_scenes_and_audio_run_at_the_same_time() -> None:
    ended = {"extract", "convert"}
    pending = [phase for phase in VIDEO.phases if phase.key not in ended]
    assert [phase.key for phase in ready(pending, ended)] == ["scenes", "audio"]


@pytest.mark.parametrize("only", [(1, 2, 7), (4, 7), (3, 5, 7)])
def test_the_last_phase_waits_for_all_that_were_asked_for(only: tuple[int, ...]) -> None:
    chosen = VIDEO.select(only)
    ended = {phase.key for phase in VIDEO.phases if phase not in chosen}
    order: list[set[str]] = []
    while pending := [phase for phase in chosen if phase.key not in ended]:
        order.append({phase.key for phase in ready(pending, ended)})
        ended |= order[-1]
    assert order[-1] == {"finalise"}


def test_phases_3_to_5_have_environments_of_their_own() -> None:
    others = {phase.key: phase.environment for phase in VIDEO.phases if phase.environment != VIDEO.environment}
    assert others == {"scenes": "scenes", "audio": "audio", "tracking": "tracking"}


@pytest.mark.parametrize("phase", VIDEO.phases, ids=lambda phase: phase.key)
def test_each_flow_is_where_the_plan_says_and_is_named_after_its_phase(phase: Phase) -> None:
    from flows.orchestration import load_flow

    flow = load_flow(phase.flow)
    assert flow.name == VIDEO.flow_name(phase)
    assert list(inspect.signature(flow.fn).parameters) == ["source", "out", "options"]


def test_the_orchestrator_is_where_the_plan_says() -> None:
    from flows.orchestration import load_flow

    assert load_flow(VIDEO.flow).name == VIDEO.flow_name()
