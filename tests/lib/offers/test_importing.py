"""Alerts become offers, each once; a message is flagged when all of its offers are stored, and not before."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from regie_toy_bakery import FIRST, alert

from lib.errors import UnavailableError
from lib.offers.board import OfferBoard
from lib.offers.importing import import_alerts
from lib.offers.mail.folder import FolderMailbox
from lib.offers.mail.opening import open_mailbox
from lib.offers.mail.options import MailOptions
from lib.offers.offer import Offer
from lib.offers.statuses import Status
from lib.offers.writing import Writing
from lib.runs.report import Item, ItemState


class Desk:
    """A mailbox of files, a store, and what was said of each message."""

    def __init__(self, folder: Path, store: Any) -> None:
        self.folder = folder
        self.store = store
        self.items: dict[str, Item] = {}
        self.board = OfferBoard()

    def receive(self, numbers: range, name: str = "") -> None:
        (self.folder / f"{name or numbers.start}.eml").write_bytes(alert(numbers))

    def run(self, meanwhile: Callable[[], object] = lambda: None) -> list[Item]:
        """Import everything that waits."""
        mailbox = open_mailbox(str(self.folder), MailOptions(), None)
        waiting = mailbox.audit()
        counts: dict[str, int] = {}
        for envelope in waiting:
            counts[envelope.source] = counts.get(envelope.source, 0) + 1
        self.board = OfferBoard((offer for page in self.store.load() for offer in page), counts)
        self.items.clear()
        meanwhile()
        writing = Writing(self.store, self.board)
        import_alerts(waiting, mailbox, self.board, writing, lambda _link: None, self.items.__setitem__)
        return list(self.items.values())

    @property
    def waiting(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.eml"))

    @property
    def offers(self) -> list[Offer]:
        return [offer for page in self.store.load() for offer in page]


@pytest.fixture
def desk(tmp_path: Path, store: Any) -> Desk:
    folder = tmp_path / "mail"
    folder.mkdir()
    return Desk(folder, store)


def test_offers_are_stored_and_messages_are_flagged(desk: Desk) -> None:
    desk.receive(range(3))
    desk.receive(range(3, 15))
    assert sorted(item.counts["new_offers"] for item in desk.run()) == [3, 12]
    assert len(desk.offers) == 15
    assert {offer.status for offer in desk.offers} == {Status.TO_COMPLETE}
    assert desk.waiting == []
    assert desk.board.waiting == 0
    assert desk.board.table() == OfferBoard(desk.offers).table()


def test_the_same_offer_in_five_alerts_is_one(desk: Desk) -> None:
    for number in range(5):
        desk.receive(range(1), f"alert {number}")
    assert sum(item.counts["new_offers"] for item in desk.run()) == 1
    assert [offer.key for offer in desk.offers] == [f"LinkedIn:{FIRST}"]
    desk.receive(range(1))
    [item] = desk.run()
    assert item.counts == {"new_offers": 0, "known_offers": 1}
    assert len(desk.offers) == 1


def test_what_was_decided_of_an_offer_stays_when_it_comes_again(desk: Desk) -> None:
    desk.store.add([Offer(f"https://www.linkedin.com/jobs/view/{FIRST}", source="LinkedIn", status=Status.IGNORED)])
    desk.receive(range(2))
    desk.run()
    assert [offer.status for offer in desk.offers] == [Status.IGNORED, Status.TO_COMPLETE]


def test_a_message_that_cannot_be_read_is_named_and_stays_and_the_others_go_on(desk: Desk) -> None:
    desk.receive(range(2))
    (desk.folder / "0-broken.eml").write_bytes(b"From: jobalerts-noreply@linkedin.com\nSubject: Empty\n\nNothing.\n")
    failed, done = desk.run()
    assert (failed.state, failed.subject) == (ItemState.FAILED, "Empty · jobalerts-noreply@linkedin.com")
    assert "no offer" in failed.reason
    assert done.state is ItemState.DONE
    assert desk.waiting == ["0-broken.eml"]
    assert desk.board.waiting == 1


def test_a_message_one_of_whose_offers_the_store_refuses_stays(desk: Desk, store: Any) -> None:
    store.refused = frozenset({"Baker 1"})
    desk.receive(range(3))
    [item] = desk.run()
    assert item.state is ItemState.FAILED
    assert "the title is not allowed" in item.reason
    assert desk.waiting == ["0.eml"]
    store.refused = frozenset()
    [item] = desk.run()
    assert item.counts == {"new_offers": 1, "known_offers": 2}
    assert desk.waiting == []


def test_a_message_that_was_deleted_meanwhile_is_no_failure(desk: Desk) -> None:
    desk.receive(range(2))
    desk.receive(range(5, 6))
    gone, done = desk.run((desk.folder / "0.eml").unlink)
    assert (gone.state, done.state) == (ItemState.SKIPPED, ItemState.DONE)
    assert len(desk.offers) == 1
    assert desk.board.waiting == 0


def test_no_message_is_flagged_when_the_store_goes_away(
    desk: Desk, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_offers: object) -> list[Offer]:
        raise UnavailableError("The store is gone.")

    desk.receive(range(3))
    with monkeypatch.context() as broken:
        broken.setattr(store, "add", gone)
        with pytest.raises(UnavailableError):
            desk.run()
    assert desk.waiting == ["0.eml"]
    desk.run()
    assert len(desk.offers) == 3
    assert desk.waiting == []


def test_messages_that_cannot_be_flagged_are_named_and_their_offers_are_stored(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(_self: object, _envelopes: object) -> None:
        raise UnavailableError("The folder is locked.")

    for start in range(0, 48, 4):
        desk.receive(range(start, start + 4))
    with monkeypatch.context() as broken:
        broken.setattr(FolderMailbox, "handled", locked)
        items = desk.run()
    assert {item.state for item in items} == {ItemState.FAILED}
    assert "it cannot be flagged: The folder is locked." in items[0].reason
    assert len(desk.offers) == 48
    assert len(desk.waiting) == 12
    assert desk.board.table() == OfferBoard(desk.offers, {"LinkedIn": 12}).table()
    assert {item.state for item in desk.run()} == {ItemState.DONE}
    assert desk.waiting == []


def test_no_message_is_flagged_before_an_offer_is_stored_that_came_in_another_one_too(
    desk: Desk, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    flagged_early: list[str] = []
    handled = FolderMailbox.handled

    def watched(self: FolderMailbox, envelopes: Any) -> None:
        if not desk.offers:
            flagged_early.extend(envelope.subject for envelope in envelopes)
        handled(self, envelopes)

    monkeypatch.setattr(FolderMailbox, "handled", watched)
    for number in range(12):
        desk.receive(range(1), f"alert {number:02}")
    desk.run()
    assert flagged_early == []
    assert desk.waiting == []


def test_what_was_read_before_the_mailbox_went_away_is_stored(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch, fetched = FolderMailbox.fetch, []

    def failing(self: FolderMailbox, envelope: Any) -> bytes:
        if len(fetched) == 2:
            raise UnavailableError("The mailbox is gone.")
        fetched.append(envelope)
        return fetch(self, envelope)

    for start in range(0, 12, 3):
        desk.receive(range(start, start + 3))
    with monkeypatch.context() as broken:
        broken.setattr(FolderMailbox, "fetch", failing)
        with pytest.raises(UnavailableError, match="gone"):
            desk.run()
    assert len(desk.offers) == 6
    assert len(desk.waiting) == 2
    assert desk.board.table() == OfferBoard(desk.offers, {"LinkedIn": 2}).table()


def test_a_row_with_a_link_alone_is_filled_in(desk: Desk) -> None:
    # As a process leaves it that was killed between two writes, and as a person makes it who pastes a link.
    desk.store.add([Offer(f"https://www.linkedin.com/jobs/view/{FIRST}", status=Status.OTHER)])
    desk.receive(range(1))
    desk.run()
    [offer] = desk.offers
    assert (offer.title, offer.status, offer.source) == ("Baker 0", Status.TO_COMPLETE, "LinkedIn")
    assert desk.board.table() == OfferBoard(desk.offers).table()
