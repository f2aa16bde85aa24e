"""A server on this machine that behaves as Airtable's Web API does towards a base with a table of offers.

    with airtable(offers=[{"Lien": "https://…", "Statut": "A compléter"}]) as server:
        store = AirtableStore(server.options(), server.token, server.endpoint)

It keeps pages, batches, the types of fields, the options of selects, upserts, formulas (really evaluated), the rate and
its penalty, and the service's words when it refuses; `server.fail(…)` makes a request fail in passing.
"""

import copy
import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from regie_toy_formula import Formula, FormulaError

from lib.offers.offer import Offer
from lib.offers.statuses import StatusNames
from lib.offers.stores.options import AirtableFields, AirtableOptions, StoreOptions
from lib.offers.stores.rows import row_of

BASE, TABLE = "appToyOfOffers001", "Offres"
TOKEN = "patToy." + "5eC2e7" * 8
PAGE, BATCH = 100, 10
LONGEST = 100_000
NAMES = AirtableFields()
TYPES = {
    **dict.fromkeys(NAMES.model_dump().values(), "singleLineText"),
    **dict.fromkeys((NAMES.description, NAMES.reasons, NAMES.note), "multilineText"),
    NAMES.published: "date",
    NAMES.expires: "date",
    NAMES.seen: "dateTime",
    NAMES.status: "singleSelect",
    NAMES.score: "number",
}
"""Types of the fields of the table, by their names."""
TEXT_TYPES = {"singleLineText", "multilineText", "richText", "url", "email", "phoneNumber"}
MERGED_TYPES = {"singleLineText", "multilineText", "number", "date", "singleSelect", "multipleSelects"}
"""What the service can find rows again by; not a URL, for one."""


class RefusedError(Exception):
    """The answer to a request that is not granted."""

    def __init__(self, status: int, kind: str, message: str = "") -> None:
        super().__init__(kind)
        self.status = status
        self.body = {"error": {"type": kind, "message": message}} if message else {"error": kind}


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Any
    token: str
    at: float


@dataclass(frozen=True)
class Failure:
    """How the next request fails: with an answer, or (status 0) with none, before or after it was carried out."""

    status: int
    body: object = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False
    delay: float = 0.0


class Airtable:
    """The base and its server."""

    def __init__(self, fields: Mapping[str, str] | None, statuses: Iterable[str] | None, rate: int | None) -> None:
        self.types = dict(TYPES if fields is None else fields)
        names = StatusNames()
        self.choices: dict[str, list[str]] = {
            name: [] for name, kind in self.types.items() if kind in {"singleSelect", "multipleSelects"}
        }
        if NAMES.status in self.choices:
            self.choices[NAMES.status] = list(names.model_dump().values() if statuses is None else statuses)
        self.token = TOKEN
        self.base, self.table = BASE, TABLE
        self.scopes = {"data.records:read", "data.records:write", "schema.bases:read"}
        self.may_add_options = True
        self.defaults: dict[str, Any] = {}
        """Cells that a new row has by itself."""
        self.endpoint = ""
        self.rate = rate
        """Requests a second; None for as many as come."""
        self.window, self.penalty = 1.0, 30.0
        """Seconds that the rate is counted over, and that everything is refused for when it is passed."""
        self.requests: list[Request] = []
        """Every request since the start, in order."""
        self.records: dict[str, dict[str, Any]] = {}
        """The fields of each row by its id, as the base holds them: change them as a person would."""
        self.lock = threading.RLock()
        self._failures: deque[Failure] = deque()
        self._times: deque[float] = deque()
        self._barred_until = 0.0
        self._made = 0

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The fields of each row, in order."""
        with self.lock:
            return copy.deepcopy(list(self.records.values()))

    def options(self, **more: Any) -> StoreOptions:
        """Options of a store that keeps its offers here, with a rate that does not hold up tests."""
        return StoreOptions(
            airtable=AirtableOptions(base=self.base, table=self.table, requests_per_second=50),
            **more,
        )

    def put(self, row: Offer | Mapping[str, Any]) -> str:
        """Add a row as a person would, of whatever values; return its id."""
        if isinstance(row, Offer):
            fields = NAMES.model_dump()
            row = {fields[name]: value for name, value in row_of(row, StatusNames()).items()}
        with self.lock:
            self._made += 1
            record = f"rec{self._made:014d}"
            self.records[record] = {name: value for name, value in row.items() if value is not None}
            return record

    def fail(
        self,
        status: int = 503,
        *,
        times: int = 1,
        body: object = "",
        headers: Mapping[str, str] | None = None,
        after: bool = False,
        delay: float = 0.0,
    ) -> None:
        """Have the next requests fail; with status 0 the connection is cut, with `after` when all was carried out."""
        self._failures.extend([Failure(status, body, headers or {}, after, delay)] * times)

    def answer(self, request: Request) -> tuple[int, object, Mapping[str, str]] | None:
        """Return status, body and headers of the answer; None when the connection is cut."""
        with self.lock:
            self.requests.append(request)
            failure = self._failures.popleft() if self._failures else None
            if failure and failure.delay:
                time.sleep(failure.delay)
            if failure and not failure.after:
                return (failure.status, failure.body, failure.headers) if failure.status else None
            try:
                self._count(request.at)
                body = self._carry_out(request)
            except RefusedError as refused:
                return refused.status, refused.body, {}
            if failure:
                return (failure.status, failure.body, failure.headers) if failure.status else None
            return 200, body, {}

    def _count(self, now: float) -> None:
        if self.rate is None:
            return
        while self._times and self._times[0] <= now - self.window:
            self._times.popleft()
        self._times.append(now)
        if len(self._times) > self.rate:
            self._barred_until = now + self.penalty
        if now < self._barred_until:
            raise RefusedError(429, "RATE_LIMIT_REACHED", "Rate limit exceeded. Please try again later")

    def _carry_out(self, request: Request) -> object:
        if not request.token:
            raise RefusedError(401, "AUTHENTICATION_REQUIRED", "Authentication required")
        if request.token != self.token:
            raise RefusedError(401, "UNAUTHORIZED", "Invalid authentication token")
        match [unquote(part) for part in request.path.strip("/").split("/")]:
            case ["v0", "meta", "whoami"] if request.method == "GET":
                return {"id": "usrToyOfOffers001", "scopes": sorted(self.scopes)}
            case ["v0", "meta", "bases", base, "tables"] if request.method == "GET":
                self._may("schema.bases:read", base, self.table)
                return {"tables": [self._schema()]}
            case ["v0", base, table] if request.method == "GET":
                self._may("data.records:read", base, table)
                return self._list(_listed(request.query))
            case ["v0", base, table, "listRecords"] if request.method == "POST":
                self._may("data.records:read", base, table)
                return self._list(request.body)
            case ["v0", base, table] if request.method == "PATCH":
                self._may("data.records:write", base, table)
                return self._update(request.body)
            case _:
                raise RefusedError(404, "NOT_FOUND")

    def _may(self, scope: str, base: str, table: str) -> None:
        if scope not in self.scopes or base != self.base or table not in {self.table, "tblToyOfOffers001"}:
            raise RefusedError(
                403,
                "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
                "Invalid permissions, or the requested model was not found. Check that both your user and your token "
                "have the required permissions, and that the model names and/or ids are correct.",
            )

    def _schema(self) -> object:
        def described(name: str, kind: str) -> object:
            about: dict[str, Any] = {"id": _id(name), "name": name, "type": kind}
            if name in self.choices:
                choices = [{"id": f"sel{_id(each)[3:]}", "name": each} for each in self.choices[name]]
                about["options"] = {"choices": choices}
            elif kind == "number":
                about["options"] = {"precision": 1}
            elif kind == "date":
                about["options"] = {"dateFormat": {"name": "iso", "format": "YYYY-MM-DD"}}
            elif kind == "dateTime":
                about["options"] = {
                    "dateFormat": {"name": "iso", "format": "YYYY-MM-DD"},
                    "timeFormat": {"name": "24hour", "format": "HH:mm"},
                    "timeZone": "utc",
                }
            return about

        return {
            "id": "tblToyOfOffers001",
            "name": self.table,
            "primaryFieldId": _id(next(iter(self.types))),
            "fields": [described(name, kind) for name, kind in self.types.items()],
            "views": [{"id": "viwToyOfOffers001", "name": "Grid view", "type": "grid"}],
        }

    def _list(self, asked: Mapping[str, Any]) -> object:
        size = int(asked.get("pageSize") or PAGE)
        if not 1 <= size <= PAGE:
            raise RefusedError(422, "INVALID_PAGE_SIZE", "The page size must be between 1 and 100")
        wanted = asked.get("fields")
        for name in [*(wanted or ()), *(sort["field"] for sort in asked.get("sort") or ())]:
            self._known(name)
        found = list(self.records.items())
        if formula := asked.get("filterByFormula"):
            try:
                holds = Formula(formula, self.types)
                found = [(record, fields) for record, fields in found if holds(fields)]
            except FormulaError as error:
                message = f"The formula for filtering records is invalid: {error}"
                raise RefusedError(422, "INVALID_FILTER_BY_FORMULA", message) from None
        for sort in reversed(asked.get("sort") or ()):
            descending = sort.get("direction") == "desc"
            filled = [each for each in found if sort["field"] in each[1]]
            empty = [each for each in found if sort["field"] not in each[1]]
            filled.sort(key=lambda each, name=sort["field"]: _sortable(each[1][name]), reverse=descending)  # type: ignore[misc]
            found = filled + empty if descending else empty + filled
        if most := asked.get("maxRecords"):
            found = found[: int(most)]
        start = 0
        if offset := asked.get("offset"):
            if not re.fullmatch(r"itrToy/\d+", offset):
                raise RefusedError(422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "The iterator is not available any more")
            start = int(offset.partition("/")[2])
        answer: dict[str, Any] = {
            "records": [_record(record, fields, wanted) for record, fields in found[start : start + size]]
        }
        if start + size < len(found):
            answer["offset"] = f"itrToy/{start + size}"
        return answer

    def _update(self, body: Any) -> object:
        records = body.get("records") if isinstance(body, dict) else None
        if not isinstance(records, list) or not records:
            raise RefusedError(
                422, "INVALID_REQUEST_MISSING_FIELDS", 'Could not find field "records" in the request body'
            )
        if len(records) > BATCH:
            raise RefusedError(
                422, "INVALID_RECORDS", 'You must provide an array of up to 10 record objects, each with "fields".'
            )
        upsert, cast = body.get("performUpsert"), bool(body.get("typecast"))
        before = copy.deepcopy((self.records, self.choices))
        created, updated, answered = [], [], []
        try:
            for each in records:
                fields = {name: self._cell(name, value, cast) for name, value in each["fields"].items()}
                record = each.get("id") or self._match(fields, upsert)
                if record is None:
                    record = self.put(self.defaults)
                    created.append(record)
                elif record not in self.records:
                    raise RefusedError(422, "ROW_DOES_NOT_EXIST", f"Record ID {record} does not exist in this table")  # noqa: TRY301
                else:
                    updated.append(record)
                merged = {**self.records[record], **fields}
                self.records[record] = {name: value for name, value in merged.items() if value not in (None, "", [])}
                answered.append(record)
        except RefusedError:
            self.records, self.choices = before
            raise
        answer: dict[str, Any] = {"records": [_record(record, self.records[record], None) for record in answered]}
        return answer | {"updatedRecords": updated, "createdRecords": created} if upsert else answer

    def _match(self, fields: Mapping[str, Any], upsert: Mapping[str, Sequence[str]] | None) -> str | None:
        if not upsert:
            raise RefusedError(
                422, "INVALID_RECORDS", 'You must provide an array of up to 10 record objects, each with an "id"'
            )
        names = upsert["fieldsToMergeOn"]
        for name in names:
            if self._known(name) not in MERGED_TYPES:
                raise RefusedError(
                    422, "INVALID_REQUEST_UNKNOWN", f'Field "{name}" is of a type that cannot be merged on'
                )
            if fields.get(name) in (None, ""):
                raise RefusedError(422, "INVALID_VALUE_FOR_COLUMN", f'Field "{name}" must have a value to be merged on')
        same = [record for record, row in self.records.items() if all(row.get(name) == fields[name] for name in names)]
        if len(same) > 1:
            raise RefusedError(422, "INVALID_RECORDS", "Cannot update more than one record")
        return same[0] if same else None

    def _known(self, name: str) -> str:
        if name not in self.types:
            raise RefusedError(422, "UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')
        return self.types[name]

    def _cell(self, name: str, value: Any, cast: bool) -> Any:
        kind = self._known(name)
        wrong = RefusedError(422, "INVALID_VALUE_FOR_COLUMN", f'Field "{name}" cannot accept the provided value')
        if value is None:
            return None
        if kind in TEXT_TYPES:
            if cast and isinstance(value, int | float):
                return str(value)
            if not isinstance(value, str) or len(value.encode("utf-16-le")) > 2 * LONGEST:
                raise wrong
            return value
        if kind in {"number", "percent", "currency", "rating"}:
            if cast and isinstance(value, str):
                try:
                    return float(value)
                except ValueError:
                    return None
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise wrong
            return value
        if kind in {"date", "dateTime"}:
            if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value):
                raise wrong
            return value[:10] if kind == "date" else value if "T" in value else f"{value}T00:00:00.000Z"
        if kind == "singleSelect":
            if not isinstance(value, str):
                raise wrong
            self._option(name, value, cast)
            return value
        raise RefusedError(
            422, "INVALID_VALUE_FOR_COLUMN", f'Field "{name}" cannot accept a value because the field is computed'
        )

    def _option(self, name: str, value: str, cast: bool) -> None:
        if value in self.choices[name]:
            return
        if not cast or not self.may_add_options:
            message = f'Insufficient permissions to create new select option ""{value}""'
            raise RefusedError(422, "INVALID_MULTIPLE_CHOICE_OPTIONS", message)
        self.choices[name].append(value)


@contextmanager
def airtable(
    offers: Iterable[Offer | Mapping[str, Any]] = (),
    *,
    fields: Mapping[str, str] | None = None,
    statuses: Iterable[str] | None = None,
    rate: int | None = None,
) -> Iterator[Airtable]:
    """Serve a base with these rows: offers, or fields by their names, of whatever values.

    `fields` are the types of its fields by their names; `statuses` the options of the field of statuses; `rate` how
    many requests a second it takes before it bars everybody for 30 s.
    """
    service = Airtable(fields, statuses, rate)
    for each in offers:
        service.put(each)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, else each answer waits for an acknowledgement

        def handle_all(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            try:
                body = json.loads(content) if content else None
            except ValueError:
                body = None
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            query = parse_qs(parts.query, keep_blank_values=True)
            said = service.answer(Request(self.command, parts.path, query, body, token, time.monotonic()))
            if said is None:
                self.close_connection = True
                return
            status, answer, headers = said
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            self.handle_all()

        def do_POST(self) -> None:
            self.handle_all()

        def do_PATCH(self) -> None:
            self.handle_all()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Whoever asked went away: that is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        service.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


def _listed(query: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the parameters of a list as its body has them where it is asked for by POST."""
    asked: dict[str, Any] = {name: values[0] for name, values in query.items() if "[" not in name}
    if "fields[]" in query:
        asked["fields"] = query["fields[]"]
    sorts = sorted({int(found[1]) for name in query if (found := re.match(r"sort\[(\d+)\]", name))})
    asked["sort"] = [
        {part: query[f"sort[{i}][{part}]"][0] for part in ("field", "direction") if f"sort[{i}][{part}]" in query}
        for i in sorts
    ]
    return asked


def _record(record: str, fields: Mapping[str, Any], wanted: Sequence[str] | None) -> object:
    shown = {name: value for name, value in fields.items() if wanted is None or name in wanted}
    return {"id": record, "createdTime": "2026-01-05T08:00:00.000Z", "fields": shown}


def _sortable(value: Any) -> tuple[bool, float, str]:
    number = isinstance(value, int | float)
    return not number, float(value) if number else 0.0, "" if number else str(value)


def _id(name: str) -> str:
    return "fld" + "".join(f"{ord(letter):x}" for letter in name)[:14].ljust(14, "0")
