import pytest

from lib.web.challenges import guard_of

CLOUDFLARE = b"<title>Just a moment...</title><script>window._cf_chl_opt = {cvId: '3'}</script>"


@pytest.mark.parametrize(
    ("status", "headers", "body", "guard"),
    [
        (403, {"cf-mitigated": "challenge"}, b"", "Cloudflare"),
        (503, {}, CLOUDFLARE, "Cloudflare"),
        (200, {}, CLOUDFLARE, "Cloudflare"),
        (403, {}, b"<title>Attention Required! | Cloudflare</title>", "Cloudflare"),
        (403, {}, b"<script src='https://ct.captcha-delivery.com/c.js'>", "DataDome"),
        (403, {}, b"<div id='px-captcha'></div>", "HUMAN"),
        (200, {}, b"<iframe src='/_Incapsula_Resource?x'>Request unsuccessful. Incapsula incident ID: 7", "Imperva"),
        (202, {"x-amzn-waf-action": "challenge"}, b"", "AWS WAF"),
        (405, {"x-amzn-waf-action": "captcha"}, b"", "AWS WAF"),
        (200, {}, b"<script src='/.within.website/x/cmd/anubis/static/js/main.mjs'>", "Anubis"),
        (200, {}, b"<script>sucuri_cloudproxy_js='';</script>", "Sucuri"),
        (202, {}, b"<meta http-equiv='refresh' content='0;/.well-known/sgcaptcha/?r=%2F'>", "SiteGround"),
        (403, {}, b"https&#58;&#47;&#47;errors.edgesuite.net/18.1", "Akamai"),
        (403, {}, b"<TITLE>Access Denied</TITLE>", "Akamai"),
        (403, {}, b"<script src='https://hcaptcha.com/1/api.js'>", "a captcha"),
        (429, {}, b"Please solve the CAPTCHA", "a captcha"),
        (999, {}, b"", "the site"),
    ],
)
def test_guards_are_recognised(status: int, headers: dict[str, str], body: bytes, guard: str) -> None:
    assert guard_of(status, headers, body) == guard


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (
            200,
            {"cf-ray": "1", "server": "cloudflare"},
            b"<h1>Baker</h1><script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'>",
        ),
        (200, {}, b"<script src='/cdn-cgi/challenge-platform/h/g/scripts/jsd/1/main.js'></script>"),
        (200, {}, b"<h1>Contact</h1><script src='https://www.google.com/recaptcha/api.js'></script>"),
        (200, {}, b"<h1>Just a moment of your time</h1>"),
        (200, {}, CLOUDFLARE + b"<p>The whole article</p>" * 5000),
        (200, {}, b"<script src='https://js.datadome.co/tags.js'>"),
        (403, {}, b"<h1>Forbidden</h1>"),
        (404, {}, CLOUDFLARE),
        (503, {}, b"<h1>Down for maintenance</h1><script src='https://www.google.com/recaptcha/api.js'>"),
        (500, {}, b""),
    ],
)
def test_pages_and_plain_refusals_are_no_guards(status: int, headers: dict[str, str], body: bytes) -> None:
    assert guard_of(status, headers, body) is None


def test_only_the_beginning_is_looked_at() -> None:
    assert guard_of(403, {}, b"x" * 70_000 + b"captcha") is None
