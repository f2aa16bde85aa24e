# ruff: noqa: E501 -- HTML as it is sent
"""How each sender shows an offer, after the structure of its real alerts; texts and addresses are made up."""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from urllib.parse import quote

from .jobs import Job

SUBSCRIBER = "camille.exemple@courrier.invalid"


@dataclass(frozen=True)
class Shown:
    """An offer as an alert of a sender shows it."""

    job: Job
    number: str
    link: str
    """As the alert has it."""
    address: str
    """The offer's own; the alert's link where that says nothing."""
    place: str
    company: str
    contract: str = ""
    salary: str = ""
    remote: str = ""
    title: str = ""
    html: str = ""
    text: str = ""

    @property
    def expected(self) -> dict[str, str]:
        return {
            "title": self.title or self.job.title,
            "company": self.company,
            "place": self.place,
            "contract": self.contract,
            "salary": self.salary,
            "remote": self.remote,
            "link": self.address,
        }


Maker = Callable[[Job, int], Shown]


def link(href: str, text: str, style: str = "color:#000000;text-decoration:none") -> str:
    return f'<a href="{escape(href)}" target="_blank" style="{style}">{text}</a>'


def table(*rows: str) -> str:
    inner = "".join(f'<tr><td style="padding:4px">{row}</td></tr>' for row in rows if row)
    return f'<table border="0" cellpadding="0" cellspacing="0" width="100%"><tbody>{inner}</tbody></table>'


def badge(text: str) -> str:
    return table(f'<a href="#" style="color:#333">{escape(text)}</a>') if text else ""


def token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def opaque(seed: str, length: int = 200) -> str:
    dice = random.Random(seed)
    return "".join(dice.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-", k=length))


def linkedin(job: Job, number: int) -> Shown:
    id_ = str(4_300_000_000 + 7919 * number)
    href = f"https://www.linkedin.com/comm/jobs/view/{id_}/?trackingId={opaque(id_, 22)}%3D%3D&refId=x&midToken=AQE&trk=eml-email_job_alert_digest_01-job_card-0-jobcard_body&otpToken=MTAw"
    how = {"Télétravail": "À distance", "Télétravail partiel": "Hybride", "Hybride": "Hybride"}.get(job.remote, "")
    where = job.city + (f" ({how})" if how else "")
    said = f"{job.firm} · {where}"
    extra = "Candidature simplifiée" if number % 2 else "Recrutement actif"
    inner = table(
        f'<div class="font-bold text-md">{escape(job.title)}</div>',
        f'<p class="text-xs">{escape(said)}</p>',
        table(f"<p>{extra}</p>"),
    )
    html = link(
        href,
        f'<table><tbody><tr><td><img src="https://media.invalid/logo.png"></td><td>{inner}</td></tr></tbody></table>',
    )
    text = f"      \n{job.title}\n{job.firm}\n{job.city}\nPostulez avec un CV et un profil\nVoir l’offre d’emploi : {href}\n\n{'-' * 57}\n  "
    return Shown(
        job,
        id_,
        href,
        f"https://www.linkedin.com/jobs/view/{id_}",
        job.city,
        job.firm,
        remote=how,
        html=html,
        text=text,
    )


def linkedin_apart(job: Job, number: int) -> Shown:
    """Picture, title and button are links of their own."""
    shown = linkedin(job, number)
    how = {"Télétravail": "Remote", "Télétravail partiel": "Hybrid", "Hybride": "Hybrid"}.get(job.remote, "On-site")
    html = (
        '<table data-test-id="job-card"><tbody><tr><td>'
        + link(shown.link, f'<img src="https://media.invalid/x.png" alt="{escape(job.firm)}">')
        + "</td><td>"
        + table(
            link(shown.link.replace("jobcard_body", "job_card_title"), escape(job.title)),
            f"<p>{escape(job.firm)} · {escape(job.city)}, France ({how})</p>",
            "<p>This company is actively hiring</p>",
        )
        + "</td></tr><tr><td></td><td>"
        + link(shown.link, "<span>View job</span>")
        + "</td></tr></tbody></table>"
    )
    text = f"{job.title}\n{job.firm}\n{job.city}, France\n1 school alum\nView job: {shown.link}\n\n{'-' * 57}\n\n"
    return Shown(
        job, shown.number, shown.link, shown.address, f"{job.city}, France", job.firm, remote=how, html=html, text=text
    )


def linkedin_text(job: Job, number: int) -> Shown:
    """Plain text does not say how one works."""
    return replace(linkedin_apart(job, number), remote="")


def indeed(job: Job, number: int) -> Shown:
    key = opaque(f"indeed{number}", 16).lower().replace("-", "0")
    href = f"https://fr.indeed.com/rc/clk/dl?jk={key}&from=ja&qd={opaque(key, 60)}&rd={opaque(key + 'r', 20)}&tk=1j&alid=65&bb={opaque(key + 'b', 40)}"
    place = f"{job.city} ({job.department})"
    salary = job.salary.replace(" / an", " par an")
    html = link(
        href,
        f'<h2 style="margin:0">{link(href, escape(job.title), "text-decoration:underline;color:#2d2d2d")}</h2>'
        + '<table><tbody><tr><td style="font-size:14px">'
        + escape(job.firm)
        + '</td><td><img src="https://x.invalid/s.png"></td>'
        + (f"<td><strong>3,{number % 10}</strong></td><td>3,{number % 10}/5 étoiles</td>" if number % 2 else "")
        + "</tr></tbody></table>"
        + table(escape(place))
        + (f'<table bgcolor="#f3f2f1"><tbody><tr><td>{salary}</td></tr></tbody></table>' if salary else "")
        + (table('<img src="https://x.invalid/a.png"> Candidature simplifiée') if number % 3 else "")
        + table(
            '<span style="color:#767676">Au sein de notre équipe, vous participez à la vie du service et au suivi des dossiers qui vous sont confiés…</span>'
        )
        + table("il y a 2 jours"),
        "display:block;text-decoration:none",
    )
    text = f"{job.title}\n{job.firm} - {place}\n{salary + chr(10) if salary else ''}Candidature simplifiée\nAu sein de notre équipe, vous participez à la vie du service.\nil y a 2 jours\n{href}\n\n"
    return Shown(
        job, key, href, f"https://fr.indeed.com/viewjob?jk={key}", place, job.firm, salary=salary, html=html, text=text
    )


def indeed_match(job: Job, number: int) -> Shown:
    """One offer, its links through `cts`; labels above salary and contract."""
    hrefs = [f"https://cts.indeed.com/v3/{opaque(f'{number}{each}', 180)}/{opaque(str(each), 30)}" for each in range(3)]
    place = f"{job.city} ({job.department})"
    html = (
        table(link(hrefs[0], "Voir l'emploi"))
        + table(
            link(hrefs[1], escape(job.title)), escape(job.firm), escape(place),
            table("Salaire", escape(job.salary)) if job.salary else "", table("Type de poste", escape(job.contract)),
        )
        + table(link(hrefs[2], "Postuler maintenant"))
    )  # fmt: skip
    return Shown(job, "", hrefs[1], hrefs[1], place, job.firm, job.contract, job.salary, html=html)


def apec(job: Job, number: int) -> Shown:
    id_ = f"{179_400_000 + 4441 * number}W"
    e = token(f"p1=www.apec.fr&p2={id_}&p3=&xtor=EPR-41-[push_avec_compte]")
    href = f"https://neomarket.diffusion.apec.fr/r/?id=h{opaque(id_, 12)},1a2b,{number}&e={e}&s={opaque(id_ + 's', 40)}"
    place = f"{job.city} - {job.department}"
    html = (
        '<div class="content">'
        + table(
            link(href, escape(job.title), "color:#0e6c8a;font-size:18px"),
            link(href, escape(job.firm), "color:#f38237"),
            link(href, job.contract, "color:#444444") + " • " + link(href, escape(place), "color:#444444"),
        )
        + "</div>"
    )
    text = f" {job.title} \n{href}\n\n{job.firm}\n{href}\n\n{job.contract} •\n{href}\n\n{place}\n{href}\n\n"
    own = f"https://www.apec.fr/candidat/recherche-emploi.html/emploi/detail-offre/{id_}"
    return Shown(job, id_, href, own, place, job.firm, job.contract, html=html, text=text)


def hellowork(job: Job, number: int) -> Shown:
    id_ = str(83_000_000 + 1213 * number)
    target = f"https://www.hellowork.com/fr-fr/emplois/{id_}.html?utm_source=jobalert&utm_medium=email&utm_term={id_}"
    hrefs = [
        f"https://emails.hellowork.com/clic/0a0b0c0d-0000-4000-8000-00000000{number:04d}/{each}/{opaque(id_, 24)}/{token(SUBSCRIBER + chr(0x1FAA2) + target)}"
        for each in range(3)
    ]
    place = f"{job.city} - {job.department}"
    html = (
        '<table><tbody><tr><td class="bg-dark-cards padding-cards"><table><tbody><tr><td>'
        + link(hrefs[0], f" {escape(job.title)} ", "font-size:18px;color:#000000")
        + f"</td></tr><tr><td>{table(escape(job.firm)) if job.firm else ''}</td></tr>"
        + (f"<tr><td>{table('Super recruteur')}</td></tr>" if number % 3 == 0 and job.firm else "")
        + f"<tr><td>{badge(place)}{badge(job.contract)}{badge(job.salary)}{badge(job.remote)}"
        + table(link(hrefs[1], "Voir l’offre", "color:#fff"))
        + "</td></tr></tbody></table></td></tr></tbody></table>"
    )
    lines = [f" {job.title} \n{hrefs[0]}", job.firm, place, job.contract, job.salary, f" Voir l’offre\n{hrefs[1]}"]
    text = "\n\n".join(line for line in lines if line) + "\n"
    own = f"https://www.hellowork.com/fr-fr/emplois/{id_}.html"
    return Shown(job, id_, hrefs[0], own, place, job.firm, job.contract, job.salary, job.remote, html=html, text=text)


def wttj(job: Job, number: int) -> Shown:
    where = f"WOGcmx-2BIV{opaque(f'wttj{number}', 280)}-3D-3D"
    hrefs = [
        f"http://t.welcometothejungle.com/ls/click?upn=u001.{where}{opaque(f'{number}s{each}', 4)}_{opaque('who', 150)}{opaque(f'{number}w{each}', 80)}"
        for each in range(4)
    ]
    place = job.city if number % 3 else f"{job.city}, Rouen"
    html = (
        '<table class="job-item" width="100%"><tbody><tr><td width="24"></td><td>'
        + '<table width="72" align="left" class="job-item-cover"><tbody><tr><td>'
        + link(hrefs[0], f'<img src="https://cdn.invalid/{number}.png" alt="{escape(job.firm)}">')
        + '</td></tr></tbody></table><table class="job-item-inner" align="left"><tbody>'
        + f'<tr><td style="text-transform:uppercase;color:#737373">{link(hrefs[1], escape(job.firm) + " ")}</td></tr><tr><td height="8"></td></tr>'
        + f'<tr><td style="font-size:20px;color:#000000">{link(hrefs[2], escape(job.title) + " ")}</td></tr><tr><td height="8"></td></tr>'
        + f'<tr><td style="font-size:14px;color:#4C4C4C">{link(hrefs[3], f"{job.contract} - {escape(place)} ")}</td></tr>'
        + "</tbody></table></td></tr></tbody></table>"
    )
    text = f"{job.firm} [{hrefs[1]}] {job.title} [{hrefs[2]}] {job.contract} - {place} [{hrefs[3]}]\n"
    return Shown(job, "", hrefs[2], hrefs[1], place, job.firm, job.contract, html=html, text=text)


def wttj_open(job: Job, number: int) -> Shown:
    """The links are the offer's own."""
    shown = wttj(job, number)
    slug = f"poste-{number}_{job.department}_{opaque(str(number), 6)}"
    own = f"https://www.welcometothejungle.com/fr/companies/firme-{number}/jobs/{slug}"
    href = f"{own}?utm_source=transactional&utm_medium=email&utm_campaign=job-alert&email={SUBSCRIBER}"
    html = "".join(piece if index % 2 == 0 else escape(href) for index, piece in enumerate(_split_links(shown.html)))
    return Shown(job, slug, href, own, shown.place, job.firm, job.contract, html=html)


def _split_links(html: str) -> list[str]:
    pieces: list[str] = []
    for begin in html.split('href="'):
        if pieces:
            href, _, rest = begin.partition('"')
            pieces += [href, '"' + rest]
        else:
            pieces.append(begin)
    return [
        piece + 'href="' if index % 2 == 0 and index < len(pieces) - 1 else piece for index, piece in enumerate(pieces)
    ]


def cadremploi(job: Job, number: int) -> Shown:
    hrefs = [f"https://r.emails4.alertes.cadremploi.fr/tr/cl/{opaque(f'ce{number}-{each}', 320)}" for each in range(2)]
    place = job.city
    html = (
        "<table><tbody><tr><td><table><tbody><tr><td>"
        + table(link(hrefs[0], f"<span>\r\n {escape(job.title)}\r\n </span>"))
        + table(
            f"<span>\r\n {escape(job.firm)} &nbsp; • &nbsp; \r\n {escape(place)} &nbsp;• &nbsp; \r\n {job.contract}\r\n </span>"
        )
        + "</td><td>"
        + table(link(hrefs[1], "<span>\r\n Voir l'offre\r\n </span>"))
        + "</td></tr></tbody></table></td></tr><tr><td><table><tbody><tr><td></td></tr></tbody></table></td></tr></tbody></table>"
    )
    return Shown(job, "", hrefs[0], hrefs[0], place, job.firm, job.contract, html=html)


def cadremploi_open(job: Job, number: int) -> Shown:
    """The links are the offer's own, and the only one is the button's."""
    id_ = str(156_500_000_000_000_000 + number)
    href = f"https://www.cadremploi.fr/emploi/detail_offre?offreId={id_}&token={opaque(id_, 40)}&utm_source=alerte"
    html = table(
        f"<h2>{escape(job.title)}</h2>", f"<b>{escape(job.firm)}</b>", f"<span>{escape(job.city)} · {job.contract}</span>",
        f"<span>{escape(job.salary)}</span>" if job.salary else "", link(href, "Voir l'offre"),
    )  # fmt: skip
    own = f"https://www.cadremploi.fr/emploi/detail_offre?offreId={id_}"
    return Shown(job, id_, href, own, job.city, job.firm, job.contract, job.salary, html=html)


def francetravail(job: Job, number: int) -> Shown:
    id_ = f"{(number * 37) % 900 + 100}{opaque(f'ft{number}', 4).upper().replace('-', 'X')}"
    own = f"https://candidat.francetravail.fr/offres/recherche/detail/{id_}"
    href = f"{own}?at_medium=email&at_campaign=alerte&xtor=EPR-1"
    place = f"{job.department} - {job.city.upper()}"
    firm = f'<span style="color:#2E2E31">{escape(job.firm)} - </span>' if job.firm else ""
    html = (
        '<table width="552"><tbody><tr><td>'
        + link(
            href,
            f'<span style="font-size:20px;font-weight:700">{escape(job.title)}</span><br>{firm}<span style="color:#5B5D65">{escape(place)}</span>',
        )
        + '</td></tr><tr><td><table><tbody><tr><td><img src="https://x.invalid/icon-sm-edit.png"></td><td>'
        + f'{job.contract}</td><td><img src="https://x.invalid/icon-sm-time.png"></td><td>35 heures</td></tr></tbody></table></td></tr>'
        + '<tr><td><p style="margin-top:8px">Vous rejoindrez une équipe de six personnes et prendrez en charge les missions décrites dans l\'offre…</p></td></tr></tbody></table>'
    )
    return Shown(job, id_, href, own, place, job.firm, job.contract, html=html)


def francetravail_nested(job: Job, number: int) -> Shown:
    """Firm and place are in the title's element."""
    shown = francetravail(job, number)
    html = shown.html.replace("</span><br>", "").replace("</span></a>", "</span></span></a>")
    return replace(shown, html=html)


def meteojob(job: Job, number: int) -> Shown:
    id_ = str(56_000_000 + 977 * number)
    href = f"https://www.meteojob.com/jobs/{id_}?utm_source=email&utm_campaign=alert&auth={opaque(id_, 40)}"
    place = f"{job.city} ({job.department}) - Région"
    html = (
        '<table><tbody><tr><td style="border-bottom:#f0f4f7 3px solid">'
        + link(
            href,
            f'<strong>{escape(job.title)}</strong><br><font style="font-weight:normal">{escape(job.firm)} • {job.contract} • {escape(place)}</font>',
        )
        + table(link(href, "Je postule"))
        + "</td></tr></tbody></table>"
    )
    text = f"{job.title}\n{job.firm} • {job.contract} • {place}\n{href}\n\n"
    return Shown(
        job, id_, href, f"https://www.meteojob.com/jobs/{id_}", place, job.firm, job.contract, html=html, text=text
    )


def talent(job: Job, number: int) -> Shown:
    id_ = f"{opaque(f't{number}', 12).encode().hex()[:12]}"
    href = f"https://fr.talent.com/redirect?id={id_}&lang=fr&source=email&puid={opaque(id_, 30)}&email_type=alert"
    place = f"{job.city}, Région, France"
    html = link(
        href,
        f'<table bgcolor="#FFFFFF"><tbody><tr><td>{link(href, escape(job.title), "color:#30183f;font-size:18px")}</td></tr>'
        + f'<tr><td style="color:#691f74;font-size:14px">{escape(place)}</td></tr>'
        + f'<tr><td style="color:#30183f;font-size:14px">{escape(job.firm)}</td></tr><tr><td>Publiée il y a 3 jours</td></tr></tbody></table>',
        "display: block",
    )
    return Shown(job, id_, href, f"https://fr.talent.com/view?id={id_}", place, job.firm, html=html)


def talent_plain(job: Job, number: int) -> Shown:
    """Another layout: the title is no link of its own, and the firm stands above the place."""
    shown = talent(job, number)
    html = link(
        shown.link,
        table(escape(job.title), escape(job.firm), escape(shown.place), "Voir le poste"),
        "display: block",
    )
    return Shown(job, shown.number, shown.link, shown.address, shown.place, job.firm, html=html)


def jobijoba(job: Job, number: int) -> Shown:
    id_ = f"54/{opaque(f'jj{number}', 16).encode().hex()}"
    own = f"https://www.jobijoba.com/fr/annonce/{id_}"
    href = f"{own}?utm_source=alert&utm_medium=email&a={opaque(id_, 20)}"
    html = link(
        href,
        f'<table class="row-34"><tbody><tr><td><p><span style="color: #002977">{escape(job.title)}</span><br><span style="color:#000000">{escape(job.firm)}</span>'
        + f" - <span>{escape(job.city)}</span> - <span>{job.contract}</span></p>"
        + '<p><span style="color: #4D5562">Rattaché au responsable du site, vous garantissez la bonne marche des installations et la qualité du service rendu…</span></p></td></tr></tbody></table>',
    )
    return Shown(job, id_, href, own, job.city, job.firm, job.contract, html=html)


def jobijoba_tracked(job: Job, number: int) -> Shown:
    """Through a redirection of the site."""
    shown = jobijoba(job, number)
    href = f"https://www.jobijoba.com/fr/redirect/offer/{opaque(str(number), 50)}"
    html = shown.html.replace(escape(shown.link), href)
    return Shown(job, "", href, href, job.city, job.firm, job.contract, html=html)


def freework(job: Job, number: int) -> Shown:
    slug = f"offre-{number}-{job.department}"
    own = f"https://www.free-work.com/fr/tech-it/metier-{number}/job-mission/{slug}"
    href = f"{own}?utm_source=alert&utm_medium=email"
    salary = {"Freelance": "400-550 €", "CDI": "55k-70k €"}.get(job.contract, "")
    place = f"{job.city}, Région, France"
    facts = " - ".join(filter(None, ("12 mois" if job.contract == "Freelance" else "", salary, place)))
    html = (
        '<ul class="alerts"><li>'
        + link(href, f'<b>{escape(job.title)} - <span class="worker">{job.contract}</span></b><br>{escape(facts)}')
        + "</li></ul>"
    )
    return Shown(job, slug, href, own, place, "", job.contract, salary, html=html)


def jobleads(job: Job, number: int) -> Shown:
    id_ = f"external-{opaque(f'jl{number}', 16).encode().hex()}"
    back = f"https://www.jobleads.com/fr/jobs?promotedJobs={id_}&email-action=job-click"
    href = f"https://www.jobleads.com/auth/autologin?hash={opaque(id_, 30)}&redirectBack={quote(back, safe='')}"
    how = {"Hybride": "Hybride", "Télétravail": "Télétravail"}.get(job.remote, "Sur site")
    salary = "EUR 80 000 - 100 000" if job.salary else ""
    pay = " | ".join(filter(None, (salary, "Plein temps")))
    html = (
        '<div style="border-top: 4px solid #F56462; background-color: #ffffff">'
        + f'<div style="font-size: 20px; font-weight: 600">{escape(job.title)}</div>'
        + f'<div style="font-size: 16px; color:#6F6C68">{escape(job.firm)}</div>'
        + f'<table><tbody><tr><td>•</td><td><div style="font-size: 16px">{escape(job.city)} | {how}</div></td></tr>'
        + f'<tr><td>•</td><td><div style="font-size: 16px">{pay}</div></td></tr></tbody></table>'
        + table(link(href, "Voir tous les détails et postuler" if number % 2 else "Voir l'offre"))
        + "</div>"
    )
    own = f"https://www.jobleads.com/fr/jobs?promotedJobs={id_}"
    return Shown(job, id_, href, own, job.city, job.firm, "Plein temps", salary, how, html=html)


def jobleads_english(job: Job, number: int) -> Shown:
    """The links are the offer's own."""
    id_ = f"e{opaque(f'je{number}', 16).encode().hex()}"
    own = f"https://www.jobleads.com/job/{id_}"
    href = f"{own}?utm_source=newsletter&t={opaque(id_, 20)}"
    html = (
        '<table><tbody><tr><td style="padding: 16px">'
        + f"<div>{escape(job.title)}</div><div>{escape(job.firm)}</div><div>{escape(job.city)}, France | Hybrid</div><div>EUR 60,000 - 80,000 | Full-time</div>"
        + link(href, "View full details and apply")
        + "</td></tr></tbody></table>"
    )
    return Shown(
        job, id_, href, own, f"{job.city}, France", job.firm, "Full-time", "EUR 60,000 - 80,000", "Hybrid", html=html
    )


def makesense(job: Job, number: int) -> Shown:
    id_ = opaque(f"ms{number}", 20).replace("-", "x")
    own = f"https://jobs.makesense.org/fr/jobs/{id_}"
    said = {
        "email_id": opaque("who", 30),
        "href": f"https://jobs.makesense.org/jobs/{id_}?utm_campaign=alert&utm_source=alert",
        "internal": "b6f7",
        "link_id": number,
    }
    href = f"https://e.customeriomail.com/e/c/{token(json.dumps(said))}/{opaque(id_, 32).encode().hex()[:64]}"
    place = f"{number} rue des Essais, {job.city}, France"
    html = (
        '<table><tbody><tr><td style="width:50px">'
        + link(href, '<div style="background-image:url(https://cdn.invalid/x.jpeg);height:80px"></div>')
        + '</td><td><table width="100%"><tbody><tr><td>'
        + link(href, f"{escape(job.title)} ")
        + f"<div>{escape(job.firm)}</div></td></tr><tr><td><p>Nous croyons qu'un autre rapport au vivant est possible, et nous y travaillons chaque jour avec nos partenaires.</p></td></tr>"
        + f'<tr><td><span style="border-radius:20px">{job.contract}</span> <span style="color:#adadad"><img src="https://x.invalid/loc.png"> {escape(place)}</span> <span>-</span> '
        + link(href, "Voir ")
        + "</td></tr></tbody></table></td></tr></tbody></table>"
    )
    text = f"\n{job.firm}\n{job.title} ( {href} )\nNous croyons qu'un autre rapport au vivant est possible.\n{job.contract}{place}\n"
    return Shown(job, id_, href, own, place, job.firm, job.contract, html=html, text=text)
