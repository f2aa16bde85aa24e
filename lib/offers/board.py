"""The board: the one object from which the summary table is drawn and from which is decided which phases run; pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lib.offers.offer import Offer, text_key
from lib.offers.statuses import OPEN, Status


@dataclass(frozen=True)
class Cell:
    """How many offers of a source have a status."""

    count: int = 0
    """Alerts in the mailbox count in the column `to_import`."""
    pending: int = 0
    """Of offers that will be here once the store has acknowledged it; they do not count yet."""


@dataclass(frozen=True)
class Row:
    """One row of the table: a source, or the totals."""

    source: str
    cells: tuple[Cell, ...]
    """One per status, in their order."""
    total: int


@dataclass(frozen=True)
class Table:
    """Offers by source and status, with totals both ways; a source without any is left out."""

    rows: tuple[Row, ...]
    totals: Row


class OfferBoard:
    """Every offer that the store holds, and the alerts that wait in the mailbox.

    Filled by one load, then told of what the store has acknowledged: a status that changes is one less in its
    old column and one more in its new. It never asks anybody anything.
    """

    def __init__(
        self,
        offers: Iterable[Offer] = (),
        waiting: Mapping[str, int] | None = None,
        *,
        profile: str = "",
        retry: bool = False,
        open_only: bool = False,
    ) -> None:
        """Fill the board: `offers` with their records, and how many alerts of each source are `waiting`.

        `profile` is the digest of the present profile: what was analysed with another is analysed again; what has a
        score of somebody else's is not. With `retry`, what ended in an error is worked on again, from its page on. With
        `open_only`, the store holds offers besides that it was not asked for.
        """
        self._profile = profile
        self._retry = retry
        self._open_only = open_only
        self._offers: dict[str, Offer] = {}
        self._by_name: dict[str, str] = {}
        self._by_text: dict[str, str] = {}
        self._pending: dict[str, Offer] = {}
        self._waiting = Counter({source: count for source, count in (waiting or {}).items() if count > 0})
        for offer in offers:
            self.put(offer)

    @property
    def waiting(self) -> int:
        """How many alerts wait in the mailbox."""
        return self._waiting.total()

    def __len__(self) -> int:
        """Return how many offers the store holds."""
        return len(self._offers)

    def find(self, offer: Offer) -> Offer | None:
        """Return the offer that the store holds, or is about to be given, under the same key or link.

        Where one of both is only known by a tracker's link, which says nothing, it is the one of the same texts.
        """
        for name in _names(offer):
            if name in self._by_name:
                return self._offers[self._by_name[name]]
            if name in self._pending:
                return self._pending[name]
        alike = self._offers.get(self._by_text.get(text_key(offer), ""))
        return alike if alike and text_key(offer) in {offer.key, alike.key} else None

    def to_complete(self) -> list[Offer]:
        """Return the offers that phase 2 has to work on."""
        return [offer for offer in self._offers.values() if self._next(offer) is Status.TO_COMPLETE]

    def to_analyse(self) -> list[Offer]:
        """Return the offers that phase 3 has to work on."""
        return [offer for offer in self._offers.values() if self._next(offer) is Status.TO_ANALYSE]

    def handled(self, source: str) -> None:
        """Take note that an alert of a source waits no longer."""
        if self._waiting[source] > 0:
            self._waiting[source] -= 1

    def intend(self, offer: Offer) -> None:
        """Take note that the store is about to be given an offer as it is here."""
        self._pending |= dict.fromkeys(_names(offer), offer)

    def withdraw(self, offer: Offer) -> None:
        """Take note that the store was not given, or did not take, what was intended."""
        for name in _names(offer):
            self._pending.pop(name, None)

    def put(self, offer: Offer) -> None:
        """Take note that the store holds an offer as it is here: it has its record."""
        self.withdraw(offer)
        if self._open_only and offer.record not in self._offers and offer.status not in OPEN:
            return  # it was left out when the board was filled, and is not brought back by an alert that repeats it
        self._forget_names(offer.record)
        self._offers[offer.record] = offer
        for name in _names(offer):
            self._by_name.setdefault(name, offer.record)
        if text := text_key(offer):
            self._by_text.setdefault(text, offer.record)

    def drop(self, offer: Offer) -> None:
        """Take note that the store holds an offer no longer: somebody deleted its row."""
        self._forget_names(offer.record)
        self._offers.pop(offer.record, None)

    def table(self) -> Table:
        """Return the summary table; also while another thread tells the board of what changed."""
        # Each copied at once. By identity: an offer is pending under its key and under its link.
        offers, waiting, intended = list(self._offers.values()), dict(self._waiting), list(self._pending.values())
        counts = Counter((offer.source, offer.status) for offer in offers)
        counts.update({(source, Status.TO_IMPORT): count for source, count in waiting.items()})
        pending = Counter((o.source, o.status) for o in {id(each): each for each in intended}.values())
        sources = sorted({source for source, _ in [*(+counts), *pending]}, key=str.casefold)
        rows = tuple(_row(source, counts, pending) for source in sources)
        columns = zip(*(row.cells for row in rows), strict=True) if rows else ((Cell(),) for _ in Status)
        totals = tuple(Cell(sum(c.count for c in column), sum(c.pending for c in column)) for column in columns)
        return Table(rows, Row("", totals, sum(cell.count for cell in totals)))

    def _forget_names(self, record: str) -> None:
        before = self._offers.get(record)
        for index, names in ((self._by_name, _names), (self._by_text, lambda offer: [text_key(offer)])):
            for name in names(before) if before else ():
                if index.get(name) == record:
                    del index[name]

    def _next(self, offer: Offer) -> Status | None:
        """Return the column of work that an offer belongs to, if any."""
        status = offer.status
        if not offer.link:
            return None
        if status is Status.ERROR and self._retry:
            status = Status.TO_COMPLETE
        if status is Status.ANALYSED and self._profile and offer.profile not in {"", self._profile}:
            status = Status.TO_ANALYSE
        return status if status in {Status.TO_COMPLETE, Status.TO_ANALYSE} else None


def _names(offer: Offer) -> list[str]:
    return [name for name in dict.fromkeys((offer.key, offer.link)) if name]


def _row(source: str, counts: Mapping[tuple[str, Status], int], pending: Mapping[tuple[str, Status], int]) -> Row:
    cells = tuple(Cell(counts.get((source, each), 0), pending.get((source, each), 0)) for each in Status)
    return Row(source, cells, sum(cell.count for cell in cells))
