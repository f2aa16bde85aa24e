import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings

# Two busy cores make single examples slow; a slow example is no failure. All tests take as many as hypothesis would.
settings.register_profile("regie", deadline=None, max_examples=100 if os.environ.get("ALL_TESTS") else 40)
settings.load_profile("regie")

ROOT = Path(__file__).resolve().parents[1]
TOYS = Path(__file__).parent / "toys"
HOME = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Point Régie and Prefect at a folder of this session, before either is imported."""
    home = Path(tempfile.mkdtemp(prefix="regie-tests-"))
    config.stash[HOME] = home
    # What a script starts in the background ignores Ctrl-C, and so would every process that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "REGIE_"))]:
        del os.environ[name]
    os.environ |= {
        "REGIE_HOME": str(home),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_PROFILES_PATH": str(home / "prefect" / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless everything is asked for."""
    if os.environ.get("ALL_TESTS"):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes long: `make test-all` runs it"))


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[HOME], ignore_errors=True)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A Prefect server for the session, with a database of its own; only for tests that need one."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    from flows.limits import limits
    from lib.settings import settings as regie_settings

    # A heartbeat holds up the end of every run by up to a second.
    with (
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        with get_client(sync_client=True) as client:
            for name, limit in limits(regie_settings()).items():
                client.upsert_global_concurrency_limit_by_name(name, limit)
        yield


@pytest.fixture(scope="session")
def make_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Give a function that makes a home of Régie whose database has its tables already.

    A server takes as long to make them as for the rest of its start.
    """
    made = tmp_path_factory.mktemp("database") / "prefect"
    code = (
        "import anyio; from prefect.server.database import provide_database_interface as db; anyio.run(db().create_db)"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PREFECT_HOME": str(made)}, check=True)

    def make(home: Path) -> Path:
        shutil.copytree(made, home / "prefect")
        return home

    return make


@pytest.fixture(scope="session")
def toy_folder() -> Iterator[str]:
    """The folder of the workflow that the tests run (`import regie_toy`), on the path while they do."""
    sys.path.insert(0, str(TOYS))
    yield str(TOYS)
    sys.path.remove(str(TOYS))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Chromium, driven by Playwright, whose event loop keeps others from running in this thread while it is there."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"there is no browser: none of {', '.join(names)} is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Give the address of a server that speaks S3."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the URL of a new bucket, reached as an environment says."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key of a test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret of a test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    bucket = f"rushes-{uuid4().hex}"
    s3fs.S3FileSystem().mkdir(bucket)
    return f"s3://{bucket}"
