"""Phase 1: from alerts to offers."""

from typing import Any

from prefect import State

from flows.offers.common import concluded, items
from flows.offers.desk import desk
from flows.orchestration import phase_flow
from lib.offers.importing import import_alerts
from lib.offers.options import OffersOptions
from lib.offers.plan import OFFERS
from lib.storage.location import Location
from lib.web.client import WebClient
from lib.web.outcomes import NoPage


@phase_flow(OFFERS, "import")
def import_phase(mail: Location, store: Location, profile: str, options: OffersOptions) -> State[Any]:
    """Bring in the offers of alerts that nobody has read.

    Args:
        mail: A folder or file of messages, or `imap` for the account of the block.
        store: A SQLite file, or `airtable` for the base that the settings name.
        profile: What the seeker looks for: a TOML file of criteria.
        options: How each phase does its work, one group per phase.

    """
    with desk(mail, store, profile, options) as opened:
        names = {envelope.id: envelope.name for envelope in opened.envelopes}
        with WebClient(options.web) as client, items("import", opened, names) as ended:

            def resolve(link: str) -> str | None:
                try:
                    return client.resolve(link)
                except NoPage:
                    return None

            import_alerts(opened.envelopes, opened.mailbox, opened.board, opened.writing(), resolve, ended)
        return concluded("import", opened)
