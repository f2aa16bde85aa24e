import pytest
from regie_toy_site import Answer, Request

from lib.web.outcomes import BadRedirect, Gone, NoPage, Refused, Unavailable

from .conftest import Open

START = "http://mail.example/click"


def to(place: str, status: int = 302, **headers: str) -> Answer:
    return Answer("moved", status, {"Location": place, **headers})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_and_remembered(bench: Open, status: int) -> None:
    ready = bench(
        {"/click": to("/next?a=b", status), "/next": to("//jobs.example/job", status), "/job": Answer("here")}
    )
    page = ready.client().get(START)
    assert (page.asked, page.url, page.text) == (START, "http://jobs.example/job", "here")
    assert page.redirects == (START, "http://mail.example/next?a=b")


def test_a_circle_is_told(bench: Open) -> None:
    ready = bench({"/click": to("/b"), "/b": to("/click")})
    assert isinstance(found := ready.outcome(START, attempts=3), BadRedirect)
    assert "circle" in found.reason
    assert ready.site.paths == ["/click", "/b"]


def test_a_circle_that_a_cookie_opens_is_no_circle(bench: Open) -> None:
    def gate(request: Request) -> Answer:
        if "seen=1" in request.headers.get("cookie", ""):
            return Answer("here")
        return Answer(status=302, headers={"Location": "/click", "Set-Cookie": "seen=1; Path=/"})

    ready = bench({"/click": gate})
    client = ready.client()
    assert client.get(START).text == "here"
    assert client.get(START).text == "here"
    assert ready.site.paths == ["/click"] * 4  # cookies do not outlive their page


def test_a_cookie_that_cannot_be_said_is_not(bench: Open) -> None:
    ready = bench({"/click": to("/job", **{"Set-Cookie": "a=é\x7f"}), "/job": Answer("here")})
    assert ready.client().get(START).text == "here"
    assert "cookie" not in ready.site.requests[-1].headers


def test_cookies_are_not_told_to_other_sites(bench: Open) -> None:
    ready = bench({"/click": to("http://jobs.example/job", **{"Set-Cookie": "who=me"}), "/job": Answer("here")})
    ready.client().get(START)
    assert "cookie" not in ready.site.requests[-1].headers


def test_too_many_redirects_are_told(bench: Open) -> None:
    ready = bench({f"/{n}": to(f"/{n + 1}") for n in range(9)} | {"/9": Answer("here")})
    assert isinstance(found := ready.outcome("http://jobs.example/0", redirects=8), BadRedirect)
    assert "8 redirects" in found.reason
    assert ready.client(redirects=9).get("http://jobs.example/0").text == "here"


@pytest.mark.parametrize(
    "place",
    [
        "http://10.0.0.1/",
        "http://127.0.0.1:6379/",
        "http://[::1]/",
        "http://[::ffff:169.254.169.254]/latest/meta-data",
        "http://inside.example/",
        "ftp://jobs.example/",
        "file:///etc/passwd",
        "http://jobs.example:25/",
        "http://name:hush@jobs.example/",
        "http://jobs.example/" + "x" * 9000,
        "http://[",
        "",
    ],
)
def test_a_redirect_to_a_place_that_is_refused_is_told(bench: Open, place: str) -> None:
    ready = bench({"/click": to(place)})
    ready.web.names["inside.example"] = "192.168.0.7"
    found = ready.outcome(START)
    assert isinstance(found, BadRedirect)
    assert not found.passing
    assert "hush" not in found.reason
    assert ready.site.paths == ["/click"]
    assert {address for address, _port in ready.web.connected} == {"93.184.216.34"}


def test_where_robots_txt_forbids_the_end_it_is_not_asked_for(bench: Open) -> None:
    ready = bench({"/click": to("/job"), "/robots.txt": Answer("User-agent: *\nDisallow: /job"), "/job": Answer("x")})
    found = ready.outcome(START)
    assert isinstance(found, Refused)
    assert found.by == "robots"
    assert ready.site.paths == ["/click"]


def test_a_link_of_a_mail_is_followed_to_its_end(bench: Open) -> None:
    ready = bench(
        {
            "/click": to("http://track.example/t"),
            "/t": to("https://jobs.example:8443/job?id=7#apply".replace("https", "http")),
            "/job": Answer(iter(lambda: b"x" * 1000, None), pause=0.01),
            "/robots.txt": Answer("User-agent: *\nDisallow: /"),
        }
    )
    assert ready.client().resolve(START) == "http://jobs.example:8443/job?id=7#apply"
    assert [request.path for request in ready.site.requests] == ["/click", "/t", "/job?id=7"]


@pytest.mark.parametrize("status", [200, 401, 403, 404, 410, 429, 999])
def test_what_the_end_answers_does_not_change_where_it_is(bench: Open, status: int) -> None:
    ready = bench({"/click": to("http://jobs.example/job"), "/job": Answer("x", status)})
    assert ready.client().resolve(START) == "http://jobs.example/job"


@pytest.mark.parametrize(
    ("routes", "outcome"),
    [
        ({}, Gone),
        ({"/click": Answer(status=410)}, Gone),
        ({"/click": Answer(status=503)}, Unavailable),
        ({"/click": to("/b"), "/b": Answer(status=502)}, Unavailable),
        ({"/click": to("/click")}, BadRedirect),
        ({"/click": to("http://10.0.0.1/admin")}, BadRedirect),
    ],
)
def test_a_link_that_leads_nowhere_is_an_outcome(bench: Open, routes: dict[str, Answer], outcome: type[NoPage]) -> None:
    with pytest.raises(outcome):
        bench(dict(routes)).client().resolve(START)


def test_a_tracker_that_is_out_of_order_is_asked_again(bench: Open) -> None:
    ready = bench({"/click": [Answer(status=502), to("/job")], "/job": Answer("x")})
    assert ready.client(attempts=2).resolve(START) == "http://mail.example/job"
