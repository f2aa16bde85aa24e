import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from regie_toy_cluster import Cluster, missing

from lib.settings import settings


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A server on PostgreSQL and Redis, as compose.yaml describes it, which this process asks too."""
    if why := missing():
        pytest.skip(why)
    # Not in a folder of pytest's, which nobody but root may enter: PostgreSQL is another user.
    with tempfile.TemporaryDirectory(prefix="regie-cluster-") as folder, Cluster(Path(folder)) as made:
        auth = made.given["PREFECT_AUTH"]
        with temporary_settings({PREFECT_API_URL: made.api_url, PREFECT_API_AUTH_STRING: auth}):
            yield made


@pytest.fixture
def folder(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder on the storage that all machines share, and no machine left after the test."""
    made = cluster.shared / request.node.name
    made.mkdir()
    yield made
    cluster.retire()


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch, toy_folder: str) -> Iterator[None]:
    """The toy workflow, known to this process too."""
    monkeypatch.setenv("REGIE_WORKFLOWS", '["regie_toy_plan:TOY"]')
    settings.cache_clear()
    yield
    settings.cache_clear()
