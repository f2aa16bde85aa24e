"""What rules go by: the facts of an offer, from its fields or, where these say nothing, its title and description."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from lib.offers.analyse.facts import Remote, contracts_in, remote_in
from lib.offers.analyse.likeness import Like, Likeness
from lib.offers.analyse.pay import Pay, pay_in
from lib.offers.analyse.words import fold, mentions
from lib.offers.offer import Offer

READ_CHARACTERS = 50_000
"""What is read of a description."""
FIELD_CHARACTERS = 1_000
"""What is read of any other field."""


class Reading:
    """An offer as it is read for marks."""

    def __init__(self, offer: Offer, likeness: Likeness) -> None:
        self._title, company, self.place, self._contract, self._salary, self._remote = (
            " ".join(text[:FIELD_CHARACTERS].split())
            for text in (offer.title, offer.company, offer.place, offer.contract, offer.salary, offer.remote)
        )
        description = offer.description[:READ_CHARACTERS]
        self.is_described = bool(description.strip())
        self._texts = (self._title, description)
        self._folded_title = fold(self._title)
        self._folded = fold(f"{self._title} . {company} . {description}")
        self._likeness = likeness

    @cached_property
    def likes(self) -> Mapping[str, Like]:
        """How like its words are to each criterion."""
        return self._likeness.of(" ".join(self._texts))

    @cached_property
    def remote(self) -> Remote | None:
        """How much work from home there is."""
        field = self._remote
        told = [remote_in(self.place, "full"), *(remote_in(text, None) for text in (field, *self._texts))]
        # A field that says “Remote” may mean some days; where nothing says how many, it means what it says.
        told.append(remote_in(field, "full" if fold(field) == "remote" else "partial"))
        told += [remote_in(text) for text in self._texts]
        return next((each for each in told if each), None)

    @cached_property
    def contracts(self) -> tuple[str, ...]:
        """The kinds of contract that it speaks of."""
        return next((found for text in (self._contract, *self._texts) if (found := contracts_in(text))), ())

    @cached_property
    def pay(self) -> Pay | None:
        """What is paid."""
        return pay_in(self._salary, only_pay=True) or next(filter(None, map(pay_in, self._texts)), None)

    def first_of(self, words: Iterable[str]) -> str | None:
        """Return the first of the words that it has."""
        return next((word for word in words if mentions(self._folded, word)), None)

    def in_title(self, words: Iterable[str]) -> bool:
        """Whether its title has any of the words."""
        return any(mentions(self._folded_title, word) for word in words)
