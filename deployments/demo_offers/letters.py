"""The alerts of the demonstration, as their senders lay them out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from pathlib import Path

from deployments.demo_offers.catalogue import SUBSCRIBER, Demo, DemoAlert, read

SENDERS = {
    "LinkedIn": "Alertes LinkedIn Jobs <jobalerts-noreply@linkedin.com>",
    "Indeed": "Indeed <donotreply@jobalert.indeed.com>",
    "HelloWork": "HelloWork <alerte@emails.hellowork.com>",
    "APEC": "Apec <offres@diffusion.apec.fr>",
    "France Travail": "France Travail <nepasrepondre@offre.francetravail.fr>",
    "Cadremploi": "Cadremploi <offres@alertes.cadremploi.fr>",
}


def write_alerts(folder: Path, now: datetime | None = None) -> list[Path]:
    """Write the alerts into a folder, which is made when it is missing; return their paths, the oldest first."""
    folder.mkdir(parents=True, exist_ok=True)
    now = now or datetime.now(UTC)
    written = []
    for number, alert in enumerate(sorted(read()[1], key=lambda each: -each.days), start=1):
        path = folder / f"{number:02} {alert.source}.eml"
        path.write_bytes(_message(alert, now - timedelta(days=alert.days, minutes=60 - number)).as_bytes())
        written.append(path)
    return written


def _message(alert: DemoAlert, when: datetime) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = SENDERS[alert.source]
    message["To"] = SUBSCRIBER
    message["Subject"] = alert.subject
    message["Date"] = when
    message["Message-ID"] = f"<{alert.source.replace(' ', '')}.{when:%Y%m%d%H%M%S}@alertes.invalid>"
    message.set_content("Cette alerte se lit dans un logiciel qui montre le HTML.\n")
    cards = "".join(f"<tr><td>{CARDS[alert.source](offer)}</td></tr>" for offer in alert.offers)
    message.add_alternative(PAGE.format(subject=escape(alert.subject), cards=cards), subtype="html")
    return message


PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><style>td {{ padding: 4px }}</style></head><body>
<div style="display:none">{subject} &zwnj; &nbsp;</div>
<table role="presentation" width="600"><tbody><tr><td><h1>{subject}</h1></td></tr>{cards}
<tr><td><p>Vous recevez cet e-mail car vous avez créé une alerte.
<a href="https://alertes.invalid/prefs">Gérer mes alertes</a> · <a href="https://alertes.invalid/stop">Se désabonner</a>
</p></td></tr></tbody></table><img src="https://pixel.invalid/open" width="1" height="1" alt=""></body></html>
"""


def _link(offer: Demo, html: str) -> str:
    return f'<a href="{escape(offer.link)}" style="text-decoration:none">{html}</a>'


def _rows(*rows: str) -> str:
    inner = "".join(f"<tr><td>{row}</td></tr>" for row in rows if row)
    return f'<table width="100%"><tbody>{inner}</tbody></table>'


def _salary(offer: Demo, each: str) -> str:
    return " - ".join(f"{amount:,}".replace(",", " ") for amount in offer.salary) + f" € {each}" if offer.salary else ""


def _linkedin(offer: Demo) -> str:
    how = f" ({offer.remote})" if offer.remote else ""
    said = f"{offer.company} · {offer.city}{how}"
    return _link(
        offer, _rows(f"<div>{escape(offer.title)}</div>", f"<p>{escape(said)}</p>", "<p>Recrutement actif</p>")
    )


def _indeed(offer: Demo) -> str:
    return _rows(
        f"<h2>{_link(offer, escape(offer.title))}</h2>",
        escape(offer.company),
        f"{escape(offer.city)} ({offer.department})",
        _salary(offer, "par an"),
        "il y a 2 jours",
    )


def _hellowork(offer: Demo) -> str:
    badges = (f"{offer.city} - {offer.department}", offer.contract, _salary(offer, "/ an"), offer.remote)
    return _rows(
        _link(offer, escape(offer.title)),
        escape(offer.company),
        *(_rows(escape(badge)) for badge in badges if badge),
        _link(offer, "Voir l’offre"),
    )


def _apec(offer: Demo) -> str:
    place = _link(offer, f"{escape(offer.city)} - {offer.department}")
    kind = _link(offer, offer.contract)
    return _rows(_link(offer, escape(offer.title)), _link(offer, escape(offer.company)), f"{kind} • {place}")


def _francetravail(offer: Demo) -> str:
    firm = f"<span>{escape(offer.company)} - </span>" if offer.company else ""
    place = f"<span>{offer.department} - {escape(offer.city.upper())}</span>"
    return _rows(_link(offer, f"<span>{escape(offer.title)}</span><br>{firm}{place}"), offer.contract)


def _cadremploi(offer: Demo) -> str:
    said = f"<span>{escape(offer.company)} &nbsp;• &nbsp;{escape(offer.city)} &nbsp;• &nbsp;{offer.contract}</span>"
    return _rows(_link(offer, f"<span>{escape(offer.title)}</span>"), said, _link(offer, "<span>Voir l'offre</span>"))


CARDS: dict[str, Callable[[Demo], str]] = {
    "LinkedIn": _linkedin,
    "Indeed": _indeed,
    "HelloWork": _hellowork,
    "APEC": _apec,
    "France Travail": _francetravail,
    "Cadremploi": _cadremploi,
}
