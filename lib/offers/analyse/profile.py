"""The seeker's profile: who they are, and the criteria by which offers are marked; read from a TOML file."""

import hashlib
import json
import tomllib
import unicodedata
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from lib.errors import InputError
from lib.offers.analyse.facts import CONTRACTS, contracts_in

MOST_BYTES = 256_000
"""A profile is refused beyond this size."""


def _plain(value: object) -> object:
    """Return a text as it is compared: white space between words does not count, nor how accents are encoded."""
    return unicodedata.normalize("NFC", " ".join(value.split())) if isinstance(value, str) else value


def _alternatives(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Text = Annotated[str, BeforeValidator(_plain), Field(min_length=1, max_length=4000)]
Word = Annotated[str, BeforeValidator(_plain), Field(min_length=1, max_length=80)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_alternatives), Field(min_length=1, max_length=20)]
"""A word or words in a row, and what else says the same; `*` at the end stands for any ending."""


class Criterion(BaseModel):
    """One thing by which offers are marked, and how much it counts.

    A model goes by the description. The scorer without a model goes by the rules that follow it, as far as there are
    any, and by how like the offer's words are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, BeforeValidator(_plain), Field(min_length=1, max_length=80)]
    description: Text
    """What a high and a low mark mean."""
    weight: float = Field(default=1.0, gt=0, le=1000, allow_inf_nan=False)
    words: tuple[Words, ...] = Field(default=(), max_length=100)
    """What an offer should speak of: the more, the better."""
    avoid: tuple[Words, ...] = Field(default=(), max_length=100)
    """What an offer should not speak of."""
    places: tuple[Word, ...] = Field(default=(), max_length=100)
    """Towns, departments (`69` or `Rhône`) and regions, one of which is to be the offer's."""
    remote: Literal["full", "partial", "none"] | None = None
    """How much work from home there should be: only that, some, none."""
    contracts: tuple[Word, ...] = Field(default=(), max_length=20)
    """The kinds of contract that are wanted."""
    salary_min: float | None = Field(default=None, gt=0, le=10_000_000, allow_inf_nan=False)
    """What is wanted at least, gross and a year."""
    day_rate_min: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    """What a freelancer wants at least a day, before tax."""

    @property
    def has_rules(self) -> bool:
        """Whether there is anything to go by besides the description."""
        given = self.words, self.avoid, self.places, self.remote, self.contracts, self.salary_min, self.day_rate_min
        return any(given)

    @field_validator("contracts")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if not contracts_in(each):
                raise ValueError(f"“{each}” is no contract that is known here: {', '.join(CONTRACTS)}")
        return value


class Profile(BaseModel):
    """Who seeks, and what."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    about: Annotated[str, BeforeValidator(_plain), Field(min_length=1, max_length=20_000)]
    """Experience, skills and wishes, in the seeker's words."""
    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=30)

    @model_validator(mode="after")
    def _differ(self) -> "Profile":
        names = [criterion.name.casefold() for criterion in self.criteria]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two criteria are called “{name}”")
        return self

    @cached_property
    def digest(self) -> str:
        """What changes exactly when the profile says something else: not with comments, white space or order."""
        return hashlib.sha256(json.dumps(_ordered(self.model_dump(mode="json"))).encode()).hexdigest()


def read_profile(path: Path) -> Profile:
    """Read a profile; raises InputError that names the file and what in it is wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: the profile cannot be read ({error.strerror}).") from None
    if len(content) > MOST_BYTES:
        raise InputError(f"{path}: a profile has {MOST_BYTES // 1000} KB at most.")
    try:
        told = json.dumps(tomllib.loads(content.decode("utf-8-sig")), default=str)
    except UnicodeDecodeError:
        raise InputError(f"{path}: the profile is no text in UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path}: the profile is not TOML: {error}.") from None
    try:
        # From JSON: that is strict about types, yet takes TOML's lists for tuples.
        return Profile.model_validate_json(told)
    except ValidationError as error:
        raise InputError(f"{path}: {_trouble(error)}.") from None


def _trouble(error: ValidationError) -> str:
    """Say which keys are wrong and why, criteria counted from one as people do."""
    lines = []
    for each in error.errors(include_url=False, include_context=False)[:5]:
        where = ".".join(str(part + 1) if isinstance(part, int) else part for part in each["loc"])
        said = "there is no such key" if each["type"] == "extra_forbidden" else each["msg"]
        lines.append(f"{where}: {said.removeprefix('Value error, ')}" if where else said.removeprefix("Value error, "))
    return "; ".join(lines)


def _ordered(value: object) -> object:
    """Return a value in which order means nothing."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return sorted((_ordered(each) for each in value), key=json.dumps)
    return value
