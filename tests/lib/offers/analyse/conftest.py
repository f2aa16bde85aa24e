import json
from collections.abc import Iterator

import pytest
from regie_toy_model import Model

from lib.offers.analyse.profile import Criterion, Profile


def profile_of(*criteria: Criterion, about: str = "Backend developer, Python.") -> Profile:
    return Profile(about=about, criteria=criteria)


def criterion(
    name: str = "Skills", weight: float = 1.0, description: str = "5: all. 0: none.", **rules: object
) -> Criterion:
    told = {"name": name, "description": description, "weight": weight, **rules}
    return Criterion.model_validate_json(json.dumps(told))


@pytest.fixture
def profile() -> Profile:
    """Two criteria, of which the first counts three times as much."""
    return profile_of(criterion("Skills", 3.0), criterion("Place", 1.0))


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as server:
        yield server
