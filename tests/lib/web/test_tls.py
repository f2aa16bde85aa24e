import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from regie_toy_site import Answer, site

from lib.web.client import WebClient
from lib.web.options import WebOptions
from lib.web.outcomes import Unavailable

from .conftest import PUBLIC, Web

x509 = pytest.importorskip("cryptography.x509", reason="cryptography makes the certificates")
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

Certificate = Callable[..., ssl.SSLContext]


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """Give a function that makes the context of a server, with a certificate that it signed itself."""

    def make(host: str, days: int = 1) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / "site.pem"
        encoding = serialization.Encoding.PEM
        private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        file.write_bytes(made.public_bytes(encoding) + key.private_bytes(encoding, *private))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    return make


def client_of(web: Web, trusted: Path | None = None, **settings: object) -> WebClient:
    trust = ssl.create_default_context(cafile=trusted) if trusted else None
    options = WebOptions(**{"delay": 0, "attempts": 3} | settings)  # type: ignore[arg-type]
    return WebClient(options, network=web, trust=trust)


def test_a_site_is_greeted_by_its_name_at_the_address_that_was_checked(
    web: Web, certificate: Certificate, tmp_path: Path
) -> None:
    context = certificate("jobs.example")
    names = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with site({"/job": Answer("x" * 300_000), "/robots.txt": Answer("")}, context) as server:
        web.port = server.port
        with client_of(web, tmp_path / "site.pem") as client:
            assert len(client.get("https://jobs.example/job").text) == 300_000
            assert len(client.get("https://jobs.example/job").text) == 300_000
    assert names == ["jobs.example"]
    assert web.connected == [(PUBLIC, 443)]
    assert server.requests[0].headers["host"] == "jobs.example"


@pytest.mark.parametrize(
    ("host", "days", "trusted"),
    [("jobs.example", 1, False), ("other.example", 1, True), ("jobs.example", -1, True)],
    ids=["nobody vouches for it", "another's", "expired"],
)
def test_a_certificate_that_is_not_valid_is_told_and_not_tried_again(
    web: Web, certificate: Certificate, tmp_path: Path, host: str, days: int, trusted: bool
) -> None:
    with site({"/job": Answer("x")}, certificate(host, days)) as server:
        web.port = server.port
        with (
            client_of(web, tmp_path / "site.pem" if trusted else None) as client,
            pytest.raises(Unavailable, match=r"certificate of jobs\.example is not valid") as raised,
        ):
            client.get("https://jobs.example/job")
    assert not raised.value.passing
    assert len(web.connected) == 1
    assert server.requests == []


def test_a_site_without_tls_is_told(web: Web) -> None:
    with site({"/job": Answer("x")}) as server:
        web.port = server.port
        with client_of(web) as client, pytest.raises(Unavailable, match="no TLS"):
            client.get("https://jobs.example/job")


def test_a_site_that_never_greets_back_is_given_up(web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        web.port = silent.getsockname()[1]
        with client_of(web, attempts=1, connect_seconds=0.2) as client, pytest.raises(Unavailable) as raised:
            client.get("https://jobs.example/job")
    assert raised.value.passing
