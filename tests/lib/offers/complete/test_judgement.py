from datetime import date
from urllib.parse import quote

import pytest

from lib.offers.complete.document import parse
from lib.offers.complete.judgement import Kind, judge, led_away
from lib.offers.complete.posting import Posting
from lib.offers.offer import Offer

TODAY = date(2026, 11, 21)
OFFER = Offer(link="https://oven.example/jobs/77", key="Oven:77", title="Senior Baker")
WORDS = "<p>We bake at night, and we look for a senior baker who likes that as much as we do.</p>" * 30


def kind(body: str, posting: Posting | None = None, url: str = OFFER.link, title: str = "Senior Baker") -> Kind:
    return judge(parse(f"<title>{title}</title><body>{body}"), posting, OFFER, url, TODAY).kind


@pytest.mark.parametrize(
    "notice",
    [
        "This job is no longer available.",
        "Sorry, this job is no longer available",
        "This job has expired on Indeed",
        "This job posting is no longer active",
        "This position has been filled.",
        "The position has already been filled",
        "The job you are looking for is no longer open.",
        "The job that you were looking for has been removed",
        "This job is closed",
        "This role no longer exists.",
        "No longer accepting applications",
        "Applications for this job are now closed",
        "This opportunity has expired. See other offers of this company.",
        "Oops! This ad was removed.",
        "Cette offre n'est plus disponible",
        "Cette offre n’est plus disponible.",
        "Désolé, cette offre n'est malheureusement plus en ligne",
        "Cette offre d'emploi a expiré",
        "Cette offre a été pourvue",
        "Cette annonce est expirée. Découvrez les autres.",
        "L'offre que vous souhaitez consulter n'est plus disponible",
        "L'offre que vous recherchez n'existe plus",
        "Ce poste est déjà pourvu",
        "Le poste a été pourvu.",
        "L'annonce a été supprimée",
        "Cette offre n'accepte plus de candidatures",
        "Les candidatures sont closes",
        "Offre expirée",
        "Offre pourvue",
    ],
)
@pytest.mark.parametrize("around", ["", WORDS], ids=["alone", "above the offer"])
def test_a_page_that_says_that_the_offer_is_gone_is_expired(notice: str, around: str) -> None:
    assert kind(f"<div><span>{notice}</span></div>{around}") is Kind.EXPIRED


@pytest.mark.parametrize(
    "title",
    [
        "Offre expirée | Oven",
        "Job not found - Oven",
        "Page introuvable",
        "Cette offre n'est plus disponible - Oven",
        "404",
        "Erreur 404",
    ],
)
def test_a_title_may_say_it(title: str) -> None:
    assert kind("<p>Here are some others.</p>", title=title) is Kind.EXPIRED


@pytest.mark.parametrize(
    "words",
    [
        "If this position is no longer available, we will tell you.",
        "This position is no longer available in our Paris office, but it is in Lyon.",
        "You make sure that nobody reads “this job has expired” on our pages.",
        "La mission : retirer les offres dès que le poste a été pourvu",
        "Cette offre n'est plus disponible en télétravail complet, venez nous voir !",
        "Vous relancez les candidats lorsque cette offre est pourvue en interne",
        "Offre pourvue d'avantages : mutuelle, tickets, vélo",
        "This role is closed to nobody.",
        "The job is filled with wonder",
        "Applications are closed-loop control systems",
    ],
)
@pytest.mark.parametrize("tag", ["p", "li", "div"])
def test_a_text_that_merely_speaks_of_it_does_not_mislead(words: str, tag: str) -> None:
    assert kind(f"<{tag}>{words}</{tag}>{WORDS}") is Kind.OFFER


def test_what_the_description_says_is_no_notice() -> None:
    line = "This job is no longer available."
    posting = Posting(title="Senior Baker", description=f"What we never want to write:\n{line}")
    assert kind(f"<p>{line}</p>{WORDS}", posting) is Kind.OFFER
    assert kind(f"<p>{line}</p>{WORDS}", Posting(title="Senior Baker", description="Bread.")) is Kind.EXPIRED


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>{}</p>",
        '<p style="display: none">{}</p>',
        '<div class="modal hidden"><p>{}</p></div>',
        '<div aria-hidden="true">{}</div>',
        "<template><p>{}</p></template>",
        "<dialog><p>{}</p></dialog>",
        "<script>say('{}')</script>",
        "<!-- {} -->",
        "<noscript>{}</noscript>",
    ],
)
def test_what_is_not_seen_is_no_notice(hidden: str) -> None:
    assert kind(hidden.format("This job is no longer available.") + WORDS) is Kind.OFFER


@pytest.mark.parametrize(("last", "found"), [(20, Kind.EXPIRED), (21, Kind.OFFER), (22, Kind.OFFER)])
def test_an_offer_is_open_up_to_its_last_day(last: int, found: Kind) -> None:
    assert kind(WORDS, Posting(title="Senior Baker", expires=date(2026, 11, last))) is found


@pytest.mark.parametrize(
    ("url", "away"),
    [
        ("https://oven.example/", True),
        ("https://www.oven.example/fr/", True),
        ("https://oven.example/fr-fr/accueil", True),
        ("https://oven.example/jobs", True),
        ("https://oven.example/jobs/search?q=baker", True),
        ("https://oven.example/emploi/recherche.html?k=x", True),
        ("https://oven.example/offres-emploi/", True),
        ("https://oven.example/baker-jobs?trk=expired_jd_redirect", True),
        ("https://oven.example/company?error=true", True),
        ("https://oven.example/jobs/77", False),
        ("https://oven.example/jobs/senior-baker-77", False),
        ("https://oven.example/search?job=77", False),
        ("https://oven.example/offres/boulanger-confirme", False),
        ("https://oven.example/emplois/research-baker", False),
        ("https://mill.example/", False),
        ("https://mill.example/jobs", False),
    ],
)
def test_a_site_that_leads_home_or_to_a_list_has_no_such_offer(url: str, away: bool) -> None:
    assert led_away(OFFER.link, url, "77") is away


def test_a_tracker_that_leads_to_a_list_says_nothing() -> None:
    assert not led_away("https://r.mail.oven.example/tr/cl/opaque", "https://www.oven.example/", "")
    assert led_away("https://www.oven.example/baker", "https://www.oven.example/", "")


@pytest.mark.parametrize("path", ["/login", "/authwall?trk=x", "/uas/login", "/fr/connexion", "/auth/sso?to=/jobs/77"])
def test_a_page_for_signing_in_is_a_login(path: str) -> None:
    assert kind(WORDS, url=f"https://oven.example{path}") is Kind.LOGIN


def test_a_form_with_a_password_is_a_login_where_there_is_little_else() -> None:
    form = '<h1>Welcome</h1><form><input type="password"></form>'
    assert kind(form, title="Oven") is Kind.LOGIN
    assert kind(form + "<p>to see Senior Baker at Oven</p>", title="Oven") is Kind.LOGIN
    assert kind(form + WORDS) is Kind.OFFER
    assert kind(form, Posting(title="Senior Baker")) is Kind.OFFER


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Access to this page has been denied", "Press & Hold to confirm you are a human (and not a bot)."),
        ("Pardon Our Interruption", "As you were browsing something about your browser made us think you were a bot."),
        ("Security Check - Indeed.com", ""),
        ("oven.example", "Verify you are human by completing the action below."),
        ("oven.example", "Vérifiez que vous êtes un être humain en effectuant l’action ci-dessous."),
        ("oven.example", "Nous avons détecté une activité inhabituelle depuis votre réseau."),
        ("Access Denied", "You don't have permission to access this on this server. Reference #18.2d351ab8"),
        ("Un instant…", ""),
    ],
)
def test_a_page_that_asks_whether_a_person_is_there_is_blocked(title: str, text: str) -> None:
    assert kind(f"<p>{text}</p>", title=title) is Kind.BLOCKED


def test_an_offer_that_speaks_of_robots_is_an_offer() -> None:
    text = "<h1>Senior Baker</h1><p>You are not a robot, and unusual activity in our ovens makes you curious.</p>"
    assert kind(text) is Kind.OFFER


def test_the_note_says_by_what_it_was_seen() -> None:
    verdict = judge(parse("<p>Cette offre n'est plus disponible.</p>"), None, OFFER, OFFER.link, TODAY)
    assert verdict.reason == "its page says: Cette offre n'est plus disponible"
    assert quote(OFFER.link) not in verdict.reason
