"""Which phases run, and what a run leaves."""

from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from prefect import State
from prefect.client.orchestration import get_client
from regie_toy_bakery import alert

from deployments.here import begin_again_here, carry_out_here
from flows.offers.opening import digest, open_store
from lib.offers.board import OfferBoard
from lib.offers.plan import OFFERS
from lib.offers.shown import document
from lib.offers.statuses import Status
from lib.offers.stores.base import Change
from lib.runs.reader import connected, read_status
from lib.runs.view import read_views


def statuses(desk: Any) -> Counter[Status]:
    return Counter(offer.status for offer in desk.offers)


def phases(state: State[Any]) -> dict[str, str]:
    """Return how each phase of a run ended."""
    with connected() as connection:
        status = connection(read_status, str(state.state_details.flow_run_id), {"offers": OFFERS})
    return {phase.key: phase.state.value for phase in status.phases}


def view(state: State[Any]) -> dict[str, Any]:
    run = state.state_details.flow_run_id
    with connected() as connection:
        return dict(connection(read_views, [run])[run])


def test_from_alerts_to_scores_and_then_nothing_to_do(desk: Any) -> None:
    desk.receive(range(3))
    desk.receive(range(2, 6))  # the third is in both
    first = desk.run()
    assert first.is_completed(), first.message
    assert statuses(desk) == {Status.ANALYSED: 6}
    assert all(offer.score is not None and "Trade" in offer.reasons for offer in desk.offers)
    assert {offer.link for offer in desk.offers} == {
        f"https://www.linkedin.com/jobs/view/{4_000_000_000 + n}" for n in range(6)
    }
    assert phases(first) == dict.fromkeys(("import", "complete", "analyse"), "completed")

    second = desk.run()
    assert second.is_completed()
    assert "Nothing to do" in (second.message or "")
    assert "1 call " in (second.message or "")
    assert phases(second) == dict.fromkeys(("import", "complete", "analyse"), "skipped")


def test_what_a_run_shows_equals_a_fresh_load(desk: Any) -> None:
    desk.receive(range(4))
    shown = view(desk.run())
    board = OfferBoard(desk.offers)
    with_names = document(board, desk.options.store.statuses, open_store_calls(desk), "", "", {})
    assert (shown["rows"], shown["totals"]) == (with_names["rows"], with_names["totals"])
    assert shown["calls"] == {"reads": 1, "writes": 3}
    assert shown["failures"] == []


def by_hand(desk: Any, status: Status) -> None:
    """Set the status of the first offer, as a person does."""
    with closing(open_store(str(desk.folder / "offers.db"), desk.options)) as store:
        first = next(offer for page in store.load() for offer in page)
        store.change([Change(first, replace(first, status=status))])


def open_store_calls(desk: Any) -> Any:
    store = open_store(str(desk.folder / "offers.db"), desk.options)
    store.close()
    return store.calls


@pytest.mark.parametrize(
    ("status", "ran"),
    [
        (Status.TO_COMPLETE, {"complete": "completed", "analyse": "completed", "import": "skipped"}),
        (Status.TO_ANALYSE, {"complete": "skipped", "analyse": "completed", "import": "skipped"}),
        (Status.IGNORED, {"complete": "skipped", "analyse": "skipped", "import": "skipped"}),
    ],
)
def test_a_status_that_was_changed_by_hand_is_work_without_any_mail(
    desk: Any, status: Status, ran: dict[str, str]
) -> None:
    desk.receive(range(2))
    desk.run()
    by_hand(desk, status)
    assert phases(desk.run()) == ran


def test_a_profile_that_changed_is_work_for_phase_3_alone(desk: Any) -> None:
    desk.receive(range(2))
    desk.run()
    profile = desk.folder / "profile.toml"
    profile.write_text("# only a comment\n" + profile.read_text())
    assert set(phases(desk.run()).values()) == {"skipped"}
    profile.write_text(profile.read_text().replace("bread", "cake"))
    assert phases(desk.run()) == {"import": "skipped", "complete": "skipped", "analyse": "completed"}
    assert set(phases(desk.run()).values()) == {"skipped"}


def test_without_a_mailbox_the_other_phases_go_on(desk: Any) -> None:
    desk.receive(range(2))
    desk.run(only=[1])
    (desk.folder / "mail").rename(desk.folder / "elsewhere")
    state = desk.run()
    assert state.name == "Partial"
    assert "mail" in (state.message or "")
    assert phases(state) == {"import": "failed", "complete": "completed", "analyse": "completed"}


def test_without_a_profile_offers_are_still_imported_and_completed(desk: Any) -> None:
    desk.receive(range(2))
    (desk.folder / "profile.toml").unlink()
    state = desk.run()
    assert state.name == "Partial"
    assert "profile" in (state.message or "")
    assert statuses(desk) == {Status.TO_ANALYSE: 2}


def test_a_resumed_run_looks_at_the_board_too(desk: Any) -> None:
    desk.receive(range(2))
    profile = desk.folder / "profile.toml"
    kept = profile.read_text()
    profile.unlink()
    state = desk.run()
    assert phases(state) == {"import": "completed", "complete": "completed", "analyse": "failed"}
    profile.write_text(kept)
    by_hand(desk, Status.TO_COMPLETE)
    run_id = str(state.state_details.flow_run_id)
    begin_again_here(run_id)
    carry_out_here(OFFERS, run_id)
    assert statuses(desk) == {Status.ANALYSED: 2}
    assert len(desk.pages.paths) == 3


def test_a_run_has_its_store_for_itself(desk: Any) -> None:
    desk.receive(range(3))
    state = desk.run()
    with get_client(sync_client=True) as client:
        name = f"regie-offers-{digest(str(desk.folder / 'offers.db'), desk.options)}"
        limit = client.read_global_concurrency_limit_by_name(name)
    assert (limit.limit, limit.active_slots) == (1, 0)
    assert state.is_completed()


def test_a_message_that_cannot_be_read_is_named_and_kept_for_the_next_run(desk: Any) -> None:
    desk.receive(range(2))
    broken = desk.folder / "mail" / "00000-broken.eml"
    broken.write_bytes(b"From: jobalerts-noreply@linkedin.com\nSubject: Nothing in it\n\nHello.\n")
    state = desk.run()
    assert state.name == "Partial"
    assert "Nothing in it" in (state.message or "")
    assert broken.exists()
    assert statuses(desk) == {Status.ANALYSED: 2}
    assert [each["file"] for each in view(state)["failures"]] == ["Nothing in it · jobalerts-noreply@linkedin.com"]
    assert view(state)["totals"]["cells"][0]["count"] == 1


def test_a_message_that_only_claims_to_be_an_alert_is_left_alone_and_named(desk: Any) -> None:
    forged = alert(range(3)).replace(b"From:", b"Authentication-Results: mx.example; dmarc=fail\nFrom:", 1)
    (desk.folder / "mail" / "forged.eml").write_bytes(forged)
    state = desk.run()
    assert state.is_completed()
    assert desk.offers == []
    [doubt] = view(state)["left_alone"]
    assert "3 new jobs" in doubt["name"]
    assert "dmarc" in doubt["reason"].lower()


def test_a_look_loads_the_table_and_works_on_nothing(desk: Any) -> None:
    desk.receive(range(2))
    state = desk.run(look=True)
    assert state.is_completed()
    assert desk.offers == []
    assert view(state)["totals"]["cells"][0]["count"] == 1


def test_a_phase_alone_has_its_own_view_of_the_store(desk: Any) -> None:
    from flows.offers.completing import complete_phase

    desk.receive(range(2))
    desk.run(only=[1])
    mail, store, profile = (str(desk.folder / name) for name in ("mail", "offers.db", "profile.toml"))
    state = complete_phase(mail, store, profile, desk.options, return_state=True)
    assert state.is_completed()
    assert statuses(desk) == {Status.TO_ANALYSE: 2}


def test_nothing_that_recurs_stays_behind(desk: Any) -> None:
    desk.receive(range(1))
    state = desk.run()
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(limit=200)
    mine = [run for run in runs if run.id == UUID(str(state.state_details.flow_run_id)) or run.parent_task_run_id]
    assert all(run.state is not None and run.state.is_final() for run in mine)
