"""What changed is given to the store ten offers at a time; the board is told what the store has acknowledged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.offers.board import OfferBoard
from lib.offers.offer import Offer
from lib.offers.stores.base import BATCH, Change, GoneError, RefusedError, Store


@dataclass(frozen=True)
class _Waiting:
    before: Offer | None
    """As the store has it; None for a new one."""
    after: Offer
    stored: Callable[[Offer], None]
    refused: Callable[[str], None]


class Writing:
    """The writes of a run; used by one thread at a time.

    A write waits until there are ten of its kind, new offers or changed ones: so few calls as can be. What waits shows
    as pending on the board. Of a batch that the store refuses, the offer that is the reason is found, and only that one
    is not written.
    """

    def __init__(self, store: Store, board: OfferBoard) -> None:
        self._store = store
        self._board = board
        self._added: list[_Waiting] = []
        self._changed: list[_Waiting] = []

    def add(self, offer: Offer, stored: Callable[[Offer], None], refused: Callable[[str], None]) -> None:
        """Have a new offer written; `stored` is told the offer with its record, or `refused` the reason, later."""
        self._put(self._added, _Waiting(None, offer, stored, refused))

    def change(
        self, before: Offer, after: Offer, stored: Callable[[Offer], None], refused: Callable[[str], None]
    ) -> None:
        """Have an offer written that the store holds as it was `before`; told of as by `add`."""
        self._put(self._changed, _Waiting(before, after, stored, refused))

    def flush(self) -> None:
        """Write what waits. Raises UnavailableError; what was not written is pending no more."""
        for queue in (self._added, self._changed):
            self._write(queue)

    def forget(self) -> None:
        """Write no more: what waits is pending no more."""
        for each in (*self._added, *self._changed):
            self._board.withdraw(each.after)
        self._added.clear()
        self._changed.clear()

    def _put(self, queue: list[_Waiting], new: _Waiting) -> None:
        self._board.intend(new.after)
        queue.append(new)
        if len(queue) == BATCH:
            self._write(queue)

    def _write(self, queue: list[_Waiting]) -> None:
        batch = queue.copy()
        if not batch:
            return
        try:
            self._try(batch)
        except BaseException:
            self.forget()
            raise
        queue.clear()

    def _try(self, batch: Sequence[_Waiting]) -> None:
        try:
            written = self._give(batch)
        except RefusedError as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                self._try(batch[:middle])
                self._try(batch[middle:])
            else:
                self._refuse(batch[0], error)
            return
        for each, offer in zip(batch, written, strict=True):
            self._board.withdraw(each.after)
            self._board.put(offer)
            each.stored(offer)

    def _refuse(self, each: _Waiting, error: RefusedError) -> None:
        self._board.withdraw(each.after)
        if isinstance(error, GoneError) and each.before is not None:
            self._board.drop(each.before)
        each.refused(str(error))

    def _give(self, batch: Sequence[_Waiting]) -> list[Offer]:
        changes = [Change(each.before, each.after) for each in batch if each.before is not None]
        return self._store.change(changes) if changes else self._store.add([each.after for each in batch])
