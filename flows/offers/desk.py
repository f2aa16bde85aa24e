"""What the phases of a run share: the mailbox, the store and the one board, opened and loaded once."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from prefect.logging import get_run_logger

from flows.limits import alone
from flows.offers.opening import digest, open_mail, open_store
from flows.view import shown
from lib.errors import InputError, UnavailableError
from lib.offers.analyse.analysis import Spent
from lib.offers.analyse.profile import Profile, read_profile
from lib.offers.board import OfferBoard
from lib.offers.mail.base import Doubt, Envelope, Mailbox
from lib.offers.options import OffersOptions
from lib.offers.shown import document
from lib.offers.stores.base import Store
from lib.offers.writing import Writing
from lib.runs.report import Item


class Desk:
    """A run's mailbox, store and board.

    What is wrong with the mailbox or the profile fails the phase that needs it, and no other.
    """

    def __init__(self, store: Store, mail: str, profile: str, options: OffersOptions) -> None:
        self.store = store
        self.options = options
        self.envelopes: list[Envelope] = []
        self.items: dict[str, list[Item]] = {}
        self.spent: Callable[[], Spent] = Spent
        """Gives what the analyses have used up, those included that failed."""
        self._mail = mail
        self._mailbox: Mailbox | None = None
        self._no_mail: Exception | None = None
        self._profile: Profile | None = None
        self._no_profile: Exception | None = None
        try:
            self._profile = read_profile(Path(profile))
        except (InputError, UnavailableError) as error:
            self._no_profile = error
        self.board = OfferBoard()

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox; InputError or UnavailableError when it could not be opened or looked at."""
        if self._mailbox is None or self._no_mail is not None:
            raise self._no_mail or UnavailableError("The mailbox was not opened.")
        return self._mailbox

    @property
    def profile(self) -> Profile:
        """The profile; InputError when it cannot be read."""
        if self._profile is None:
            raise self._no_profile or InputError("There is no profile.")
        return self._profile

    @property
    def doubts(self) -> Sequence[Doubt]:
        """What in the mailbox looked like an alert and was left alone."""
        return self._mailbox.doubts if self._mailbox else ()

    def load(self) -> None:
        """Ask the mailbox what waits in it, and the store for every offer: the one time that it is read."""
        try:
            self._mailbox = open_mail(self._mail, self.options)
            self.envelopes = self._mailbox.audit()
        except (InputError, UnavailableError) as error:
            self._no_mail = type(error)(f"The mailbox {self._mail} cannot be looked at: {error}")
            get_run_logger().warning("%s", self._no_mail)
        for doubt in self.doubts:
            get_run_logger().warning("Left alone: %s: %s", doubt.name, doubt.reason)
        pages = self.store.load(open_only=self.options.store.open_only)
        self.board = OfferBoard(
            (offer for page in pages for offer in page),
            Counter(envelope.source for envelope in self.envelopes),
            profile=self._profile.digest if self._profile else "",
            retry=self.options.retry,
            open_only=self.options.store.open_only,
        )

    def nothing_for(self, phase: str) -> str:
        """Say that a phase has nothing to do, by the board alone; empty when it has."""
        if phase == "import":
            # What is wrong with the mailbox is for the phase to say.
            idle = self._no_mail is None and not self.envelopes
            return "no alert waits in the mailbox" if idle else ""
        waiting = self.board.to_complete() if phase == "complete" else self.board.to_analyse()
        return "" if waiting else f"nothing to {phase}"

    def writing(self) -> Writing:
        """Return what writes to the store and tells the board."""
        return Writing(self.store, self.board)

    def document(self) -> dict[str, Any]:
        """Return what is shown of the run besides its phases."""
        mail = self._mailbox.name if self._mailbox else self._mail
        names, calls = self.options.store.statuses, self.store.calls
        return document(self.board, names, calls, self.store.name, mail, self.items, self.spent(), self.doubts)

    def close(self) -> None:
        """Let go of the mailbox and the store."""
        with contextlib.suppress(UnavailableError):
            if self._mailbox is not None:
                self._mailbox.close()
        self.store.close()


_DESK: ContextVar[Desk] = ContextVar("_DESK")


@contextlib.contextmanager
def desk(mail: str, store: str, profile: str, options: OffersOptions, *, writes: bool = True) -> Iterator[Desk]:
    """Give the desk of the run that this is called in: the phases of a run share the one that it opened.

    A phase that is run by itself opens its own. What `writes` to a store has it for itself, and waits while another run
    does. Raises InputError and UnavailableError when the store cannot be loaded.
    """
    if (known := _DESK.get(None)) is not None:
        yield known
        return
    with alone(f"offers-{digest(store, options)}", "another run on this store has ended") if writes else nullcontext():
        yield from _opened(Desk(open_store(store, options), mail, profile, options))


def _opened(own: Desk) -> Iterator[Desk]:
    try:
        own.load()
        token = _DESK.set(own)
        try:
            with shown(own.document):
                yield own
        finally:
            _DESK.reset(token)
    finally:
        own.close()
