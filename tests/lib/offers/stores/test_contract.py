"""What every store does, on each of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.offers.offer import Offer
from lib.offers.statuses import OPEN, Status, StatusNames
from lib.offers.stores.base import BATCH, Change, GoneError, RefusedError, Store
from lib.offers.stores.rows import CUT, LONGEST

from .conftest import Place, closing_all, everything, offer


def fill(store: Store, offers: list[Offer]) -> list[Offer]:
    """Add offers ten at a time."""
    return [each for start in range(0, len(offers), BATCH) for each in store.add(offers[start : start + BATCH])]


def test_an_offer_comes_back_as_it_was_given(place: Place) -> None:
    (added,) = place.open().add([offer()])
    assert added.record
    assert replace(added, record="") == offer()
    assert everything(place.open()) == [added]


def test_an_offer_of_which_only_the_link_and_the_key_are_known(place: Place) -> None:
    bare = Offer(link="https://jobs.example/x", key="Indeed:x")
    (added,) = place.open().add([bare])
    assert replace(added, record="") == bare
    assert everything(place.open()) == [added]


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.OTHER])
def test_each_status_is_kept_under_its_name(place: Place, status: Status) -> None:
    names = StatusNames(analysed="Lue", to_complete="À lire")
    store = place.open(statuses=names)
    store.add([offer(status=status)])
    (found,) = everything(place.open(statuses=names))
    assert (found.status, found.label) == (status, "")


def test_a_status_of_the_user_s_own_is_kept_and_never_written_over(place: Place) -> None:
    place.by_hand(link="https://jobs.example/1", title="À voir", status="Entretien")
    store = place.open()
    (found,) = everything(store)
    assert (found.status, found.label) == (Status.OTHER, "Entretien")
    (changed,) = store.change([Change(found, replace(found, note="vue"))])
    assert (changed.status, changed.label, changed.note) == (Status.OTHER, "Entretien", "vue")
    assert everything(place.open()) == [changed]


def test_a_status_may_have_other_capitals_and_spaces(place: Place) -> None:
    place.by_hand(link="https://jobs.example/1", title="Une", status=" à ANALYSER ")
    store = place.open()
    (found,) = everything(store)
    assert found.status is Status.TO_ANALYSE
    assert everything(place.open(), open_only=True) == store.find("", Status.TO_ANALYSE) == [found]


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (1, 1), (100, 1), (101, 2), (200, 2), (250, 3)])
def test_a_page_of_a_hundred_is_one_read(place: Place, count: int, calls: int) -> None:
    offers = fill(place.open(), [offer(number) for number in range(count)])
    store = place.open()
    pages = list(store.load())
    assert [each for page in pages for each in page] == offers
    assert len(pages) == calls
    assert (store.calls.reads, store.calls.writes) == (calls, 0)


def test_only_open_offers_are_loaded_when_only_they_are_asked_for(place: Place) -> None:
    fill(place.open(), [offer(number, status=status) for number, status in enumerate(Status)])
    place.by_hand(link="https://jobs.example/own", title="À part", status="Entretien")
    store = place.open()
    assert {each.status for each in everything(store, open_only=True)} == set(OPEN)
    assert store.calls.reads == 1


def test_a_batch_is_one_write(place: Place) -> None:
    store = place.open()
    list(store.load())
    added = store.add([offer(number) for number in range(BATCH)])
    store.change([Change(each, replace(each, status=Status.TO_ANALYSE, note="lue")) for each in added])
    assert (store.calls.reads, store.calls.writes, store.calls.total) == (1, 2, 3)


def test_nothing_to_write_is_no_call(place: Place) -> None:
    store = place.open()
    (added,) = fill(store, [offer()])
    before = store.calls.total
    assert store.add([]) == store.change([]) == []
    assert store.change([Change(added, added)]) == [added]
    assert store.calls.total == before


def test_more_than_a_batch_is_a_mistake(place: Place) -> None:
    offers = [offer(number) for number in range(BATCH + 1)]
    with pytest.raises(ValueError, match="10 offers at most"):
        place.open().add(offers)
    with pytest.raises(ValueError, match="10 offers at most"):
        place.open().change([Change(each, each) for each in offers])


@pytest.mark.parametrize("open_only", [False, True, None], ids=["all loaded", "open loaded", "nothing loaded"])
def test_a_link_that_is_there_keeps_its_row(place: Place, open_only: bool | None) -> None:
    (there,) = place.open().add([offer(status=Status.IGNORED, title="Première", note="non")])
    store = place.open()
    if open_only is not None:
        list(store.load(open_only=open_only))
    again, new = store.add([offer(title="Seconde", key="Indeed:9", source="Indeed"), offer(2)])
    assert again == there
    assert replace(new, record="") == offer(2)
    assert everything(place.open()) == [there, new]


def test_the_same_call_twice_makes_no_second_row(place: Place) -> None:
    store = place.open()
    list(store.load())
    first = store.add([offer(1), offer(2)])
    assert store.add([offer(1), offer(2)]) == first
    assert place.open().add([offer(1), offer(2)]) == first
    assert place.count() == 2


def test_one_link_twice_in_a_batch_is_one_row(place: Place) -> None:
    for open_only in (False, True):
        store = place.open()
        list(store.load(open_only=open_only))
        number = 10 + open_only
        first, other, second = store.add(
            [offer(number, title="Une"), offer(20 + open_only), offer(number, title="Deux")]
        )
        assert first == second
        assert (first.title, other.title) == ("Une", offer(20 + open_only).title)
    assert place.count() == 4


def test_only_what_differs_is_written(place: Place) -> None:
    store = place.open()
    (added,) = fill(store, [offer()])
    someone = place.open()
    (seen,) = everything(someone)
    someone.change([Change(seen, replace(seen, company="Corrigée à la main"))])
    (changed,) = store.change([Change(added, replace(added, status=Status.ANALYSED, score=12))])
    assert (changed.company, changed.status, changed.score) == ("Corrigée à la main", Status.ANALYSED, 12)
    assert store.add([offer()]) == [changed]
    assert everything(place.open()) == [changed]


def test_what_is_taken_away_is_empty(place: Place) -> None:
    store = place.open()
    (added,) = fill(store, [offer()])
    emptied = replace(added, score=None, published=None, salary="", note="", seen=None)
    assert store.change([Change(added, emptied)]) == [emptied]
    assert everything(place.open()) == [emptied]


# Somebody else writes between `load` and `add` or `change`.


def test_a_row_that_somebody_deleted_is_gone_and_nothing_of_the_batch_is_written(place: Place) -> None:
    fill(place.open(), [offer(1), offer(2), offer(3)])
    store = place.open()
    first, second, third = everything(store)
    place.delete(second.link)
    with pytest.raises(GoneError, match="no longer there: somebody deleted it"):
        store.change([Change(each, replace(each, note="perdue")) for each in (first, second, third)])
    assert everything(place.open()) == [first, third]


def test_a_row_that_was_found_to_be_gone_can_be_added_again(place: Place) -> None:
    fill(place.open(), [offer(1), offer(2)])
    store = place.open()
    first, second = everything(store)
    place.delete(second.link)
    with pytest.raises(GoneError):
        store.change([Change(second, replace(second, note="perdue"))])
    (again,) = store.add([offer(2)])
    assert again.record not in {first.record, second.record}
    assert everything(place.open()) == [first, again]


def test_a_deleted_row_is_added_again_at_once_or_counts_as_there(place: Place) -> None:
    fill(place.open(), [offer()])
    store = place.open()
    (seen,) = everything(store)
    place.delete(seen.link)
    (added,) = store.add([offer(title="Seconde")])
    if place.asks_before_it_writes:
        assert (added.title, place.count()) == ("Seconde", 1)
    else:
        # It is taken to be there still: to ask would be one more call.
        assert (added, place.count()) == (seen, 0)


def test_a_row_in_a_deleted_one_s_place_is_not_changed(place: Place) -> None:
    fill(place.open(), [offer(1)])
    store = place.open()
    (gone,) = everything(store)
    place.delete(gone.link)
    (other,) = place.open().add([offer(2)])
    with pytest.raises(GoneError):
        store.change([Change(gone, replace(gone, title="Perdue", status=Status.EXPIRED))])
    assert other.record != gone.record
    assert everything(place.open()) == [other]


@pytest.mark.parametrize(
    ("was", "own"), [("A compléter", "Ignorée"), ("A compléter", "Entretien"), ("Relance", "Entretien")]
)
def test_a_status_that_somebody_set_meanwhile_stays_or_is_written_over(place: Place, was: str, own: str) -> None:
    fill(place.open(), [offer(1), offer(2)])
    place.edit(offer(1).link, status=was)
    store = place.open()
    first, second = everything(store)
    place.edit(first.link, status=own)
    changes = [Change(each, replace(each, status=Status.TO_ANALYSE, note="lue")) for each in (first, second)]
    changed, other = store.change(changes)
    assert (other.status, other.note) == (Status.TO_ANALYSE, "lue")
    if place.asks_before_it_writes:
        # Nothing else of the change is written either.
        status = StatusNames().status(own)
        assert changed == replace(first, status=status, label=own if status is Status.OTHER else "")
    else:
        assert (changed.status, changed.note) == (Status.TO_ANALYSE, "lue")
    assert everything(place.open()) == [changed, other]


def test_a_status_in_other_capitals_is_none_that_somebody_set_meanwhile(place: Place) -> None:
    place.by_hand(link="https://jobs.example/1", title="Une", status=" à ANALYSER ")
    store = place.open()
    (seen,) = everything(store)
    (changed,) = store.change([Change(seen, replace(seen, status=Status.ANALYSED, score=12))])
    assert (changed.status, changed.score) == (Status.ANALYSED, 12)


def test_other_cells_that_somebody_changed_meanwhile_stay(place: Place) -> None:
    fill(place.open(), [offer()])
    store = place.open()
    (seen,) = everything(store)
    place.edit(seen.link, company="Corrigée à la main")
    (changed,) = store.change([Change(seen, replace(seen, status=Status.TO_ANALYSE))])
    assert (changed.company, changed.status) == ("Corrigée à la main", Status.TO_ANALYSE)


@pytest.mark.parametrize("open_only", [False, True])
def test_a_row_that_somebody_added_meanwhile_is_never_doubled(place: Place, open_only: bool) -> None:
    store = place.open()
    list(store.load(open_only=open_only))
    place.by_hand(link=offer().link, title="À la main", status="Ignorée")
    (added,) = store.add([offer()])
    if place.asks_before_it_writes or open_only:
        assert (added.title, added.status) == ("À la main", Status.IGNORED)
    else:
        # The one call with which it adds where everything was loaded writes over it.
        assert replace(added, record="") == offer()
    assert everything(place.open()) == [added]


def test_an_offer_without_a_link_is_refused_and_nothing_is_written(place: Place) -> None:
    with pytest.raises(RefusedError, match="no link"):
        place.open().add([offer(1), offer(2, link="")])
    with pytest.raises(RefusedError, match="too long"):
        place.open().add([offer(1), offer(2, link="https://jobs.example/" + "x" * 20_000)])
    assert everything(place.open()) == []


def test_find_gives_the_best_scores_first(place: Place) -> None:
    store = place.open()
    scores = [12.0, None, 99.5, 40.0]
    fill(store, [offer(n, score=score, status=Status.ANALYSED) for n, score in enumerate(scores)])
    fill(store, [offer(7, status=Status.EXPIRED), offer(8, source="APEC", status=Status.ANALYSED, score=50)])
    before = store.calls.reads
    assert [each.score for each in store.find("LinkedIn", Status.ANALYSED)] == [99.5, 40, 12, None]
    assert [each.score for each in store.find("", Status.ANALYSED, limit=2)] == [99.5, 50]
    assert store.calls.reads == before + 2


def test_find_takes_other_for_every_status_that_is_none_of_ours(place: Place) -> None:
    place.by_hand(link="https://jobs.example/1", source="Moi", title="Une", status="Entretien")
    place.by_hand(link="https://jobs.example/2", source="Moi", title="Deux")
    place.by_hand(link="https://jobs.example/3", source="Moi", title="Trois", status="Ignorée")
    found = place.open().find("Moi", Status.OTHER)
    assert {(each.title, each.label) for each in found} == {("Une", "Entretien"), ("Deux", "")}


HOSTILE = [
    "x' OR '1'='1",
    'x") OR TRUE() OR ("',
    "\\",
    "\\'",
    "'; DROP TABLE offers; --",
    "{Statut}",
    "a\nb",
    "é\\n",
    "x\ud800",
]


@pytest.mark.parametrize("source", HOSTILE)
def test_find_takes_a_source_for_a_text_and_nothing_else(place: Place, source: str) -> None:
    store = place.open()
    fill(store, [offer(1, source=source), offer(2, source="LinkedIn"), offer(3, source="1")])
    assert [each.link for each in store.find(source, Status.TO_COMPLETE)] == ["https://jobs.example/1"]
    assert store.find(f"{source}'", Status.TO_COMPLETE) == []


def test_rows_made_by_hand_are_read_as_far_as_they_make_sense(place: Place) -> None:
    place.by_hand(
        link="", title="Sans lien", score="quatre-vingts", published="bientôt", expires="2026-04-31", seen="hier"
    )
    place.by_hand(link="https://jobs.example/2", key=7, title=12.5, score="87,5", seen="2026-03-01")
    place.by_hand(title="Seule", published="2026-03-01T10:00:00.000Z")
    first, second, third = everything(place.open())
    assert first == Offer(link="", title="Sans lien", status=Status.OTHER, record=first.record)
    assert (second.key, second.title, second.score) == ("7", "12.5", 87.5)
    assert second.seen == datetime(2026, 3, 1, tzinfo=UTC)
    assert (third.link, third.published) == ("", date(2026, 3, 1))


def test_a_row_that_says_nothing_is_left_out_and_one_with_a_link_alone_is_filled_in(place: Place) -> None:
    place.by_hand(link="https://jobs.example/1")
    place.by_hand(note="à trier")
    assert [each.link for each in everything(place.open())] == ["https://jobs.example/1"]
    for load in (True, False):
        store = place.open()
        if load:
            list(store.load())
        (added,) = store.add([offer()])
        assert replace(added, record="") == offer()
    assert place.count() == 2


def test_texts_that_no_store_takes_are_made_harmless(place: Place) -> None:
    store = place.open()
    added, huge = store.add(
        [
            offer(1, title="a\ud800b\x00c\x1bd", description="une\r\ndeux\ttrois", note="\x85"),
            offer(2, description="é" * (LONGEST + 1), reasons="😀" * LONGEST),
        ]
    )
    assert (added.title, added.description, added.note) == ("a?bcd", "une\ndeux\ttrois", "")
    assert huge.description == "é" * (LONGEST - len(CUT)) + CUT
    assert huge.reasons == "😀" * ((LONGEST - len(CUT)) // 2) + CUT
    assert everything(place.open()) == [added, huge]


def test_moments_are_kept_to_the_second_whatever_their_zone(place: Place) -> None:
    paris = timezone(timedelta(hours=1))
    moments = [datetime(2026, 3, 1, 8, 0, 0, 999, tzinfo=paris), datetime(2026, 3, 1, 7), datetime.max, datetime.min]
    added = place.open().add([offer(number, seen=moment) for number, moment in enumerate(moments)])
    assert added[0].seen == added[1].seen == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert everything(place.open()) == added


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_none(place: Place, score: float) -> None:
    (added,) = place.open().add([offer(score=score)])
    assert added.score is None


@pytest.mark.parametrize("kind", ["sqlite", "airtable"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=60), min_size=6, max_size=6), status=st.sampled_from(Status))
def test_what_was_written_is_what_is_read(
    kind: str, tmp_path_factory: pytest.TempPathFactory, texts: list[str], status: Status
) -> None:
    title, company, note, description, label, source = texts
    given = offer(title=title, company=company, note=note, description=description, source=source, status=status)
    given = replace(given, label=label if status is Status.OTHER else "")
    with closing_all(kind, Path(tmp_path_factory.mktemp("place"))) as place:
        added = place.open().add([given])
        assert everything(place.open()) == added


def test_a_store_that_is_all_right_has_no_problems(place: Place) -> None:
    store = place.open()
    assert store.problems() == []


def test_its_name_is_for_people_and_its_representation_has_no_secret(place: Place) -> None:
    store = place.open()
    assert store.name in {"SQLite offers.db", "Airtable appToyOfOffers001/Offres"}
    assert "patToy" not in repr(store) + store.name
