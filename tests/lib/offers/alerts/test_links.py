"""Which offer a link leads to; look-alikes lead to none."""

import json
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from benchmarks.alerts import REAL
from lib.offers.alerts.links import anonymous, leads
from lib.offers.alerts.options import AlertOptions
from lib.offers.alerts.registry import SENDERS, identify, sender_of, source_of

from .layouts import token

real = pytest.mark.skipif(not REAL.is_dir(), reason="the test data are not in ../shared/testdata/emails")

SITE = "https://www.hellowork.com/fr-fr"
CLICK = "https://emails.hellowork.com/clic/1/2/3"
BACK = "https://www.jobleads.com/auth?redirectBack=https%3A%2F%2F"
APEC = "https://neomarket.diffusion.apec.fr/r/?id=1&s=2&e="


def bounced(target: object) -> str:
    """Return a link of makesense's tracker."""
    return f"https://e.customeriomail.com/e/c/{token(json.dumps({'href': target}))}/0a1b"


OFFERS = {
    "LinkedIn": [
        ("https://www.linkedin.com/comm/jobs/view/4300000001/?trackingId=x", "4300000001"),
        ("https://fr.linkedin.com/jobs/view/data-analyst-at-firm-4300000001", "4300000001"),
        ("https://linkedin.com:443/jobs/view/4300000001", "4300000001"),
        ("HTTPS://WWW.LinkedIn.com/jobs/view/4300000001", "4300000001"),
    ],
    "Indeed": [
        ("https://fr.indeed.com/rc/clk/dl?jk=0123456789abcdef&from=ja", "0123456789abcdef"),
        ("https://uk.indeed.com/m/viewjob?jk=0123456789ABCDEF", "0123456789abcdef"),
        ("https://www.indeed.com/pagead/clk/dl?mo=r&jk=0123456789abcdef", "0123456789abcdef"),
    ],
    "APEC": [
        (f"{APEC}{token('p1=www.apec.fr&p2=179470844W&p3=')}", "179470844W"),
        ("https://www.apec.fr/candidat/recherche-emploi.html/emploi/detail-offre/179470844W?xtor=1", "179470844W"),
    ],
    "HelloWork": [
        (f"{CLICK}/{token(f'a@b.fr🪢{SITE}/emplois/123456.html?u')}", "123456"),
        (f"{CLICK}/{token(f'{SITE}/emplois/123456.html')}/f", "123456"),
        ("https://www.hellowork.com/fr-fr/emplois/123456.html#apply", "123456"),
    ],
    "Welcome to the Jungle": [
        ("https://www.welcometothejungle.com/fr/companies/acme/jobs/dev_paris?utm_source=x", "acme/dev_paris"),
    ],
    "Cadremploi": [("https://www.cadremploi.fr/emploi/detail_offre?offreId=15654843811&x=1", "15654843811")],
    "France Travail": [("https://candidat.francetravail.fr/offres/recherche/detail/184ABCD?x=1", "184ABCD")],
    "Meteojob": [("https://www.meteojob.com/jobs/56378291?auth=x", "56378291")],
    "Talent.com": [
        ("https://fr.talent.com/redirect?id=abc123def456&extra=1", "abc123def456"),
        ("https://www.talent.com/view?id=627626618486524716", "627626618486524716"),
    ],
    "Jobijoba": [("https://www.jobijoba.com/fr/annonce/54/26e1c6007076b02c?a=1", "54/26e1c6007076b02c")],
    "Free-Work": [("https://www.free-work.com/fr/tech-it/data-analyst/job-mission/power-bi?u=1", "power-bi")],
    "JobLeads": [
        ("https://www.jobleads.com/job/sales-lyon-67d9fa89e829?t=1", "sales-lyon-67d9fa89e829"),
        (f"{BACK}www.jobleads.com%2Ffr%2Fjobs%3FpromotedJobs%3Dexternal-8869d8cd245b&h=1", "external-8869d8cd245b"),
    ],
    "makesense": [
        ("https://jobs.makesense.org/fr/jobs/FaUYM2eD6MXc?utm=1", "FaUYM2eD6MXc"),
        (bounced("https://jobs.makesense.org/jobs/FaUYM2eD6MXc?utm=1"), "FaUYM2eD6MXc"),
    ],
}  # fmt: skip
GOOD = [(source, link) for source, links in OFFERS.items() for link, _ in links]


@pytest.mark.parametrize(("source", "link", "number"), [(s, *each) for s, links in OFFERS.items() for each in links])
def test_a_link_says_which_offer_it_leads_to(source: str, link: str, number: str) -> None:
    identity = identify(source, link)
    assert identity is not None
    assert identity.offer_id == number
    assert identify(source, identity.link) == identity


def test_every_sender_has_a_link_here() -> None:
    assert set(OFFERS) == {sender.name for sender in SENDERS}


@pytest.mark.parametrize(("source", "link"), GOOD)
def test_a_link_of_one_site_is_none_of_another(source: str, link: str) -> None:
    assert [other for other in OFFERS if other != source and identify(other, link)] == []


TRICKS = {
    "longer host": lambda scheme, host, rest: f"{scheme}://{host}.evil.example{rest}",
    "prefixed host": lambda scheme, host, rest: f"{scheme}://evil{host}{rest}",
    "prefixed with a dash": lambda scheme, host, rest: f"{scheme}://evil-{host}{rest}",
    "deeper host": lambda scheme, host, rest: f"{scheme}://evil.{host}{rest}",
    "user": lambda scheme, host, rest: f"{scheme}://{host}@evil.example{rest}",
    "user and password": lambda scheme, host, rest: f"{scheme}://evil.example:x@{host}{rest}",
    "other host's path": lambda scheme, host, rest: f"{scheme}://evil.example/{host}{rest}",
    "other host's query": lambda scheme, host, rest: f"{scheme}://evil.example/?u=https://{host}{rest}",
    "backslash": lambda scheme, host, rest: f"{scheme}://evil.example\\@{host}{rest}",
    "port": lambda scheme, host, rest: f"{scheme}://{host}:8080{rest}",
    "script": lambda scheme, host, rest: f"javascript://{host}{rest}",
    "data": lambda scheme, host, rest: f"data://{host}{rest}",
    "no scheme": lambda scheme, host, rest: f"//{host}{rest}",
    "homograph": lambda scheme, host, rest: f"{scheme}://{host.replace('o', 'о', 1).replace('c', 'с', 1)}{rest}",
    "soft hyphen": lambda scheme, host, rest: f"{scheme}://{host[:3]}\u00ad{host[3:]}{rest}",
    "dot behind": lambda scheme, host, rest: f"{scheme}://{host}.{rest}",
    "line feed": lambda scheme, host, rest: f"{scheme}://{host}\n.evil.example{rest}",
    "percent": lambda scheme, host, rest: f"{scheme}://{host.replace('.', '%2e')}{rest}",
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_look_alike_leads_nowhere(trick: str) -> None:
    for source, link in GOOD:
        scheme, _, rest = link.partition("://")
        host, slash, path = rest.partition("/")
        fake = TRICKS[trick](scheme, host.partition(":")[0], slash + path)
        assert identify(source, fake) is None
        assert not sender_of(source).tracks(fake)


@pytest.mark.parametrize(
    ("source", "link"),
    [
        ("APEC", f"{APEC}{token('p1=www.evil.example&p2=179470844W')}"),
        ("APEC", f"{APEC}{token('p1=www.apec.fr&p2=../../x')}"),
        ("APEC", f"{APEC}****"),
        ("HelloWork", f"{CLICK}/{token('a@b.fr🪢https://www.hellowork.com.evil.example/fr-fr/emplois/1234.html')}"),
        ("HelloWork", f"{CLICK}/{token('https://www.hellowork.com/fr-fr/page/contact.html')}"),
        ("HelloWork", f"{CLICK}/{token('https://www.hellowork.com/' * 30)}"),
        ("makesense", bounced("https://evil.example/jobs/FaUYM2eD6MXc")),
        ("makesense", bounced({"a": 1})),
        ("makesense", f"https://e.customeriomail.com/e/c/{token('[' * 2000)}"),
        ("makesense", f"https://e.customeriomail.com/e/c/{token('[]')}"),
        ("JobLeads", f"{BACK}evil.example%2F%3FpromotedJobs%3Dexternal-8869d8cd245b"),
        ("Indeed", "https://fr.indeed.com/viewjob?jk=../../x"),
        ("LinkedIn", "https://www.linkedin.com/jobs/view/../4300000001"),
        ("LinkedIn", "https://www.linkedin.com/redir/jobs/view/4300000001"),
        ("Talent.com", "https://fr.talent.com/redirect?id=%22%3E%3Cscript%3E"),
        ("Welcome to the Jungle", "https://www.welcometothejungle.com/fr/companies/acme/jobs/.."),
        ("Free-Work", "https://www.free-work.com/fr/tech-it/job-mission/.."),
        ("JobLeads", "https://www.jobleads.com/job/...."),
    ],
)  # fmt: skip
def test_what_is_in_a_link_is_checked_too(source: str, link: str) -> None:
    assert identify(source, link) is None


@pytest.mark.parametrize(
    ("source", "link"),
    [
        ("Indeed", "https://cts.indeed.com/v3/H4sIAAAA/x"),
        ("Indeed", "https://fr.indeed.com/pagead/clk/dl?mo=r&ad=x"),
        ("Welcome to the Jungle", "http://t.welcometothejungle.com/ls/click?upn=u001.x"),
        ("Cadremploi", "https://r.emails4.alertes.cadremploi.fr/tr/cl/x"),
        ("Jobijoba", "https://www.jobijoba.com/fr/redirect/offer/x"),
    ],
)
def test_a_tracker_keeps_to_itself_where_it_leads(source: str, link: str) -> None:
    assert identify(source, link) is None
    assert sender_of(source).tracks(link)
    assert [sender.name for sender in SENDERS if sender.tracks(link)] == [source]


def test_what_says_where_it_leads_is_no_tracker() -> None:
    assert [(source, link) for source, link in GOOD if sender_of(source).tracks(link)] == []
    assert not sender_of("HelloWork").tracks("https://emails.hellowork.com/clic/1/2/3/opaque")
    assert not sender_of("Jobijoba").tracks("https://www.jobijoba.com/fr/alert/manage")
    assert not sender_of("Indeed").tracks("https://fr.indeed.com/alerts/manage")


DOMAINS = {
    "LinkedIn": ["linkedin.com"],
    "Indeed": ["indeed.com"],
    "APEC": ["apec.fr"],
    "HelloWork": ["hellowork.com"],
    "Welcome to the Jungle": ["welcometothejungle.com"],
    "Cadremploi": ["cadremploi.fr"],
    "France Travail": ["francetravail.fr", "pole-emploi.fr"],
    "Meteojob": ["meteojob.com"],
    "Talent.com": ["talent.com"],
    "Jobijoba": ["jobijoba.com"],
    "Free-Work": ["free-work.com"],
    "JobLeads": ["jobleads.com"],
    "makesense": ["makesense.org", "e.customeriomail.com"],
}
PIECES = st.lists(
    st.sampled_from(
        sorted({"." + domain for each in DOMAINS.values() for domain in each} | {"www", "fr", "@", ":", ".x"})
    )
    | st.text(max_size=3),
    max_size=5,
).map("".join)
PATHS = st.sampled_from(["/" + link.split("/", 3)[3] for _, link in GOOD])


@given(link=st.text(max_size=200) | st.builds("https://{}{}".format, PIECES, PATHS))
def test_identify_never_fails_and_never_takes_another_host(link: str) -> None:
    for sender in SENDERS:
        if sender.identify(link) or sender.tracks(link):
            host = urlsplit(link).netloc.lower()
            assert any(f".{host}".endswith(f".{domain}") for domain in DOMAINS[sender.name])


@given(link=st.text(max_size=300))
def test_a_link_is_read_or_not(link: str) -> None:
    tidied = leads(link)
    assert not tidied or anonymous(tidied).startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("link", "left"),
    [
        ("https://a.example/jobs/4?utm_source=x&id=5&utm_medium=y#top", "https://a.example/jobs/4?id=5"),
        ("https://a.example/jobs/4?email=me%40x.fr&ref=me@x.fr", "https://a.example/jobs/4"),
        (f"https://a.example/jobs/4?t={token('me@x.fr')}", "https://a.example/jobs/4"),
        ("https://a.example/jobs/4?otpToken=1&trackingId=2&midSig=3&subscriber_id=4", "https://a.example/jobs/4"),
        ("https://a.example/jobs/4?job=x%20y", "https://a.example/jobs/4?job=x+y"),
    ],
)  # fmt: skip
def test_what_says_who_clicked_is_taken_out(link: str, left: str) -> None:
    assert anonymous(link) == left


@real
def test_the_real_links_lead_where_they_are_known_to() -> None:
    for case in json.loads((REAL / "link_cases.json").read_text()):
        identity = identify(case["source"], case["link"])
        assert (identity.offer_id if identity else None) == case["offer_id"], case["link"]
        assert identity is None or identity.link == case.get("canonical", identity.link)
        assert sender_of(case["source"]).tracks(case["link"]) == case.get("opaque", False)


@real
def test_the_real_senders_are_known() -> None:
    known = json.loads((REAL / "senders.json").read_text())
    assert {address: source_of(address) for each in known.values() for address in each} == {
        address: source for source, each in known.items() for address in each
    }
    assert set(known) == {sender.name for sender in SENDERS}


@pytest.mark.parametrize(
    "address",
    [
        "jobalerts-noreply@linkedin.com.evil.example",
        "jobalerts-noreply@evil.example",
        "x-jobalerts-noreply@linkedin.com",
        "jobalerts-noreply+x@linkedin.com",
        "jobalerts-noreply@linkedin.com@evil.example",
        "linkedin.com",
        "@linkedin.com",
        "",
    ],
)
def test_who_is_no_sender_is_none(address: str) -> None:
    assert source_of(address) is None


def test_the_case_of_an_address_does_not_count() -> None:
    assert source_of(" JobAlerts-NoReply@LinkedIn.com ") == "LinkedIn"


def test_senders_can_be_added() -> None:
    others = {"alerts@jobs.example": "Example", "@News.Example": "News"}
    assert source_of("alerts@jobs.example", others) == "Example"
    assert source_of("anyone@news.example", others) == "News"
    assert source_of("anyone@sub.news.example", others) is None
    assert source_of("anyone@jobs.example", others) is None
    assert sender_of("Example").name == "Example"


@pytest.mark.parametrize("senders", [{"jobs.example": "X"}, {"a b@c": "X"}, {"a@b@c": "X"}, {"a@b": ""}, {"a@": "X"}])
def test_a_sender_without_address_or_name_is_refused(senders: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        AlertOptions(senders=senders)


def test_addresses_and_domains_are_taken() -> None:
    senders = {"alerts@jobs.example": "Example", "@news.example": "News"}
    assert AlertOptions(senders=senders).senders == senders
