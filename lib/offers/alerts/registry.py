"""The senders of alerts. A new one is a file in `senders` and a line in `SENDERS`."""

from collections.abc import Mapping

from lib.offers.alerts.base import Identity
from lib.offers.alerts.generic import Generic
from lib.offers.alerts.senders.apec import Apec
from lib.offers.alerts.senders.cadremploi import Cadremploi
from lib.offers.alerts.senders.francetravail import FranceTravail
from lib.offers.alerts.senders.freework import FreeWork
from lib.offers.alerts.senders.hellowork import HelloWork
from lib.offers.alerts.senders.indeed import Indeed
from lib.offers.alerts.senders.jobijoba import Jobijoba
from lib.offers.alerts.senders.jobleads import JobLeads
from lib.offers.alerts.senders.linkedin import LinkedIn
from lib.offers.alerts.senders.makesense import Makesense
from lib.offers.alerts.senders.meteojob import Meteojob
from lib.offers.alerts.senders.talent import Talent
from lib.offers.alerts.senders.wttj import WelcomeToTheJungle
from lib.offers.alerts.site import Site

SENDERS: tuple[Site, ...] = (
    LinkedIn(),
    Indeed(),
    Apec(),
    HelloWork(),
    WelcomeToTheJungle(),
    Cadremploi(),
    FranceTravail(),
    Meteojob(),
    Talent(),
    Jobijoba(),
    FreeWork(),
    JobLeads(),
    Makesense(),
)


def source_of(address: str, others: Mapping[str, str] | None = None) -> str | None:
    """Return the source whose alerts come from an address; None where it is no sender's.

    `others` are addresses, or domains that begin with `@`, and the names of senders that a user adds.
    """
    address = address.strip().lower()
    known = {each: sender.name for sender in SENDERS for each in sender.addresses}
    known |= {each.strip().lower(): name for each, name in (others or {}).items()}
    name, _, domain = address.rpartition("@")
    return (known.get(address) or known.get(f"@{domain}")) if name and domain else None


def sender_of(source: str) -> Site:
    """Return the sender of a source; a generic one for a source that is none of ours."""
    return next((sender for sender in SENDERS if sender.name == source), Generic(source))


def identify(source: str, link: str) -> Identity | None:
    """Return which offer of a source a link leads to, from the link alone; None for any other link."""
    return sender_of(source).identify(link)
