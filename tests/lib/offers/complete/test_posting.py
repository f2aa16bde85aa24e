import pytest

from lib.offers.complete.posting import Posting, combined, fitting
from lib.offers.offer import Offer

OURS = Offer(link="https://oven.example/jobs/77", key="Oven:77", title="Senior Baker H/F", company="Oven")
HERE = [OURS.link]


@pytest.mark.parametrize(
    "posting",
    [
        Posting(title="Something else", url="https://oven.example/jobs/77/"),
        Posting(title="Something else", url="/jobs/77"),
        Posting(title="Something else", identity="77"),
        Posting(title="Something else", url="https://other.example/senior-baker-77"),
        Posting(title="Senior baker", url="https://other.example/x"),
        Posting(title="Baker (senior)"),
        Posting(title="Baker (senior)", company="Mill, who recruits for Oven's owner"),
        Posting(description="Only one, and it names no other address"),
    ],
    ids=str,
)
def test_the_only_posting_fits_by_address_number_or_title(posting: Posting) -> None:
    assert fitting([posting], OURS, HERE) is posting


@pytest.mark.parametrize(
    "posting",
    [
        Posting(title="Miller", url="https://oven.example/jobs/78"),
        Posting(title="Miller"),
        Posting(url="https://oven.example/jobs/78"),
        Posting(title="Senior Baker", company="Mill", url="https://oven.example/jobs/78"),
    ],
    ids=str,
)
def test_another_offer_is_not_the_offer(posting: Posting) -> None:
    assert fitting([posting], OURS, HERE) is None


def test_of_several_the_one_of_this_address_is_taken() -> None:
    postings = [Posting(title="Senior Baker", url=f"/jobs/{number}") for number in (76, 77, 78)]
    assert fitting(postings, OURS, HERE) is postings[1]


def test_of_several_with_no_address_the_one_of_this_title_and_company_is_taken() -> None:
    known = (("Miller", "Oven"), ("Baker", "Mill"), ("Baker", "Oven"))
    postings = [Posting(title=title, company=company) for title, company in known]
    assert fitting(postings, OURS, HERE) is postings[2]


def test_of_several_others_none_is_taken() -> None:
    assert fitting([Posting(title="Miller"), Posting(title="Carter")], OURS, HERE) is None


def test_offers_told_apart_by_a_query_are() -> None:
    postings = [Posting(title="x", url=f"https://fr.indeed.com/viewjob?jk={key}") for key in ("aa", "bb")]
    offer = Offer(link="https://fr.indeed.com/viewjob?jk=bb")
    assert fitting(postings, offer, [offer.link]) is postings[1]


def test_each_field_comes_from_the_first_that_has_it() -> None:
    found = combined([Posting(title="Baker"), Posting(title="Miller", company="Oven"), Posting(place="Lyon")])
    assert found == Posting(title="Baker", company="Oven", place="Lyon")
