"""How often a run asks the store: counted there, and exactly so often. A call more, and a test fails."""

from collections.abc import Callable
from typing import Any

import pytest
from regie_toy_airtable import Airtable, airtable

from lib.offers.offer import Offer
from lib.offers.statuses import Status

ALL, NEW = 1200, 80


def closed_one(number: int) -> Offer:
    link = f"https://www.linkedin.com/jobs/view/{5_000_000_000 + number}"
    return Offer(
        link=link, key=f"LinkedIn:{5_000_000_000 + number}", source="LinkedIn", title=f"Old {number}",
        status=Status.EXPIRED if number % 2 else Status.IGNORED,
    )  # fmt: skip


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Airtable], None]:
    def put(server: Airtable) -> None:
        monkeypatch.setenv("AIRTABLE_API_KEY", server.token)
        monkeypatch.setenv("AIRTABLE_ENDPOINT_URL", server.endpoint)

    return put


def said(state: Any) -> str:
    return str(state.message)


def test_36_calls_for_1200_offers_of_which_80_go_through_all_phases(make_desk: Any, use: Any) -> None:
    with airtable(offers=[closed_one(number) for number in range(ALL - NEW)]) as server:
        use(server)
        desk = make_desk(server.options(), store="airtable")
        for start in range(0, NEW, 8):
            desk.receive(range(start, start + 8))
        state = desk.run()
        assert state.is_completed(), said(state)
        assert len(server.rows) == ALL
        assert sum(row["Statut"] == "Analysée" for row in server.rows) == NEW
        assert len(server.requests) == 36
        assert "36 calls to the store (12 to load, 24 to write)" in said(state)


@pytest.mark.parametrize(("open_only", "calls"), [(False, 12), (True, 1)])
def test_a_run_with_nothing_to_do_only_loads(make_desk: Any, use: Any, open_only: bool, calls: int) -> None:
    with airtable(offers=[closed_one(number) for number in range(ALL)]) as server:
        use(server)
        state = make_desk(server.options(open_only=open_only), store="airtable").run()
        assert "Nothing to do" in said(state)
        assert len(server.requests) == calls


def test_with_only_open_offers_loaded_one_that_is_closed_is_not_brought_back(make_desk: Any, use: Any) -> None:
    closed = [
        Offer(
            link=f"https://www.linkedin.com/jobs/view/{number}", key=f"LinkedIn:{number}",
            source="LinkedIn", title="Closed", status=Status.IGNORED,
        )
        for number in range(4_000_000_000, 4_000_000_005)
    ]  # fmt: skip
    with airtable(offers=closed) as server:
        use(server)
        desk = make_desk(server.options(open_only=True), store="airtable")
        desk.receive(range(3, 8))
        assert desk.run().is_completed()
        assert [row["Statut"] for row in server.rows] == ["Ignorée"] * 5 + ["Analysée"] * 3
