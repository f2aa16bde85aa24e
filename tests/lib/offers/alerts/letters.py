# ruff: noqa: E501 -- HTML as it is sent
"""Writes the synthetic alerts in `fixtures`, after the structure of the real ones.

    python -m tests.lib.offers.alerts.letters

Tables in tables, comments for Outlook, a preview that is hidden, tracking pixels, links through trackers, a foot with
links; quoted-printable or base64. What they show is in `jobs`, how in `layouts`; what is expected of each lies beside
it, as JSON.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.encoders import encode_base64, encode_quopri
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.utils import format_datetime
from html import escape
from pathlib import Path

from . import layouts
from .jobs import jobs, without
from .layouts import SUBSCRIBER, Maker, Shown, link, opaque, table, token

FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True)
class Letter:
    """A message of a sender."""

    folder: str
    name: str
    sender: str
    subject: str
    cards: list[Shown]
    head: str = ""
    foot: str = ""
    parts: tuple[str, ...] = ("plain", "html")
    base64: bool = False
    charset: str = "utf-8"
    between: dict[int, str] = field(default_factory=dict)
    """HTML above a card."""

    def message(self) -> bytes:
        outer = MIMEMultipart("alternative", boundary=f"----=_Part_{self.folder}_{self.name}")
        when = datetime(2026, 11, 2, 6, 30, tzinfo=UTC) + timedelta(hours=len(self.name) + 7 * len(self.folder))
        outer["From"] = self.sender
        outer["To"] = SUBSCRIBER
        outer["Subject"] = self.subject
        outer["Date"] = format_datetime(when)
        outer["Message-ID"] = f"<{self.folder}.{self.name}@alertes.invalid>"
        outer["List-Unsubscribe"] = "<https://alertes.invalid/unsubscribe>"
        for kind in self.parts:
            outer.attach(self._part(kind, self.text() if kind == "plain" else self.page()))
        return outer.as_bytes()

    def _part(self, kind: str, text: str) -> MIMENonMultipart:
        part = MIMENonMultipart("text", kind, charset=self.charset)
        # Who declares ISO-8859-1 sends cp1252.
        content = text.encode(self.charset.replace("iso-8859-1", "cp1252"), "xmlcharrefreplace")
        part.set_payload(content)
        (encode_base64 if self.base64 else encode_quopri)(part)
        return part

    def page(self) -> str:
        rows = "\n".join(
            f'{self.between.get(number, "")}<tr><td class="card-row">{card.html}</td></tr>'
            for number, card in enumerate(self.cards)
        )
        return PAGE.format(
            preview=escape(self.subject), head=self.head, rows=rows, foot=self.foot, filler="&#847; &zwnj; &nbsp; " * 20
        )

    def text(self) -> str:
        return "\n".join([self.subject, "", *(card.text for card in self.cards), "", "Gérer mes alertes", ""])


PAGE = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:o="urn:schemas-microsoft-com:office:office"><head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><title>Alerte</title>
<style type="text/css">@media only screen and (max-width:600px) {{ .card-row {{ width:100%!important }} }}</style>
<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]-->
</head><body style="margin:0;padding:0">
<div style="display:none!important;visibility:hidden;opacity:0;max-height:0">{preview} {filler}</div>
<table role="presentation" width="100%" border="0" cellpadding="0" cellspacing="0"><tbody><tr><td align="center">
<!--[if mso]><table width="600"><tr><td><![endif]-->
<table width="600" role="presentation"><tbody>
<tr><td>{head}</td></tr>
{rows}
<tr><td>{foot}</td></tr>
</tbody></table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></tbody></table>
<img src="https://pixel.invalid/open?u=camille" width="1" height="1" alt="">
</body></html>
"""


def shown(make: Maker, begin: int, count: int, *left_out: tuple[int, str]) -> list[Shown]:
    """Return offers as a sender shows them; of some, something is left out."""
    chosen = jobs(begin, count)
    for number, name in left_out:
        chosen[number] = without(chosen[number], name)
    return [make(job, 100 * begin + number) for number, job in enumerate(chosen)]


def foot(*links: tuple[str, str]) -> str:
    return (
        "<p>Vous recevez cet e-mail car vous avez créé une alerte. "
        + " · ".join(link(*each) for each in links)
        + "</p>"
    )


def _own_foot(base: str) -> str:
    return table(link(f"{base}all", "Voir toutes les offres")) + foot(
        (f"{base}prefs", "Gérer mes alertes"),
        (f"{base}stop", "Se désabonner"),
        ("https://www.facebook.com/x", "Facebook"),
    )


def letters() -> Iterable[Letter]:
    """Return all messages."""
    ln = "https://www.linkedin.com/comm/"
    heading = (
        f"<h1>Votre alerte Emploi pour <strong>data</strong></h1><p>30+ nouvelles offres</p>{link(ln + 'feed/', '')}"
    )
    cards = shown(layouts.linkedin, 0, 6)
    yield Letter(
        "linkedin",
        "alerte",
        "Alertes LinkedIn Jobs <jobalerts-noreply@linkedin.com>",
        "Hélio Données recrute : Data Analyst",
        cards,
        heading,
        _own_foot(ln + "jobs/"),
    )
    cards = shown(layouts.linkedin_apart, 8, 5)
    section = f"<tr><td>{link(ln + 'jobs/collections', 'Jobs similar to your searches')}</td></tr>"
    yield Letter(
        "linkedin",
        "similar",
        "LinkedIn <jobs-noreply@linkedin.com>",
        "C++ Developer and 4 more jobs",
        [*cards, cards[0]],
        heading,
        _own_foot(ln + "jobs/"),
        between={3: section},
        base64=True,
    )
    yield Letter(
        "linkedin",
        "text",
        "LinkedIn <jobs-listings@linkedin.com>",
        "Your job alert for engineer",
        shown(layouts.linkedin_text, 14, 4),
        parts=("plain",),
    )

    yield Letter(
        "indeed",
        "alerte",
        "Indeed <donotreply@jobalert.indeed.com>",
        "6 nouveaux emplois : data",
        shown(layouts.indeed, 5, 6),
        "<h1>6 nouveaux emplois data à Lyon (69)</h1>",
        _own_foot("https://fr.indeed.com/alerts/"),
    )
    yield Letter(
        "indeed",
        "match",
        "Indeed <donotreply@match.indeed.com>",
        "Chef de projet - Mutuelle des Quais",
        shown(layouts.indeed_match, 2, 1),
        "<p>Bonjour Camille,</p><p>Votre parcours pourrait correspondre pour l'offre suivante.</p>",
        _own_foot("https://cts.indeed.com/v3/"),
        parts=("html",),
    )
    yield Letter(
        "indeed",
        "text",
        "Indeed <alert@indeed.com>",
        "Nouveaux emplois",
        shown(layouts.indeed, 16, 4),
        parts=("plain",),
    )

    ap = "https://neomarket.diffusion.apec.fr/r/?id=h1,2,3&s=x&e="
    yield Letter(
        "apec",
        "alerte",
        "Apec <offres@diffusion.apec.fr>",
        "458 offres Apec du 02/11/2026",
        shown(layouts.apec, 3, 7),
        f"<h1>7 offres</h1>{link(ap + token('p1=www.apec.fr&p3='), 'Voir toutes les offres')}",
        _own_foot(ap + token("p1=hash&p3=")),
    )
    yield Letter(
        "apec",
        "recommandation",
        "Apec <offres@diffusion.apec.fr>",
        "Une offre pour vous",
        shown(layouts.apec, 21, 3),
        "",
        _own_foot(ap),
        parts=("html",),
        base64=True,
    )

    hw = f"https://emails.hellowork.com/clic/1/2/3/{token(SUBSCRIBER + chr(0x1FAA2) + 'https://www.hellowork.com/fr-fr/page/contact.html')}?"
    heading = table("Hello Camille !", "4 nouvelles offres<br>correspondent à votre alerte.", "Data analyst - Lyon")
    section = f"<tr><td>{link(hw, 'Voir toutes les offres')}</td></tr><tr><td>Ces offres publiées dernièrement,<br> <strong>sont faites pour vous :</strong></td></tr>"
    yield Letter(
        "hellowork",
        "alerte",
        "Hellowork Alert <alerte@emails.hellowork.com>",
        "Camille, Hellowork a trouvé 6 nouvelles offres d'emploi rien que pour vous !",
        shown(layouts.hellowork, 0, 6, (4, "firm")),
        heading,
        _own_foot(hw),
        between={1: section},
        parts=("html",),
    )
    yield Letter(
        "hellowork",
        "notification",
        "Hellowork notifications <notification@emails.hellowork.com>",
        "Camille, Groupe Ormeau recrute",
        shown(layouts.hellowork, 11, 5),
        heading,
        _own_foot(hw),
        base64=True,
    )
    yield Letter(
        "hellowork",
        "text",
        "Hellowork <recommandation@emails.hellowork.com>",
        "Une offre recommandée",
        shown(layouts.hellowork, 20, 3),
        parts=("plain",),
    )

    wt = "http://t.welcometothejungle.com/ls/click?upn=u001."
    heading = link(f"{wt}{opaque('logo', 80)}_x", "<img src=x>") + table(
        "De nouvelles offres d'emploi correspondant à votre recherche ont été publiées!"
    )
    yield Letter(
        "wttj",
        "recherche",
        "Welcome to the Jungle <alerts@welcometothejungle.com>",
        "product manager : de nouveaux jobs",
        shown(layouts.wttj, 9, 5),
        heading,
        table(link(f"{wt}{opaque('all', 80)}_x", "Voir toutes les offres"))
        + foot((f"{wt}{opaque('stop', 80)}_x", "Gérer mes alertes")),
        parts=("html",),
    )
    yield Letter(
        "wttj",
        "entreprises",
        "Welcome to the Jungle <alerts@welcometothejungle.com>",
        "3 nouveaux jobs pour vos entreprises favorites",
        shown(layouts.wttj_open, 17, 4),
        heading,
        _own_foot(wt),
        parts=("html",),
        base64=True,
    )

    ce = "https://r.emails4.alertes.cadremploi.fr/tr/cl/"
    heading = f"<span>Soyez le premier à postuler !</span>{table(link(ce + opaque('logo'), ''))}{table('5 nouvelles offres ont été publiées la semaine dernière')}{table('Analyste Programmeur · Paris · CDI')}"
    ending = (
        table(link(ce + opaque("all"), "<span>Voir toutes les offres</span>"))
        + f"<table><tbody><tr><td>© 2026 Cadremploi<br>Pour voir la version en ligne, {link(ce + opaque('w'), 'cliquez ici')}.<br>Si vous ne souhaitez plus recevoir ce type d'e-mail, vous pouvez {link(ce + opaque('m'), 'modifier vos critères')} ou {link(ce + opaque('d'), 'désactiver votre alerte')}.<br>Pour toute information, consultez notre {link(ce + opaque('a'), 'page d&#39;aide')}<span>.</span></td></tr></tbody></table>"
    )
    yield Letter(
        "cadremploi",
        "nouvelles",
        "Votre alerte Cadremploi <offres@alertes.cadremploi.fr>",
        "5 nouvelles offres ont été publiées la semaine dernière",
        shown(layouts.cadremploi, 1, 6),
        heading,
        ending,
        parts=("html",),
    )
    yield Letter(
        "cadremploi",
        "profil",
        "Votre alerte Cadremploi <offres@alertes.cadremploi.fr>",
        "Votre profil intéresse ces entreprises !",
        shown(layouts.cadremploi, 22, 1),
        heading,
        ending,
        parts=("html",),
        base64=True,
    )
    yield Letter(
        "cadremploi",
        "boutons",
        "Cadremploi <offres@alertes.cadremploi.fr>",
        "Votre alerte emploi",
        shown(layouts.cadremploi_open, 12, 4),
        "<h1>Votre alerte emploi</h1>",
        ending,
        parts=("html",),
    )

    ft = "https://candidat.francetravail.fr/"
    yield Letter(
        "francetravail",
        "alerte",
        "France Travail <nepasrepondre@offre.francetravail.fr>",
        "Votre alerte emploi",
        shown(layouts.francetravail, 5, 6, (1, "firm"), (4, "firm")),
        '<p>6 nouvelles offres pour votre alerte "data"</p>',
        _own_foot(ft),
        parts=("html",),
    )
    yield Letter(
        "francetravail",
        "autres",
        "France Travail <nepasrepondre@offre.francetravail.fr>",
        "De nouvelles offres",
        shown(layouts.francetravail_nested, 24, 4),
        "",
        _own_foot(ft),
        parts=("html",),
        base64=True,
        charset="windows-1252",
    )

    mj = "https://www.meteojob.com/candidat/"
    yield Letter(
        "meteojob",
        "alerte",
        "Alerte Emploi Meteojob <ne-pas-repondre@meteojob.com>",
        "Groupe Ormeau recrute",
        shown(layouts.meteojob, 11, 6),
        "<h1>Bonjour Camille</h1><p>Ces offres vous correspondent</p>",
        _own_foot(mj),
    )
    yield Letter(
        "meteojob",
        "hebdo",
        "Alerte Emploi Meteojob <ne-pas-repondre@meteojob.com>",
        "Vos offres de la semaine",
        shown(layouts.meteojob, 27, 4),
        "",
        _own_foot(mj),
        parts=("html",),
        charset="iso-8859-1",
    )

    ta = "https://fr.talent.com/"
    yield Letter(
        "talent",
        "alerte",
        "Talent.com <no-reply@alerts.talent.com>",
        "5 emplois pour data",
        shown(layouts.talent, 6, 5),
        "<h1>5 nouveaux emplois pour data</h1><h2>Lyon</h2>",
        _own_foot(ta),
        parts=("html",),
    )
    yield Letter(
        "talent",
        "autre",
        "Talent.com <no-reply@alerts.talent.com>",
        "Jobs you don't want to miss",
        shown(layouts.talent_plain, 19, 4),
        "<h1>Jobs you don't want to miss</h1>",
        _own_foot(ta),
        parts=("html",),
    )

    jj = "https://www.jobijoba.com/fr/alert/"
    yield Letter(
        "jobijoba",
        "alerte",
        "Jobijoba <contact@jobijoba.com>",
        "12 nouveaux emplois data à Lyon",
        shown(layouts.jobijoba, 13, 6),
        "<h1>12 nouveaux emplois data à Lyon</h1>",
        _own_foot(jj),
        parts=("html",),
    )
    yield Letter(
        "jobijoba",
        "suivi",
        "Jobijoba <contact@jobijoba.com>",
        "4 nouveaux emplois",
        shown(layouts.jobijoba_tracked, 2, 4),
        "",
        _own_foot(jj),
        parts=("html",),
        base64=True,
    )

    fw = "https://www.free-work.com/fr/"
    heading = "<p>Bonjour Camille</p><h3>5 offres correspondant à votre alerte</h3><p>Data Lyon</p>"
    yield Letter(
        "freework",
        "alerte",
        "Free-Work <jobs@free-work.com>",
        "161 offres matchant avec vos critères",
        shown(layouts.freework, 15, 6),
        heading,
        _own_foot(fw),
        parts=("html",),
    )
    yield Letter(
        "freework",
        "court",
        "Free-Work <jobs@free-work.com>",
        "3 offres matchant avec vos critères",
        shown(layouts.freework, 0, 3),
        heading,
        _own_foot(fw),
        parts=("html",),
        base64=True,
    )

    jl = "https://www.jobleads.com/fr/"
    yield Letter(
        "jobleads",
        "alerte",
        "JobLeads <mailer@jobleads.com>",
        "Il y a 5 nouvelles offres d’emploi correspondant à votre recherche",
        shown(layouts.jobleads, 10, 5),
        "<h1>5 nouvelles offres</h1><p>Bonjour Camille, voici vos offres.</p>",
        _own_foot(jl),
        parts=("html",),
    )
    yield Letter(
        "jobleads",
        "english",
        "JobLeads <mailer@jobleads.com>",
        "4 new jobs match your job search",
        shown(layouts.jobleads_english, 21, 4),
        "<h1>New jobs</h1>",
        _own_foot(jl),
        parts=("html",),
    )

    ms = "https://e.customeriomail.com/e/c/" + token(json.dumps({"href": "https://jobs.makesense.org/s/jobs"})) + "/"
    course = (
        "https://e.customeriomail.com/e/c/"
        + token(json.dumps({"href": "https://jobs.makesense.org/fr/programs/cours"}))
        + "/00"
    )
    advert = table(
        link(course, "Maîtrisez votre temps") + "<div>Institut des Essais</div>",
        "<span>🎓 Formation</span> <span>💰 Éligible CPF</span> <span>📍 Paris</span> " + link(course, "Voir"),
    )
    yield Letter(
        "makesense",
        "alerte",
        "Jobs that makesense <jobs@makesense.org>",
        "5 offres d'emploi à impact positif",
        shown(layouts.makesense, 20, 5),
        "<h1><strong>🔍 5 offres d'emploi à impact positif<br></strong></h1>",
        advert + _own_foot(ms),
        parts=("html",),
    )
    yield Letter(
        "makesense",
        "digest",
        "Jobs that makesense <jobs@makesense.org>",
        "4 offres d'emploi",
        shown(layouts.makesense, 12, 4),
        "<h1>4 offres</h1>",
        _own_foot(ms),
    )
    yield Letter(
        "makesense",
        "une",
        "Jobs that makesense <jobs@makesense.org>",
        "1 offre d'emploi à impact positif",
        shown(layouts.makesense, 4, 1),
        "<h1>1 offre</h1>",
        advert + _own_foot(ms),
        parts=("html",),
        base64=True,
    )


SOURCES = {
    "apec": "APEC",
    "cadremploi": "Cadremploi",
    "francetravail": "France Travail",
    "freework": "Free-Work",
    "hellowork": "HelloWork",
    "indeed": "Indeed",
    "jobijoba": "Jobijoba",
    "jobleads": "JobLeads",
    "linkedin": "LinkedIn",
    "makesense": "makesense",
    "meteojob": "Meteojob",
    "talent": "Talent.com",
    "wttj": "Welcome to the Jungle",
}
"""The source of the alerts in each folder."""


def files() -> dict[Path, bytes]:
    """Return what the files in `fixtures` hold."""
    written: dict[Path, bytes] = {}
    for letter in letters():
        offers = list({json.dumps(card.expected, sort_keys=True): card.expected for card in letter.cards}.values())
        text = json.dumps({"source": SOURCES[letter.folder], "offers": offers}, indent=1, ensure_ascii=False) + "\n"
        written[FIXTURES / letter.folder / f"{letter.name}.eml"] = letter.message()
        written[FIXTURES / letter.folder / f"{letter.name}.json"] = text.encode()
    return written


if __name__ == "__main__":
    for path, content in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
