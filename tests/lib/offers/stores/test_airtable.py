"""What is particular about offers in a table of Airtable's, against a server that behaves as Airtable does."""

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from regie_toy_airtable import NAMES, TYPES, Airtable, airtable

from lib.errors import InputError, UnavailableError
from lib.offers.statuses import Status, StatusNames
from lib.offers.stores import airtable_transport
from lib.offers.stores.airtable import AirtableStore
from lib.offers.stores.base import BATCH, Change, RefusedError
from lib.offers.stores.options import AirtableFields, AirtableOptions, StoreOptions
from lib.offers.stores.rows import is_blank
from lib.throttle import Throttle

from .conftest import Clock, everything, offer


@pytest.fixture
def server() -> Iterator[Airtable]:
    with airtable() as server:
        yield server


@contextmanager
def opened(server: Airtable, clock: Clock | None = None, **options: Any) -> Iterator[AirtableStore]:
    """Open a store that waits without waiting."""
    clock = clock or Clock()
    throttle = Throttle(1000, clock=clock, sleep=clock.sleep)
    with closing(AirtableStore(server.options(**options), server.token, server.endpoint, throttle=throttle)) as store:
        yield store


def loaded(server: Airtable) -> list[Any]:
    """Return all offers, as a process that has just begun sees them."""
    with opened(server) as store:
        return everything(store)


# What is asked.


def test_a_read_asks_for_the_fields_of_an_offer_alone(server: Airtable) -> None:
    server.types["Pièce jointe"] = "multipleAttachments"
    server.put({NAMES.link: "https://jobs.example/1", NAMES.title: "Une", "Pièce jointe": [{"url": "https://x"}]})
    (found,) = loaded(server)
    assert found.title == "Une"
    (request,) = server.requests
    assert sorted(request.query["fields[]"]) == sorted(TYPES)
    assert request.query["pageSize"] == ["100"]


def test_an_offer_is_added_in_one_call_when_everything_was_loaded_and_in_two_when_not(server: Airtable) -> None:
    with opened(server) as store:
        list(store.load())
        store.add([offer(number) for number in range(BATCH)])
        assert (store.calls.reads, store.calls.writes) == (1, 1)
    with opened(server) as store:
        list(store.load(open_only=True))
        store.add([offer(20)])
        assert (store.calls.reads, store.calls.writes) == (1, 2)
    assert [request.method for request in server.requests] == ["GET", "PATCH", "GET", "PATCH", "PATCH"]


def test_a_closed_row_that_was_not_loaded_is_not_touched(server: Airtable) -> None:
    for status in (Status.EXPIRED, Status.IGNORED, Status.ANALYSED):
        server.put(offer(status=status, link=f"https://jobs.example/{status}", title="Avant", note="à la main"))
    before = server.rows
    with opened(server) as store:
        list(store.load(open_only=True))
        added = store.add([offer(link=row[NAMES.link], title="Après") for row in before] + [offer(7)])
        assert [each.title for each in added] == ["Avant", "Avant", "Avant", offer(7).title]
        # That it is there is known now: no more calls.
        before_calls = store.calls.total
        store.add([offer(link=before[0][NAMES.link])])
        assert store.calls.total == before_calls
    assert server.rows[:3] == before


def test_what_changed_is_one_request_with_the_fields_that_differ(server: Airtable) -> None:
    with opened(server) as store:
        added = store.add([offer(number) for number in range(3)])
        server.requests.clear()
        store.change([Change(each, replace(each, note="lue", salary="")) for each in added[:2]])
    (request,) = server.requests
    assert [each["fields"] for each in request.body["records"]] == [{NAMES.note: "lue", NAMES.salary: None}] * 2


def test_the_names_of_the_settings_are_those_that_are_asked_for(server: Airtable) -> None:
    renamed = {"link": "Adresse", "status": "État", "score": "Note /100"}
    fields = AirtableFields(**renamed)
    kinds = {getattr(fields, column): TYPES[getattr(NAMES, column)] for column in NAMES.model_dump()}
    with airtable(fields=kinds) as server:
        server.choices["État"] = ["Nouvelle"]
        options = StoreOptions(
            statuses=StatusNames(to_complete="Nouvelle"),
            airtable=AirtableOptions(base=server.base, table="tblToyOfOffers001", fields=fields),
        )
        with closing(AirtableStore(options, server.token, server.endpoint)) as store:
            (added,) = store.add([offer()])
            assert store.find("LinkedIn", Status.TO_COMPLETE) == everything(store) == [added]
        (row,) = server.rows
        assert (row["Adresse"], row["État"], row["Note /100"]) == (offer().link, "Nouvelle", 71.5)


def test_fields_of_other_types_take_what_they_can(server: Airtable) -> None:
    server.types |= {NAMES.score: "singleLineText", NAMES.seen: "date", NAMES.source: "singleSelect"}
    server.choices[NAMES.source] = []
    with opened(server) as store:
        low, high = store.add([offer(1, score=9), offer(2, score=71.5)])
        assert (high.score, high.source) == (71.5, "LinkedIn")
        # As texts, the service sorts 9 before 71.5.
        assert store.find("LinkedIn", Status.TO_COMPLETE) == [high, low]
    assert server.choices[NAMES.source] == ["LinkedIn"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (["Nantes", "Paris"], "Nantes, Paris"),
        ({"state": "generated", "value": "Nantes", "isStale": False}, "Nantes"),
        ({"id": "usr1", "email": "a@b.example", "name": "Nantes"}, "Nantes"),
        ({"error": "#ERROR!"}, ""),
        ({"specialValue": "NaN"}, ""),
        (True, ""),
        (44, "44"),
        ([["deep"], {"name": "Paris"}, None, 44], "Paris, 44"),
        (["a"] * 5000, ", ".join("a" * 100)),
    ],
)
def test_a_cell_of_another_type_is_read_as_its_text(server: Airtable, cell: object, text: str) -> None:
    server.put({NAMES.link: "https://jobs.example/1", NAMES.title: "Une", NAMES.place: cell, NAMES.score: cell})
    (found,) = loaded(server)
    assert found.place == text
    assert found.score in {None, 44}


# What goes wrong.


@pytest.mark.parametrize("open_only", [True, False])
@pytest.mark.parametrize("cut", [1, 2])
def test_a_write_whose_answer_is_lost_makes_no_second_row(server: Airtable, open_only: bool, cut: int) -> None:
    with opened(server) as store:
        list(store.load(open_only=open_only))
        for _ in range(cut):
            server.fail(0, after=True)
        added = store.add([offer(1), offer(2)])
        assert [replace(each, record="") for each in added] == [offer(1), offer(2)]
        assert store.calls.total == len(server.requests) == 1 + (2 if open_only else 1) + cut
    assert loaded(server) == added


@pytest.mark.parametrize("again", ["all loaded", "open loaded"])
@pytest.mark.parametrize("first", ["all loaded", "open loaded"])
def test_a_process_that_ends_between_the_write_and_its_answer_loses_nothing(
    server: Airtable, first: str, again: str
) -> None:
    with opened(server) as store:
        list(store.load(open_only=first == "open loaded"))
        server.fail(0, after=True)
        server.fail(401, times=2)  # from there on nothing of it arrives
        with pytest.raises(UnavailableError):
            store.add([offer(1), offer(2)])
    assert len(server.rows) == 2
    server._failures.clear()
    with opened(server) as store:
        seen = everything(store, open_only=again == "open loaded")
        there = {each.link for each in seen if not is_blank(each)}
        store.add([each for each in (offer(1), offer(2)) if each.link not in there])
    assert [replace(each, record="") for each in loaded(server)] == [offer(1), offer(2)]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 0])
def test_what_fails_in_passing_is_tried_again_after_a_while(server: Airtable, status: int) -> None:
    clock = Clock()
    server.fail(status, times=3)
    with opened(server, clock) as store:
        assert everything(store) == []
        assert store.calls.reads == len(server.requests) == 4
    # Half a second to one, then twice and four times as much.
    assert 3.5 <= sum(clock.slept) <= 7


@pytest.mark.parametrize(("status", "words"), [(503, r"out of order \(503\)"), (0, r"cannot be reached \(Connection")])
def test_what_goes_on_failing_is_given_up_with_words(server: Airtable, status: int, words: str) -> None:
    server.fail(status, times=50)
    with opened(server) as store:
        with pytest.raises(UnavailableError, match=f"{words}.*asked 5 times"):
            everything(store)
        assert store.calls.reads == len(server.requests) == 5


def test_a_server_that_is_not_there_is_said_to_be_away() -> None:
    clock = Clock()
    throttle = Throttle(5, clock=clock, sleep=clock.sleep)
    options = StoreOptions(airtable=AirtableOptions(base="app1"))
    with (
        closing(AirtableStore(options, "pat1", "http://127.0.0.1:9", throttle=throttle)) as store,
        pytest.raises(UnavailableError, match=r"127.0.0.1:9 cannot be reached \(ConnectionError\)"),
    ):
        store.add([offer()])


def test_a_busy_service_is_left_alone_for_thirty_seconds(server: Airtable) -> None:
    clock = Clock()
    server.fail(429, body={"error": {"type": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded."}})
    with opened(server, clock) as store:
        assert everything(store) == []
    assert sum(clock.slept) == pytest.approx(30)


def test_a_busy_service_is_left_alone_for_as_long_as_it_asks(server: Airtable) -> None:
    clock = Clock()
    server.fail(429, headers={"Retry-After": "7"})
    with opened(server, clock) as store:
        assert everything(store) == []
    assert sum(clock.slept) == pytest.approx(7)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ({"headers": {"Retry-After": "7200"}}, "wait of 7200 s"),
        (
            {"body": {"error": {"type": "PUBLIC_API_BILLING_LIMIT_EXCEEDED", "message": "-"}}},
            "no more calls this month",
        ),
    ],
)
def test_a_wait_that_is_too_long_is_not_waited_for(server: Airtable, failure: dict[str, Any], words: str) -> None:
    clock = Clock()
    server.fail(429, **failure)
    with opened(server, clock) as store, pytest.raises(UnavailableError, match=words):
        everything(store)
    assert clock.slept == []
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            401,
            {"error": {"type": "UNAUTHORIZED", "message": "Invalid token"}},
            "make a new one, and give it by AIRTABLE",
        ),
        (403, {"error": {"type": "INVALID_PERMISSIONS", "message": "-"}}, "scopes data.records:read"),
        (404, {"error": "NOT_FOUND"}, r"no such base or table \(NOT_FOUND\)"),
        (422, {"error": {"type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE", "message": "-"}}, "load it again"),
        (302, "", "is it Airtable"),
        (418, b"teapot", r"answers 418 \(status 418\)"),
        (200, b"<html>", "not Airtable: check the endpoint"),
        (200, {"records": [{"id": "rec1"}]}, "not Airtable: check the endpoint"),
        (200, {"records": "none"}, "not Airtable: check the endpoint"),
        (200, [], "not Airtable: check the endpoint"),
        (200, b"[" * 100_000, "not Airtable: check the endpoint"),
    ],
)
def test_what_trying_again_does_not_mend_is_said_at_once(
    server: Airtable, status: int, body: object, words: str
) -> None:
    server.fail(status, body=body)
    with opened(server) as store, pytest.raises(UnavailableError, match=words):
        everything(store)
    assert len(server.requests) == 1


def test_a_redirection_is_not_followed(server: Airtable) -> None:
    with airtable() as elsewhere:
        server.fail(307, headers={"Location": f"{elsewhere.endpoint}/v0/{server.base}/Offres"})
        with opened(server) as store, pytest.raises(UnavailableError, match="to which the token does not go"):
            everything(store)
        assert elsewhere.requests == []


def test_an_answer_that_does_not_end_is_not_read_to_its_end(server: Airtable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airtable_transport, "ANSWER_BYTES", 100_000)
    server.fail(200, body=b"x" * 5_000_000)
    with opened(server) as store, pytest.raises(UnavailableError, match="far too much"):
        everything(store)


def test_a_batch_that_is_refused_is_not_written_and_the_service_s_words_are_told(server: Airtable) -> None:
    server.types[NAMES.note] = "formula"
    with opened(server) as store:
        with pytest.raises(RefusedError, match='INVALID_VALUE_FOR_COLUMN: Field "Note" cannot accept') as refused:
            store.add([offer(1, note=""), offer(2)])
        assert "computed" in str(refused.value)
    assert [set(row) - {NAMES.link} for row in server.rows] in ([], [set(), set()])


def test_what_was_refused_after_its_link_was_written_can_be_added_by_itself(server: Airtable) -> None:
    server.types[NAMES.note] = "formula"
    server.defaults = {NAMES.status: "A importer"}
    with opened(server) as store:
        list(store.load(open_only=True))
        with pytest.raises(RefusedError):
            store.add([offer(1, note=""), offer(2)])
        (added,) = store.add([offer(1, note="")])
        assert replace(added, record="") == offer(1, note="")
        assert store.add([offer(1)]) == [added]


def test_one_link_in_two_rows_of_a_person_s_is_refused(server: Airtable) -> None:
    for _ in range(2):
        server.put(offer(status=Status.IGNORED))
    with opened(server) as store:
        with pytest.raises(RefusedError, match="Cannot update more than one record"):
            store.add([offer()])
        list(store.load())
        assert store.add([offer()])[0].status is Status.IGNORED


def test_a_status_that_may_not_be_added_is_refused(server: Airtable) -> None:
    server.choices[NAMES.status].remove("A compléter")
    server.may_add_options = False
    with opened(server) as store, pytest.raises(RefusedError, match="Insufficient permissions to create new select"):
        store.add([offer()])


def test_a_field_that_is_not_there_is_told_of_when_it_is_read(server: Airtable) -> None:
    del server.types[NAMES.key]
    with opened(server) as store, pytest.raises(InputError, match=r'Unknown field name: "Clé".*regie offers check'):
        everything(store)


def test_the_token_is_in_no_message(server: Airtable) -> None:
    def words(status: int, act: Callable[[AirtableStore], object]) -> str:
        server.fail(status, times=5, body={"error": {"type": "ODD", "message": f"no {server.token} {'long ' * 999}"}})
        with opened(server) as store, pytest.raises((UnavailableError, InputError)) as raised:
            act(store)
        server._failures.clear()
        return "".join(traceback.format_exception(raised.value))

    for status in (400, 401, 403, 404, 418, 422, 429, 500):
        for act in (everything, lambda store: store.add([offer()]), lambda store: store.problems()):
            said = words(status, act)
            assert server.token not in said
            assert "long " * 100 not in said


@pytest.mark.parametrize("token", ["", "two words", "pat\nX-Evil: 1", "clé"])
def test_what_cannot_be_a_token_is_not_tried_and_not_told(server: Airtable, token: str) -> None:
    with pytest.raises(UnavailableError, match="token for Airtable is none") as wrong:
        AirtableStore(server.options(), token, server.endpoint)
    assert not token or token not in str(wrong.value)


def test_a_base_that_is_not_named_is_asked_for() -> None:
    with pytest.raises(UnavailableError, match=r"set offers\.store\.airtable\.base to its id"):
        AirtableStore(StoreOptions(), "pat1", "https://airtable.example")


def test_a_login_of_the_machine_does_not_take_the_token_s_place(
    server: Airtable, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with opened(server) as store:
        everything(store)
    assert server.requests[0].token == server.token


# The rate.


def test_stores_of_one_base_keep_the_rate_together() -> None:
    with airtable(rate=5) as server:
        server.window, server.penalty = 0.2, 60.0
        throttle = Throttle(5, 0.2)
        with (
            closing(AirtableStore(server.options(), server.token, server.endpoint, throttle=throttle)) as first,
            closing(AirtableStore(server.options(), server.token, server.endpoint, throttle=throttle)) as second,
        ):
            threads = [
                threading.Thread(target=lambda store=store: [everything(store) for _ in range(6)])
                for store in (first, second)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            # Nothing was refused: a refusal would have been asked again.
            assert first.calls.reads == second.calls.reads == 6
        assert len(server.requests) == 12


def test_stores_that_are_opened_apart_share_the_rate_of_their_base(server: Airtable) -> None:
    with (
        closing(AirtableStore(server.options(), server.token, server.endpoint)) as first,
        closing(AirtableStore(server.options(), server.token, server.endpoint)) as second,
    ):
        gates = [each._api.session.get_adapter(server.endpoint)._throttle for each in (first, second)]
    assert gates[0] is gates[1]


# Comparing the base with the settings.


def problems(server: Airtable, **options: Any) -> list[str]:
    with opened(server, **options) as store:
        found = store.problems()
        assert store.calls.total == len(server.requests)
        return found


def test_a_table_under_another_name(server: Airtable) -> None:
    server.table = "Offre"
    options = StoreOptions(airtable=AirtableOptions(base=server.base))
    with closing(AirtableStore(options, server.token, server.endpoint)) as store:
        # The toy lets nobody in whose table has another name; the service describes the base all the same.
        server.table = "Offres"
        described = server._schema()
        server.fail(200, body={"tables": [{**described, "name": "Offre"}]})  # type: ignore[dict-item]
        (problem,) = store.problems()
    assert "no table “Offres” (it has “Offre”): rename one, or set offers.store.airtable.table" in problem


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({NAMES.key: None}, "no field “Clé”: add it as Single line text, or set offers.store.airtable.fields.key"),
        ({NAMES.key: None, "clé": "singleLineText"}, "no field “Clé” (it has “clé”)"),
        ({NAMES.remote: None, "Teletravail": "singleLineText"}, "no field “Télétravail” (it has “Teletravail”)"),
        ({NAMES.score: None}, "no field “Score”: add it as Number"),
        ({NAMES.seen: None}, "no field “Reçue le”: add it as Date with a time"),
        ({NAMES.score: "checkbox"}, "“Score” is of the type checkbox: make it Number"),
        ({NAMES.link: "url"}, "“Lien” is of the type url: make it Single line text"),
        ({NAMES.status: "multipleSelects"}, "“Statut” is of the type multipleSelects: make it Single select"),
        ({NAMES.published: "formula"}, "“Publiée le” is of the type formula: make it Date"),
    ],
)
def test_fields_that_differ_are_named_with_what_to_do(
    server: Airtable, fields: dict[str, str | None], words: str
) -> None:
    server.types = {name: kind for name, kind in (server.types | fields).items() if kind is not None}
    (problem,) = problems(server)
    assert words in problem


def test_statuses_that_are_missing_or_misspelt_are_named(server: Airtable) -> None:
    server.choices[NAMES.status] = [
        "A importer",
        "A completer",
        "À analyser",
        "analysée",
        "Expirée",
        "Ignorée",
        "Mienne",
    ]
    first, second, third = problems(server)
    assert "no option “A compléter” (it has “A completer”): add it, or set offers.store.statuses.to_complete" in first
    assert "no option “Analysée” (it has “analysée”)" in second
    assert "no option “Erreur”: add it" in third


def test_a_scope_that_is_missing_is_told_from_a_base_that_is(server: Airtable) -> None:
    server.scopes -= {"schema.bases:read"}
    (problem,) = problems(server)
    assert "give the token the scope schema.bases:read" in problem
    server.scopes.clear()
    with pytest.raises(UnavailableError, match="or there is no such base or table"):
        problems_of_any(server)


def problems_of_any(server: Airtable) -> list[str]:
    with opened(server) as store:
        return store.problems()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"tables": None},
        {"tables": [None, 3, {"name": 4}]},
        [],
        {"tables": [{"name": "Offres", "fields": [[], {}]}]},
    ],
)
def test_a_description_that_makes_no_sense_is_a_problem_and_no_crash(server: Airtable, answer: object) -> None:
    server.fail(200, body=answer)
    assert problems(server)
