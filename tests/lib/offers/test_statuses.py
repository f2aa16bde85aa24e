"""Statuses are known by the user's names for them."""

import pytest
from pydantic import ValidationError

from lib.offers.statuses import Status, StatusNames


@pytest.mark.parametrize("status", list(Status))
def test_a_name_leads_back_to_its_status_whatever_its_case(status: Status) -> None:
    names = StatusNames()
    assert names.status(f" {names.name(status).upper()} ") is status


@pytest.mark.parametrize("name", ["", "Entretien", "to_complete"])
def test_an_unknown_name_is_another_status(name: str) -> None:
    assert StatusNames().status(name) is Status.OTHER


def test_two_statuses_with_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="same name"):
        StatusNames(expired="Erreur")
