"""Phase 2: what the pages of offers say of them."""

from datetime import UTC, datetime
from typing import Any

from prefect import State

from flows.offers.common import concluded, items
from flows.offers.desk import desk
from flows.orchestration import phase_flow
from lib.offers.complete.completion import complete
from lib.offers.offer import Offer
from lib.offers.options import OffersOptions
from lib.offers.plan import OFFERS
from lib.offers.statuses import Status
from lib.offers.working import Worked, work_on
from lib.storage.location import Location
from lib.web.client import WebClient


@phase_flow(OFFERS, "complete")
def complete_phase(mail: Location, store: Location, profile: str, options: OffersOptions) -> State[Any]:
    """Read the page of each offer that waits for it.

    Args:
        mail: A folder or file of messages, or `imap` for the account of the block.
        store: A SQLite file, or `airtable` for the base that the settings name.
        profile: What the seeker looks for: a TOML file of criteria.
        options: How each phase does its work, one group per phase.

    """
    today = datetime.now(UTC).date()
    with desk(mail, store, profile, options) as opened:
        waiting = opened.board.to_complete()
        names = {offer.record: offer.name for offer in waiting}
        with WebClient(options.web) as client, items("complete", opened, names) as ended:

            def work(offer: Offer) -> Worked:
                after = complete(offer, client, today)
                return Worked(after, counts={"expired": 1} if after.status is Status.EXPIRED else {})

            work_on(waiting, work, opened.writing(), ended, at_once=options.complete.pages_at_once)
        return concluded("complete", opened)
