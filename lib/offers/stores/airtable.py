"""Offers in a table of Airtable's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pyairtable import Api
from pyairtable.formulas import field_name, quoted
from requests import RequestException

from lib.errors import UnavailableError
from lib.offers.offer import Offer
from lib.offers.statuses import OPEN, Status
from lib.offers.stores.airtable_schema import schema_problems
from lib.offers.stores.airtable_transport import ForbiddenError, Transport
from lib.offers.stores.base import PAGE, Calls, Change, GoneError
from lib.offers.stores.options import StoreOptions
from lib.offers.stores.rows import Row, batch, clean, difference, is_blank, is_empty, offer_of, row_of
from lib.throttle import Throttle

T = TypeVar("T")
_THROTTLES: dict[tuple[str, str], Throttle] = {}
"""One for each base, for all stores of this process together."""


class AirtableStore:
    """Offers in a table of Airtable's, one request per call.

    Writes let Airtable convert (`typecast`): an option that a select lacks is added, where the token's owner may do so.
    The rate is kept by all stores of this process together; other processes that ask the same base are not seen, and
    when the service then says that it is too much (429), it is left alone for as long as it wants.
    """

    def __init__(self, options: StoreOptions, token: str, endpoint: str, *, throttle: Throttle | None = None) -> None:
        """Ask nothing yet. Raises UnavailableError where no base is named, or the token cannot be one."""
        base = options.airtable.base
        if not base:
            raise UnavailableError("No base is named: set offers.store.airtable.base to its id, app…")
        if not token.isascii() or not token.isprintable() or not token or " " in token:
            raise UnavailableError("The token for Airtable is none: it has letters, digits and signs only.")
        rate = options.airtable.requests_per_second
        throttle = throttle or _THROTTLES.setdefault((endpoint, base), Throttle(rate))
        self.calls = Calls()
        self._options = options
        self._names = options.statuses
        self._fields: dict[str, str] = options.airtable.fields.model_dump()
        self._api = Api(token, retry_strategy=None, endpoint_url=endpoint)
        # Else a ~/.netrc with this host would win over the token.
        self._api.session.auth = lambda request: request
        for scheme in ("https://", "http://"):
            self._api.session.mount(scheme, Transport(self.calls, throttle, token))
        self._table = self._api.table(base, options.airtable.table)
        self._known: dict[str, Offer] = {}
        """Rows that are there, by their links: they are never added again."""
        self._all_known = False
        self._bare: set[str] = set()
        """Records that were made here with a link alone and are not filled in yet."""

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"Airtable {self._options.airtable.base}/{self._options.airtable.table}"

    def load(self, *, open_only: bool = False) -> Iterator[list[Offer]]:
        """Give every offer, a page at a time; with `open_only` those with a status that may still be worked on."""
        pages = self._table.iterate(page_size=PAGE, fields=list(self._fields.values()), **self._open(open_only))
        while (page := self._ask(lambda: next(pages, None))) is not None:
            offers = [offer for offer in map(self._offer, page) if not is_empty(offer)]
            self._known |= {offer.link: offer for offer in offers if not is_blank(offer)}
            yield offers
        self._all_known = self._all_known or not open_only

    def find(self, source: str, status: Status, *, limit: int = PAGE) -> list[Offer]:
        """Return the offers of a source (of all when empty) with a status, the best score first."""
        conditions = [self._has(status)]
        if source:
            conditions.append(f"{field_name(self._fields['source'])}={_quoted(source)}")
        records = self._ask(
            lambda: self._table.all(
                page_size=min(limit, PAGE),
                max_records=limit,
                fields=list(self._fields.values()),
                formula=f"AND({', '.join(conditions)})",
                sort=[f"-{self._fields['score']}"],
            )
        )
        offers = [offer for offer in map(self._offer, records) if not is_empty(offer) and offer.status is status]
        return sorted(offers, key=lambda offer: (offer.score is None, -(offer.score or 0)))

    def add(self, offers: Sequence[Offer]) -> list[Offer]:
        """Write at most BATCH new offers and return them, or the rows that their links have already, in order.

        One call where everything was loaded; a row that somebody else made since with the same link is written over.
        Else two: Airtable cannot be told to leave alone what is there, so first the links alone are written, then what
        belongs to those that were not there.
        """
        rows = [row_of(offer, self._names) for offer in batch(offers)]
        new: dict[str, Row] = {}
        for row in rows:
            if str(row["link"]) not in self._known:
                new.setdefault(str(row["link"]), row)
        if new and self._all_known:
            self._known |= self._upsert(new)
        elif new:
            there = self._upsert({link: {"link": link} for link in new})
            bare = [link for link in new if there[link].record in self._bare or is_blank(there[link])]
            written = self._update({there[link].record: new[link] for link in bare})
            self._bare -= set(written)
            self._known |= there | {link: written[there[link].record] for link in bare}
        return [self._known[str(row["link"])] for row in rows]

    def change(self, changes: Sequence[Change]) -> list[Offer]:
        """Write what changed of at most BATCH offers that are there, and return them as they are now.

        A status that somebody has set since is written over: the service does not compare before it writes.
        """
        rows = {each.before.record: difference(each, self._names) for each in batch(changes)}
        try:
            written = self._update({record: row for record, row in rows.items() if row})
        except GoneError:
            if len(changes) == 1:
                # It may be added again.
                self._known.pop(changes[0].before.link, None)
            raise
        self._known |= {offer.link: offer for offer in written.values()}
        return [written.get(each.before.record, each.after) for each in changes]

    def problems(self) -> list[str]:
        """Compare base, table, fields, their types and the statuses with the settings; say what differs."""
        base = self._options.airtable.base
        url = self._api.build_url("meta", "bases", base, "tables")
        try:
            return schema_problems(self._ask(lambda: self._api.get(url)), self._options)
        except ForbiddenError:
            # It is either the scope that is missing, or the base: whether rows can be read tells.
            self._ask(lambda: self._table.all(page_size=1, max_records=1))
            return [
                f"The base {base} can be read, and what it is made of cannot: give the token the scope "
                "schema.bases:read, so that names and types can be compared."
            ]

    def close(self) -> None:
        """Let go of connections."""
        self._api.session.close()

    def _upsert(self, rows: Mapping[str, Row]) -> dict[str, Offer]:
        """Write rows by their links; return, by the same links, what is there then."""
        records = [{"fields": self._cells({k: v for k, v in row.items() if v is not None})} for row in rows.values()]
        answer = self._ask(lambda: self._table.batch_upsert(records, [self._fields["link"]], typecast=True))
        if not self._all_known:
            self._bare |= set(answer["createdRecords"])
        return self._ask(lambda: dict(zip(rows, map(self._offer, answer["records"]), strict=True)))

    def _update(self, rows: Mapping[str, Row]) -> dict[str, Offer]:
        """Write cells of records that are there; return what is there then, by the records."""
        if not rows:
            return {}
        records: list[Any] = [{"id": record, "fields": self._cells(row)} for record, row in rows.items()]
        answer = self._ask(lambda: self._table.batch_update(records, typecast=True))
        return self._ask(lambda: dict(zip(rows, map(self._offer, answer), strict=True)))

    def _cells(self, row: Row) -> dict[str, Any]:
        return {self._fields[name]: value for name, value in row.items()}

    def _offer(self, record: Mapping[str, Any]) -> Offer:
        cells = record["fields"]
        return offer_of(record["id"], {name: cells.get(field) for name, field in self._fields.items()}, self._names)

    def _open(self, open_only: bool) -> dict[str, str]:
        return {"formula": f"OR({', '.join(map(self._has, OPEN))})"} if open_only else {}

    def _has(self, status: Status) -> str:
        """Return the formula of a status, which a person may have written with other capitals."""
        cell = f"LOWER(TRIM({field_name(self._fields['status'])}))"
        if status is not Status.OTHER:
            return f"{cell}={_quoted(self._names.name(status).strip().lower())}"
        ours = (self._names.name(each).strip().lower() for each in Status if each is not Status.OTHER)
        return f"AND({', '.join(f'{cell}!={_quoted(name)}' for name in ours)})"

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (RequestException, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            raise UnavailableError("What answers is not Airtable: check the endpoint.") from None


def _quoted(text: str) -> str:
    """Return a text as a formula has it, which it cannot leave."""
    return quoted(clean(text)).replace("\n", "\\n").replace("\t", "\\t")
