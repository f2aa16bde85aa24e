"""The offers of the demonstration, and the alerts that show them."""

import base64
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PROFILE = HERE / "profile.toml"
"""What the seeker of the demonstration looks for."""
SUBSCRIBER = "camille@courrier.invalid"
_PARTING = "\U0001faa2"
"""What HelloWork's tracker puts between who clicks and what."""


@dataclass(frozen=True)
class Demo:
    """An offer of the demonstration; offers.toml says what its fields mean."""

    id: str
    source: str
    number: str
    title: str
    company: str
    city: str
    department: str
    region: str
    contract: str
    salary: tuple[int, ...]
    remote: str
    days: int
    page: str
    text: tuple[str, ...]

    @property
    def address(self) -> str:
        """Its own address at the site."""
        return ADDRESSES[self.source].format(self.number)

    @property
    def link(self) -> str:
        """Its link as the sender writes it into an alert: through the tracker, or with what tells who clicks."""
        if self.source == "HelloWork":
            inside = _hidden(f"{SUBSCRIBER}{_PARTING}{self.address}?utm_source=jobalert&utm_medium=email")
            return f"https://emails.hellowork.com/clic/0a0b0c0d-0000-4000-8000-000000000000/1/h/{inside}"
        if self.source == "APEC":
            inside = _hidden(f"p1=www.apec.fr&p2={self.number}&p3=&xtor=EPR-41-[push_avec_compte]")
            return f"https://neomarket.diffusion.apec.fr/r/?id=h1,1a2b,1&e={inside}&s=signature"
        return LINKS[self.source].format(self.number)


@dataclass(frozen=True)
class DemoAlert:
    """An alert of the demonstration."""

    source: str
    subject: str
    days: int
    offers: tuple[Demo, ...]


ADDRESSES = {
    "LinkedIn": "https://www.linkedin.com/jobs/view/{}",
    "Indeed": "https://fr.indeed.com/viewjob?jk={}",
    "HelloWork": "https://www.hellowork.com/fr-fr/emplois/{}.html",
    "APEC": "https://www.apec.fr/candidat/recherche-emploi.html/emploi/detail-offre/{}",
    "France Travail": "https://candidat.francetravail.fr/offres/recherche/detail/{}",
    "Cadremploi": "https://www.cadremploi.fr/emploi/detail_offre?offreId={}",
}
LINKS = {
    "LinkedIn": "https://www.linkedin.com/comm/jobs/view/{}/?trackingId=x%3D%3D&midToken=AQE&trk=eml-email_job_alert",
    "Indeed": "https://fr.indeed.com/rc/clk/dl?jk={}&from=ja&qd=x&rd=y&tk=1j&alid=65",
    "France Travail": "https://candidat.francetravail.fr/offres/recherche/detail/{}?at_medium=email&at_campaign=alerte",
    "Cadremploi": "https://r.emails4.alertes.cadremploi.fr/tr/cl/opaque-{}",
}


def read() -> tuple[list[Demo], list[DemoAlert]]:
    """Return all offers and alerts."""
    told = tomllib.loads((HERE / "offers.toml").read_text(encoding="utf-8"))
    offers = [Demo(**{**each, "salary": tuple(each["salary"]), "text": tuple(each["text"])}) for each in told["offers"]]
    by_id = {offer.id: offer for offer in offers}
    return offers, [
        DemoAlert(each["source"], each["subject"], each["days"], tuple(by_id[id_] for id_ in each["offers"]))
        for each in told["alerts"]
    ]


def _hidden(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
