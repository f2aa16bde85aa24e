"""The table of every setting, made from the typed model."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lib.settings import Settings

INTRODUCTION = """# Settings

Made from the typed model by `regie settings --markdown`; a test fails when this page is not what the model says.

A value comes from the first of: an environment variable, `regie.toml` in the current folder, `regie.toml` in Régie's
home (`~/.regie`, or the folder that `REGIE_HOME` names), the default. In `regie.toml` a dot is a table: the threshold
of scene cuts is `threshold = 0.4` below `[video.scenes]`; as a variable it is `REGIE_VIDEO__SCENES__THRESHOLD`. Values
are checked at start.
"""


@dataclass(frozen=True)
class Row:
    """One setting."""

    name: str
    kind: str
    default: str
    description: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "REGIE_" + self.name.upper().replace(".", "__")


def rows(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[Row]:
    """Return every setting, groups opened, in the order of the model."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from rows(field.annotation, f"{path}.")
        else:
            yield Row(path, _kind(field), _default(field), field.description or "")


def markdown() -> str:
    """Return the page of documentation."""
    lines = [INTRODUCTION, "| Setting | Value | Default | What it does |", "| --- | --- | --- | --- |"]
    for row in rows():
        cells = (f"`{row.name}`", row.kind, f"`{row.default}`" if row.default else "", row.description)
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _kind(field: FieldInfo) -> str:
    words = _words(field.annotation)
    limits = [
        f"{sign} {getattr(limit, attribute):.15g}"
        for limit in field.metadata
        for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
        if isinstance(getattr(limit, attribute, None), int | float)
    ]
    return ", ".join([words, *limits])


def _words(annotation: Any) -> str:
    if annotation is type(None):
        return "nothing"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(inner[0])
    if origin is None:
        names = {
            "str": "text",
            "SecretStr": "secret text",
            "int": "whole number",
            "float": "number",
            "bool": "true or false",
            "Path": "path",
        }
        name = getattr(annotation, "__name__", str(annotation))
        return names.get(name, name)
    if all(isinstance(part, str) for part in inner):
        return " or ".join(f"`{part}`" for part in inner)
    if origin in {list, tuple, set, frozenset}:
        return f"list of {_words(inner[0])}"
    if origin is dict:
        return "table"
    return " or ".join(_words(part) for part in inner)


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None and field.annotation is Path:
        return {"default_home": "~/.regie", "default_environments": ".venv/envs"}[field.default_factory.__name__]
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, list | tuple):
        return ", ".join(str(part.value if isinstance(part, Enum) else part) for part in value)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
