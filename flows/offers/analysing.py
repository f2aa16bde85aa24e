"""Phase 3: how well each offer fits the profile."""

from contextlib import closing
from typing import Any

from prefect import State
from prefect.logging import get_run_logger

from blocks.language_model import model_secrets
from flows.offers.common import concluded, items
from flows.offers.desk import desk
from flows.orchestration import phase_flow
from lib.offers.analyse.analysis import analysed, choose
from lib.offers.offer import Offer
from lib.offers.options import OffersOptions
from lib.offers.plan import OFFERS
from lib.offers.working import Worked, work_on
from lib.storage.location import Location


@phase_flow(OFFERS, "analyse")
def analyse_phase(mail: Location, store: Location, profile: str, options: OffersOptions) -> State[Any]:
    """Mark each offer that waits for it by the criteria of the profile.

    Args:
        mail: A folder or file of messages, or `imap` for the account of the block.
        store: A SQLite file, or `airtable` for the base that the settings name.
        profile: What the seeker looks for: a TOML file of criteria.
        options: How each phase does its work, one group per phase.

    """
    logger = get_run_logger()
    with desk(mail, store, profile, options) as opened:
        waiting = opened.board.to_analyse()
        if waiting:
            seeker = opened.profile
            engine = choose(options.analyse, seeker, model_secrets(logger.warning))
            logger.info("Analysed by %s", "; ".join(filter(None, (engine.name, engine.reason))))

            def work(offer: Offer) -> Worked:
                analysis = engine.analyse(offer)
                counts = {"tokens": analysis.tokens or 0, "cost": analysis.cost or 0}
                used = {name: float(count) for name, count in counts.items() if count}
                return Worked(analysed(offer, analysis, seeker), analysis.engine or engine.name, used)

            names = {offer.record: offer.name for offer in waiting}
            with closing(engine), items("analyse", opened, names) as ended:
                opened.spent = lambda: engine.spent
                work_on(waiting, work, opened.writing(), ended, at_once=options.analyse.offers_at_once)
        return concluded("analyse", opened)
