from datetime import date

import pytest

from lib.offers.complete.filling import filled
from lib.offers.complete.posting import Posting
from lib.offers.offer import Offer


@pytest.mark.parametrize(
    ("said", "stated", "shown", "kept"),
    [
        ("", "Lyon", "Paris", "Lyon"),
        ("", "", "Paris", "Paris"),
        ("Lyon", "Paris", "", "Lyon"),
        ("Lyon", "Lyon, Rhône, FR", "", "Lyon, Rhône, FR"),
        ("Lyon (69)", "Lyon, Rhône, FR", "", "Lyon (69)"),
        ("Lyon", "", "Lyon, and many other towns", "Lyon"),
        ("Villefranche-sur-Sa…", "", "Villefranche-sur-Saône", "Villefranche-sur-Saône"),
        ("Villefranche-sur-Sa...", "Lyon", "", "Villefranche-sur-Sa..."),
        ("Lyon", "France", "", "Lyon"),
    ],
)
def test_good_data_of_the_mail_are_never_lost_to_worse(said: str, stated: str, shown: str, kept: str) -> None:
    offer = Offer(link="https://oven.example/1", place=said)
    assert filled(offer, Posting(place=stated), Posting(place=shown)).place == kept


def test_the_longer_description_stays() -> None:
    offer = Offer(link="https://oven.example/1", description="What the e-mail said at length")
    assert filled(offer, None, Posting(description="Short")).description == offer.description
    longer = filled(offer, None, Posting(description="What the page says at even greater length"))
    assert longer.description == "What the page says at even greater length"


def test_the_day_of_publication_stays_and_the_last_day_is_the_page_s() -> None:
    offer = Offer(link="https://oven.example/1", published=date(2026, 11, 1), expires=date(2026, 11, 30))
    found = filled(offer, Posting(published=date(2026, 11, 2), expires=date(2026, 12, 1)), Posting())
    assert (found.published, found.expires) == (date(2026, 11, 1), date(2026, 12, 1))


def test_what_is_the_store_s_stays() -> None:
    offer = Offer(link="https://oven.example/1", key="Oven:1", record="r1", source="Oven", score=3.0, reasons="x")
    found = filled(offer, Posting(title="Baker", url="https://oven.example/other", identity="2"), Posting())
    assert found == Offer(
        link=offer.link, key="Oven:1", record="r1", source="Oven", score=3.0, reasons="x", title="Baker"
    )
