"""What a form of a page says."""

from urllib.parse import parse_qs

from fastapi import Request

from lib.console.problems import ProblemError

FIELDS_AT_MOST = 200


async def fields_of(request: Request) -> dict[str, list[str]]:
    """Return the values of each field of a form, also of one that was left empty; ProblemError when it has too many."""
    try:
        body = (await request.body()).decode(errors="replace")
        return parse_qs(body, keep_blank_values=True, max_num_fields=FIELDS_AT_MOST)
    except ValueError as error:
        raise ProblemError(413, f"A form may have {FIELDS_AT_MOST} fields.") from error
