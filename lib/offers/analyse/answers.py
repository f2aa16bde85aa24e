"""What a model answers, of which nothing is believed before it has been looked at; pure."""

import json
import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lib.offers.analyse.profile import Profile
from lib.offers.analyse.scoring import BEST, Mark, one_line

REASON_MOST = 2_000
"""A longer reason is refused; what is kept of one is shorter still."""
_MARKUP = re.compile(r"https?:|www\.|<[a-zA-Z/!]|\]\(")


class AnswerError(ValueError):
    """An answer that cannot be used; the text says why, in words of ours alone, and goes back to the model."""


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    criterion: str
    reason: Annotated[str, Field(max_length=REASON_MOST)]
    mark: Annotated[float, Field(ge=0, le=BEST, allow_inf_nan=False)] | None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    marks: Annotated[list[_Given], Field(max_length=100)]


def marks_in(text: str, profile: Profile) -> tuple[Mark, ...]:
    """Return the marks of an answer, one for each criterion in their order; raises AnswerError."""
    try:
        answer = _Answer.model_validate(_json(text))
    except ValidationError as error:
        raise AnswerError(_trouble(error)) from None
    given = {each.criterion: each for each in answer.marks}
    names = [criterion.name for criterion in profile.criteria]
    if set(given) - set(names):
        raise AnswerError("it marks a criterion that the profile does not have")
    if len(given) < len(answer.marks):
        raise AnswerError("it marks a criterion twice")
    if missing := [name for name in names if name not in given]:
        raise AnswerError(f"these criteria have no mark: {', '.join(missing)}")
    return tuple(_mark(given[name]) for name in names)


def _mark(given: _Given) -> Mark:
    reason = one_line(given.reason)
    if not reason:
        raise AnswerError(f"the reason for {given.criterion} is empty")
    if _MARKUP.search(given.reason):
        raise AnswerError(f"the reason for {given.criterion} is not plain text: leave out links and markup")
    return Mark(given.criterion, given.mark, reason)


def _json(text: str) -> Any:
    """Return the JSON object that a text is, or that stands between the fences or words around it."""
    text = text.rpartition("</think>")[2]
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise AnswerError("it is not a JSON object")
    try:
        return json.loads(text[start : end + 1], object_pairs_hook=_once, parse_constant=_no_constant)
    except AnswerError:
        raise
    except (ValueError, RecursionError):
        raise AnswerError("it is not valid JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise AnswerError("it has a key twice")
    return found


def _no_constant(name: str) -> float:
    raise AnswerError("it has a number that is none")


def _trouble(error: ValidationError) -> str:
    """Say what is wrong without the answer's own words, which may be those of an offer."""
    each = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if each["type"] == "extra_forbidden":
        return "it has a key that was not asked for"
    # The other places are names of fields and numbers of entries.
    return f"{'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}"
