"""The pages of the demonstration's offers, each as its `page` says."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from deployments.demo_offers.catalogue import Demo


@dataclass(frozen=True)
class Shown:
    """What a site answers."""

    status: int
    body: str = ""
    location: str = ""


def page(offer: Demo, today: date) -> Shown:
    """Return what the site answers to who asks for an offer."""
    return PAGES[offer.page](offer, today)


def document(title: str, body: str, head: str = "") -> str:
    """Return a page."""
    return (
        f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>{escape(title)}</title>{head}</head>'
        f"<body>{body}</body></html>"
    )


def _paragraphs(offer: Demo) -> str:
    return "".join(f"<p>{escape(each)}</p>" for each in offer.text)


def _heading(offer: Demo) -> str:
    facts = (offer.company, f"{offer.city} ({offer.department})", offer.contract)
    return f"<h1>{escape(offer.title)}</h1><p>{escape(' · '.join(filter(None, facts)))}</p>"


def _posting(offer: Demo, today: date, left: int = 45) -> str:
    said: dict[str, object] = {
        "@context": "https://schema.org/",
        "@type": "JobPosting",
        "title": offer.title,
        "datePosted": str(today - timedelta(days=offer.days)),
        "validThrough": f"{today + timedelta(days=left)}T23:59:59Z",
        "employmentType": "FULL_TIME" if offer.contract == "CDI" else offer.contract,
        "hiringOrganization": {"@type": "Organization", "name": offer.company},
        "identifier": {"@type": "PropertyValue", "name": offer.company, "value": offer.number},
        "jobLocation": {
            "@type": "Place",
            "address": {"addressLocality": offer.city, "addressRegion": offer.region, "addressCountry": "FR"},
        },
        "description": escape(_paragraphs(offer)),
    }
    if offer.salary:
        value = {"minValue": offer.salary[0], "maxValue": offer.salary[-1], "unitText": "YEAR"}
        said["baseSalary"] = {"@type": "MonetaryAmount", "currency": "EUR", "value": value}
    if offer.remote in {"Télétravail", "À distance"}:
        said["jobLocationType"] = "TELECOMMUTE"
    return f'<script type="application/ld+json">{json.dumps(said, ensure_ascii=False)}</script>'


def _json_ld(offer: Demo, today: date) -> Shown:
    return Shown(200, document(offer.title, _heading(offer) + _paragraphs(offer), _posting(offer, today)))


def _past(offer: Demo, today: date) -> Shown:
    return Shown(200, document(offer.title, _heading(offer) + _paragraphs(offer), _posting(offer, today, left=-5)))


def _microdata(offer: Demo, today: date) -> Shown:
    salary = (
        f'<li itemprop="baseSalary">Annuel de {offer.salary[0]} à {offer.salary[-1]} Euros</li>' if offer.salary else ""
    )
    body = (
        '<div itemscope itemtype="http://schema.org/JobPosting">'
        f'<h1><span itemprop="title">{escape(offer.title)}</span></h1>'
        f'<p itemprop="jobLocation" itemscope><b itemprop="name">{offer.department} - {escape(offer.city)}</b></p>'
        f'<span itemprop="datePosted" content="{today - timedelta(days=offer.days)}">Publiée récemment</span>'
        f'<div itemprop="description">{_paragraphs(offer)}</div>'
        f'<ul><li itemprop="employmentType">{offer.contract}</li>{salary}</ul>'
        f'<p itemprop="hiringOrganization" itemscope><b itemprop="name">{escape(offer.company)}</b></p></div>'
    )
    return Shown(200, document(f"Offre d'emploi {offer.title} | {offer.source}", body))


def _open_graph(offer: Demo, today: date) -> Shown:
    said = {"og:title": offer.title, "og:site_name": offer.source, "og:description": " ".join(offer.text)}
    head = "".join(f'<meta property="{name}" content="{escape(text)}">' for name, text in said.items())
    return Shown(200, document(f"{offer.title} | {offer.source}", '<div id="app"></div>', head))


def _text(offer: Demo, today: date) -> Shown:
    menu = '<nav><a href="/">Accueil</a> <a href="/emplois">Emplois</a></nav>'
    return Shown(200, document(offer.title, f"{menu}<article>{_heading(offer)}{_paragraphs(offer)}</article>"))


def _closed(offer: Demo, today: date) -> Shown:
    notice = "No longer accepting applications" if offer.source == "LinkedIn" else "Cette offre n'est plus disponible."
    return Shown(200, document(offer.title, f"{_heading(offer)}<div><p>{notice}</p></div>{_paragraphs(offer)}"))


def _list(offer: Demo, today: date) -> Shown:
    return Shown(302, location="/fr-fr/emploi/recherche.html")


def _missing(offer: Demo, today: date) -> Shown:
    return Shown(404, document("Page introuvable", "<h1>Page introuvable</h1>"))


def _login(offer: Demo, today: date) -> Shown:
    form = '<form action="/login"><input name="session_key"><input type="password"><button>S’identifier</button></form>'
    return Shown(200, document("S’inscrire | LinkedIn", f"<h1>Inscrivez-vous pour voir ce contenu</h1>{form}"))


def _robots(offer: Demo, today: date) -> Shown:
    body = "<p>Verify you are human by completing the action below.</p><script>window._cf_chl_opt={}</script>"
    return Shown(403, document("Just a moment...", body))


PAGES: dict[str, Callable[[Demo, date], Shown]] = {
    "json-ld": _json_ld,
    "microdata": _microdata,
    "open-graph": _open_graph,
    "text": _text,
    "closed": _closed,
    "past": _past,
    "list": _list,
    "missing": _missing,
    "login": _login,
    "robots": _robots,
}
