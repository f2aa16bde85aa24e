"""The demonstration of `offers`: its alerts are read, its links lead to its pages, of every kind."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.demo_offers.catalogue import PROFILE, Demo, read
from deployments.demo_offers.letters import write_alerts
from deployments.demo_offers.pages import PAGES
from deployments.demo_offers.site import served
from lib.offers.alerts.conversion import offers_of
from lib.offers.alerts.parsing import read_alert
from lib.offers.alerts.registry import source_of
from lib.offers.analyse.profile import read_profile
from lib.offers.complete.completion import complete
from lib.offers.offer import Offer
from lib.offers.statuses import Status
from lib.web.client import WebClient
from lib.web.options import WebOptions

OFFERS, ALERTS = read()
BY_DATE = sorted(ALERTS, key=lambda alert: -alert.days)
TODAY = datetime.now(UTC).date()
ENDS = {"closed": Status.EXPIRED, "past": Status.EXPIRED, "list": Status.EXPIRED, "missing": Status.EXPIRED}
UNREAD = {"login", "robots"}


@pytest.fixture(scope="module")
def client() -> Iterator[WebClient]:
    with served() as hosts, WebClient(WebOptions(hosts=hosts, delay=0, backoff=0, attempts=1)) as opened:
        yield opened


@pytest.fixture(scope="module")
def found(client: WebClient, tmp_path_factory: pytest.TempPathFactory) -> list[list[Offer]]:
    """The offers of each alert, the oldest first."""
    paths = write_alerts(tmp_path_factory.mktemp("alerts"), datetime(2026, 11, 21, 12, tzinfo=UTC))
    return [
        offers_of(read_alert(path.read_bytes(), alert.source), alert.source, client.resolve)
        for path, alert in zip(paths, BY_DATE, strict=True)
    ]


def test_there_is_enough_to_see() -> None:
    assert len(ALERTS) == 8
    assert len({alert.source for alert in ALERTS}) == 6
    assert len(OFFERS) == 24
    assert {offer.page for offer in OFFERS} == set(PAGES)
    assert max(Counter(offer.id for alert in ALERTS for offer in alert.offers).values()) > 1


def test_the_alerts_come_from_their_senders_and_go_by_their_dates(tmp_path: Path) -> None:
    paths = write_alerts(tmp_path / "mail", datetime(2026, 11, 21, 12, tzinfo=UTC))
    messages = [read_alert(path.read_bytes(), each.source).message for path, each in zip(paths, BY_DATE, strict=True)]
    assert [source_of(message.sender) for message in messages] == [alert.source for alert in BY_DATE]
    sent = [message.sent for message in messages if message.sent]
    assert len(sent) == 8
    assert sent == sorted(sent)


def test_every_offer_of_an_alert_is_read(found: list[list[Offer]]) -> None:
    shown = [[(each.address, each.title, each.company) for each in alert.offers] for alert in BY_DATE]
    assert [[(each.link, each.title, each.company) for each in offers] for offers in found] == shown


def test_one_offer_in_several_alerts_is_one(found: list[list[Offer]]) -> None:
    keys = [offer.key for offers in found for offer in offers]
    assert len(keys) > len(set(keys)) == len(OFFERS)


def completed(demo: Demo, client: WebClient) -> Offer:
    offer = Offer(link=demo.address, key=f"{demo.source}:{demo.number}", title=demo.title, company=demo.company)
    return complete(offer, client, TODAY)


@pytest.mark.parametrize("demo", OFFERS, ids=lambda demo: demo.id)
def test_every_page_is_read_as_what_it_is(demo: Demo, client: WebClient) -> None:
    after = completed(demo, client)
    assert after.status is ENDS.get(demo.page, Status.TO_ANALYSE)
    if after.status is Status.TO_ANALYSE:
        assert bool(after.note) is (demo.page in UNREAD)
        assert (demo.text[0] in after.description) is (demo.page not in UNREAD)


def test_every_link_leads_to_its_offer(client: WebClient) -> None:
    open_ones = [demo for demo in OFFERS if demo.page not in {*ENDS, *UNREAD}]
    assert [client.get(demo.link).url for demo in open_ones] == [demo.address for demo in open_ones]


def test_offers_are_open_on_whichever_day_they_are_shown(client: WebClient) -> None:
    last = [completed(demo, client).expires for demo in OFFERS if demo.page == "json-ld"]
    assert all(day and day > TODAY for day in last)


def test_there_is_a_seeker() -> None:
    assert sum(criterion.weight for criterion in read_profile(PROFILE).criteria) > 1
