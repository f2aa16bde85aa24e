"""Offers of alerts: each once, with its own address where that can be known."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lib.errors import InputError
from lib.offers.alerts.conversion import offers_of
from lib.offers.alerts.parsing import read_alert
from lib.offers.offer import Offer, fingerprint, text_key
from lib.offers.statuses import Status

from .conftest import letter
from .layouts import token

TRACKED = "https://r.emails4.alertes.cadremploi.fr/tr/cl/{}"
OWN = "https://www.cadremploi.fr/emploi/detail_offre?offreId={}"
VIEW = "https://www.linkedin.com/comm/jobs/view/43000000{:02}/?trackingId=x"


def cadremploi(*titles: str) -> str:
    rows = "".join(
        f'<tr><td><table><tr><td><a href="{TRACKED.format(f"t{number}")}">{title}</a></td></tr>'
        f"<tr><td>Firm • Paris • CDI</td></tr>"
        f'<tr><td><a href="{TRACKED.format(f"b{number}")}">Voir l\'offre</a></td></tr></table></td></tr>'
        for number, title in enumerate(titles)
    )
    return f'<table>{rows}</table><a href="{TRACKED.format("all")}">Voir toutes les offres</a>'


def offers(html: str, source: str, resolve: Callable[[str], str | None] = lambda link: None) -> list[Offer]:
    return offers_of(read_alert(letter(html), source), source, resolve)


def test_an_offer_is_what_the_alert_says() -> None:
    html = f'<td><a href="{VIEW.format(1)}">Data Analyst</a><p>Firm · Lyon (Hybride)</p><p>45 k€</p><p>CDI</p></td>'
    assert offers(html, "LinkedIn") == [
        Offer(
            link="https://www.linkedin.com/jobs/view/4300000001", key="LinkedIn:4300000001", source="LinkedIn",
            title="Data Analyst", company="Firm", place="Lyon", contract="CDI", salary="45 k€", remote="Hybride",
            status=Status.TO_COMPLETE, seen=datetime(2026, 11, 2, 6, 30, tzinfo=UTC),
        )
    ]  # fmt: skip


def test_an_offer_shown_twice_is_one() -> None:
    card = f'<tr><td><a href="{VIEW.format(1)}">Data Analyst</a><p>Firm</p></td></tr>'
    other = card.replace("43000000", "43000099").replace("Analyst", "Engineer")
    found = offers(f"<table>{card}{other}{card.replace('?', '/?refId=2&')}</table>", "LinkedIn")
    assert [offer.title for offer in found] == ["Data Analyst", "Data Engineer"]


def test_a_picture_above_the_offer_takes_nothing_from_it() -> None:
    picture = f'<tr><td><a href="{VIEW.format(1)}"><img></a></td></tr>'
    other = f'<tr><td><a href="{VIEW.format(2)}">Other</a></td></tr>'
    card = f'<tr><td><a href="{VIEW.format(1)}">Data Analyst</a><p>Firm</p></td></tr>'
    found = offers(f"<table>{picture}{other}{card}</table>", "LinkedIn")
    assert {offer.key: offer.title for offer in found} == {
        "LinkedIn:4300000001": "Data Analyst",
        "LinkedIn:4300000002": "Other",
    }


def test_of_an_offer_shown_twice_the_fuller_is_taken() -> None:
    heading = f'<tr><td><h1><a href="{VIEW.format(1)}">Data Analyst</a></h1></td></tr>'
    other = f'<tr><td><a href="{VIEW.format(2)}">Other</a></td></tr>'
    card = f'<tr><td><a href="{VIEW.format(1)}">Data Analyst</a><p>Firm</p></td></tr>'
    found = offers(f"<table>{heading}{other}{card}{heading}</table>", "LinkedIn")
    assert [(offer.title, offer.company) for offer in found] == [("Data Analyst", "Firm"), ("Other", "")]


def test_a_tracker_is_asked_once_per_offer_where_it_leads() -> None:
    asked: list[str] = []

    def resolve(link: str) -> str:
        asked.append(link)
        return OWN.format(f"77{len(asked)}") + "&token=who"

    found = offers(cadremploi("Data Analyst", "Data Engineer"), "Cadremploi", resolve)
    assert asked == [TRACKED.format("t0"), TRACKED.format("t1")]
    assert [(offer.key, offer.link) for offer in found] == [
        ("Cadremploi:771", OWN.format("771")),
        ("Cadremploi:772", OWN.format("772")),
    ]


def test_who_says_where_it_leads_is_not_asked() -> None:
    def resolve(link: str) -> str | None:
        raise AssertionError(link)

    html = f'<td><a href="{VIEW.format(1)}">Data Analyst</a></td>'
    assert len(offers(html, "LinkedIn", resolve)) == 1
    added = '<td><a href="https://jobs.example/jobs/1?utm_source=x">Data Analyst H/F</a><p>Firm</p></td>'
    assert [offer.link for offer in offers(added, "Example", resolve)] == ["https://jobs.example/jobs/1"]


@pytest.mark.parametrize(
    ("end", "link"),
    [
        (None, TRACKED.format("t0")),
        ("https://www.cadremploi.fr/emploi/liste_offres", TRACKED.format("t0")),
        ("https://cadremploi.fr.evil.example/a?offreId=1", "https://cadremploi.fr.evil.example/a?offreId=1"),
        ("https://careers.firm.example/jobs/4?utm_source=x&email=me@x.fr", "https://careers.firm.example/jobs/4"),
        ("https://careers.firm.example/", TRACKED.format("t0")),
        ("javascript:alert(1)", TRACKED.format("t0")),
        ("https://www.cadremploi.fr@evil.example/x", TRACKED.format("t0")),
    ],
)  # fmt: skip
def test_an_offer_whose_number_stays_unknown_is_known_by_what_it_says(end: str | None, link: str) -> None:
    (offer,) = offers(cadremploi("Data Analyst"), "Cadremploi", lambda _: end)
    assert offer.key == fingerprint("Cadremploi", "Data Analyst", "Firm", "Paris")
    assert offer.link == link


SAME = '<tr><td><p><a href="{}">Data Analyst H/F</a></p><p>Firm</p><p>Paris, France</p></td></tr>'
BARE = '<tr><td><p><a href="{}">Data Analyst H/F</a></p><p>CDI</p></td></tr>'


@pytest.mark.parametrize("card", [SAME, BARE], ids=["all said alike", "a title only"])
def test_two_offers_of_a_site_with_addresses_of_their_own_are_two(card: str) -> None:
    pages = [f"https://jobs.example/offer/{number}" for number in (1, 2)]
    found = offers(f"<table>{''.join(card.format(page + '?utm_source=x') for page in pages)}</table>", "Example")
    assert [(offer.key, offer.link) for offer in found] == [(fingerprint("Example", page), page) for page in pages]


def test_two_trackers_of_one_alert_with_the_same_texts_are_of_one_offer() -> None:
    assert len(offers(cadremploi("Data Analyst", "Data Analyst"), "Cadremploi")) == 1


def test_offers_of_trackers_that_have_nothing_but_a_title_are_not_known_by_it() -> None:
    rows = "".join(BARE.format(TRACKED.format(number)) for number in (1, 2))
    found = offers(f"<table>{rows}</table>", "Cadremploi")
    assert [(offer.title, offer.company, offer.place) for offer in found] == [("Data Analyst H/F", "", "")] * 2
    assert [offer.key for offer in found] == [fingerprint("Cadremploi", TRACKED.format(number)) for number in (1, 2)]


def test_an_offer_that_was_not_resolved_at_first_is_known_by_its_texts() -> None:
    (before,) = offers(cadremploi("Data Analyst"), "Cadremploi")
    (later,) = offers(cadremploi("Data Analyst"), "Cadremploi", lambda _: OWN.format(771))
    assert later.key == "Cadremploi:771"
    assert text_key(later) == before.key


def test_two_alerts_with_other_trackers_are_of_one_offer() -> None:
    one, other = (
        offers(html, "Cadremploi")[0] for html in (cadremploi("Data Analyst"), cadremploi("X", "DATA ANALYST")[150:])
    )
    assert (one.key, one.link) != ("", other.link)
    assert one.key == other.key


def test_the_subscriber_is_never_kept() -> None:
    target = "me@x.fr🪢https://www.hellowork.com/fr-fr/emplois/123456.html?u"
    link = f"https://emails.hellowork.com/clic/1/2/3/{token(target)}"
    about = f"https://emails.hellowork.com/clic/1/2/3/{token('me@x.fr🪢https://www.hellowork.com/fr-fr/emploi.html')}"
    card = f'<td><a href="{link}">Data Analyst H/F</a><p>Firm</p></td>'
    html = f'{card}<td><p><a href="{about}">Data Engineer H/F</a></p><p>CDI</p></td>'
    (offer,) = offers(html, "HelloWork")
    assert offer.link == "https://www.hellowork.com/fr-fr/emplois/123456.html"


@pytest.mark.parametrize(
    "text", ["Votre code de vérification est 123456", "", "<p>Bonjour</p><a href='https://x.example/a'>b</a>"]
)
def test_an_alert_without_an_offer_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no offer was found in this message of LinkedIn"):
        offers(text or " ", "LinkedIn")


@pytest.mark.parametrize("text", ["<h1>Aucune nouvelle offre aujourd'hui</h1>", "<p>No new jobs today</p>"])
def test_an_alert_that_says_that_there_is_nothing_has_none(text: str) -> None:
    assert offers(text, "LinkedIn") == []


@pytest.mark.parametrize("text", [
    "<p>Aucune offre ne vous convient ? Modifiez votre alerte</p>", "<p>Pas de missions qui vous plaisent ?</p>",
    "<p>No results?</p>", "<p>0 offre enregistrée</p>", "<p><span>Enregistrées</span><span>0 offre</span></p>",
])  # fmt: skip
def test_a_layout_that_is_not_known_is_not_an_empty_alert(text: str) -> None:
    with pytest.raises(InputError, match="the site has changed its layout"):
        offers(f"<p>Data Analyst</p>{text}", "LinkedIn")


def test_an_alert_whose_subject_counts_offers_is_not_empty() -> None:
    raw = letter("<h1>Aucune nouvelle offre aujourd'hui</h1>")
    assert offers_of(read_alert(raw, "LinkedIn"), "LinkedIn", lambda _: None) == []
    counting = read_alert(raw.replace(b"Vos offres", b"12 nouvelles offres"), "LinkedIn")
    with pytest.raises(InputError, match="no offer was found"):
        offers_of(counting, "LinkedIn", lambda _: None)
