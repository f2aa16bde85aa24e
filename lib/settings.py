"""Settings: one typed model, from `regie.toml` and environment variables."""

import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from lib.errors import InputError
from lib.offers.options import OffersOptions
from lib.runs.schedule import Schedule
from lib.video.options import VideoOptions


def default_home() -> Path:
    """Return the folder of everything that Régie keeps when no setting says otherwise."""
    return Path(os.environ.get("REGIE_HOME") or "~/.regie").expanduser().absolute()


def default_environments() -> Path:
    """Return where the other environments' virtual environments are: inside the one that holds the `regie` command."""
    prefix = Path(sys.prefix)
    return prefix.parent if prefix.parent.name == "envs" else prefix / "envs"


Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
"""A folder that means the same to a process that starts in another one."""


def _strong(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a token has at least 16 characters, letters, digits and signs without accents or spaces")
    return token


Token = Annotated[SecretStr, AfterValidator(_strong)]
"""A secret that cannot be guessed and fits into a header; it is shown nowhere."""


def _api_url(address: str) -> str:
    url = urlsplit(address)
    if url.scheme not in {"http", "https"} or not url.hostname or url.username or url.query or url.fragment:
        raise ValueError(
            "the address of a Prefect API looks like http://studio:4200/api; a password is given in "
            "PREFECT_API_AUTH_STRING"
        )
    return address.rstrip("/")


ServerUrl = Annotated[str, AfterValidator(_api_url)]
"""The address of a Prefect API; one that is refused is not shown, for it may hold a password."""


class Limits(BaseModel):
    """How many phases of an environment work at the same time, on all machines together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenes: int = Field(default=1, ge=1, description="Phases of the environment scenes that work at the same time.")
    audio: int = Field(default=1, ge=1, description="Phases of the environment audio that work at the same time.")
    tracking: int = Field(default=1, ge=1, description="Phases of the environment tracking that work at the same time.")
    gpu: int = Field(
        default=1,
        ge=1,
        description="Phases that work on a GPU at the same time, of all environments; it counts on machines with one.",
    )


class Settings(BaseSettings):
    """Everything that can be set.

    A value comes from the first of: an environment variable (`REGIE_SERVER_PORT`; below a group,
    `REGIE_VIDEO__SCENES__THRESHOLD`), `regie.toml` in the current folder, `regie.toml` in Régie's home, the default.
    """

    model_config = SettingsConfigDict(
        env_prefix="REGIE_", env_nested_delimiter="__", env_ignore_empty=True, extra="forbid"
    )

    home: Folder = Field(
        default_factory=default_home,
        description="Folder of everything that Régie keeps: Prefect's home, caches, models.",
    )
    environments: Folder = Field(
        default_factory=default_environments,
        description="Folder of the virtual environments of scenes, audio and tracking.",
    )
    profile: Literal["process", "docker"] = Field(
        default="process",
        description="How phases are run: each in the virtual environment of its packages, or in a container of its "
        "image. The same on every machine of a server.",
    )
    docker_volumes: list[Folder] = Field(
        default_factory=list,
        description="Folders that containers share with this machine besides Régie's home, under the same path: those "
        "of sources and of output.",
    )
    docker_images: dict[str, str] = Field(
        default_factory=dict,
        description="Images in place of Régie's own, by environment: with the code of workflows of your own, say.",
    )
    docker_base_image: str = Field(
        default="python:3.11-slim-bookworm",
        min_length=1,
        description="Image with Python 3.11, of Debian or made from it, on which `regie images build` builds.",
    )
    docker_registry: str = Field(
        default="", description="Put before the names of images, with a slash between: `registry.example/studio`."
    )
    docker_tag: str = Field(
        default="",
        pattern=r"^([\w][\w.-]{0,127})?$",
        description="Tag of the images; empty: the version and a digest of the code, so that one of other code is "
        "never run.",
    )
    docker_pull: Literal["Never", "IfNotPresent"] = Field(
        default="Never", description="Whether an image that is not on the machine is fetched from its registry."
    )
    docker_network: str = Field(
        default="host",
        min_length=1,
        description="Network of the containers; on another than the machine's own they cannot reach a server on "
        "127.0.0.1.",
    )
    docker_variables: list[str] = Field(
        default=[
            *("HF_TOKEN", "HF_ENDPOINT", "LEMONFOX_API_KEY"),
            *("AIRTABLE_API_KEY", "AIRTABLE_ENDPOINT_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"),
            *("IMAP_HOST", "IMAP_PORT", "IMAP_USER", "IMAP_PASSWORD", "IMAP_SECURITY"),
            *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
            *("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL"),
        ],
        description="Environment variables of the workers that containers are given too: `docker inspect` shows them "
        "while a container works.",
    )
    docker_memory: dict[str, str] = Field(
        default_factory=dict, description="Most memory that a container may take, by environment: `{tracking = '8g'}`."
    )
    docker_gpus: list[str] = Field(
        default_factory=list, description="Environments whose containers are given the machine's graphics cards."
    )
    server_port: int = Field(
        default=4200, ge=1, le=65535, description="Port of the Prefect server that `regie up` starts on 127.0.0.1."
    )
    start_timeout: float = Field(
        default=120, gt=0, description="Seconds that the Prefect server may take to answer when it starts."
    )
    server_url: ServerUrl | None = Field(
        default=None,
        description=(
            "Address of a Prefect API that is there already, such as `http://studio:4200/api`: it is used, and none is "
            "started. Unset, the commands take it from `PREFECT_API_URL`, where that is set."
        ),
    )
    host_name: str | None = Field(
        default=None,
        pattern=r"^[^\s/%]+$",
        description=(
            "Name of this machine among those that share a server; unset, its own. No two may have the same, nor two "
            "containers on one machine."
        ),
    )
    host_lost_after: float = Field(
        default=30,
        ge=6,
        description=(
            "Seconds without a sign of life after which a machine counts as lost, and others take up its runs. The "
            "same on all machines that share a server."
        ),
    )
    worker_limit: int | None = Field(
        default=None, ge=1, description="Most runs of one environment that this machine works on at once."
    )
    console_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address on which the console listens; another than this machine's own needs a `console_token`.",
    )
    console_port: int = Field(default=8321, ge=1, le=65535, description="Port of the console.")
    console_names: list[str] = Field(
        default_factory=list,
        description="Other names under which browsers reach the console, as in the address: `studio.example:8321`.",
    )
    console_token: Token | None = Field(
        default=None,
        description="Secret of at least 16 characters that the console asks for; without one it asks for none.",
    )
    cache_limit_gb: float = Field(
        default=20, ge=0, description="Size of the cache of analysis results, in gigabytes; the least used go first."
    )
    mirror_limit_gb: float = Field(
        default=100,
        ge=0,
        description="Size of the mirrors of folders in storage elsewhere (S3), in gigabytes; the least used go first, "
        "and one that a run works in stays.",
    )
    block: str = Field(
        default="regie",
        pattern="^[a-z0-9-]+$",
        description="Name of the Prefect blocks with keys and credentials that runs use, one of each type.",
    )
    workflows: list[str] = Field(
        default_factory=list,
        description="Workflows of your own besides Régie's, each as `package.module:NAME` of its declaration.",
    )
    schedules: dict[str, Schedule] = Field(
        default_factory=dict,
        description="When workflows run by themselves, by their keys: `cron` or `interval`, `timezone`, `active`, "
        "`parameters` (see deployments.md).",
    )
    limits: Limits = Field(
        default_factory=Limits, description="How many phases work at the same time, on all machines together."
    )
    inbox: str = Field(
        default="", description="Source of a run of `video` that names none; empty: `inbox` in Régie's home."
    )
    workspace: str = Field(
        default="", description="Output of a run of `video` that names none; empty: `video` in Régie's home."
    )
    mailbox: str = Field(
        default="",
        description="Mailbox of a run of `offers` that names none: a folder or file of messages, or `imap` for the "
        "account of the block; empty: `offers/mail` in Régie's home.",
    )
    offer_store: str = Field(
        default="",
        description="Store of a run of `offers` that names none: a SQLite file, or `airtable` for the base of the "
        "settings; empty: `offers/offers.db` in Régie's home.",
    )
    seeker: str = Field(
        default="",
        description="Profile of a run of `offers` that names none, a TOML file; empty: `offers/profile.toml` in "
        "Régie's home.",
    )
    video: VideoOptions = Field(default_factory=VideoOptions, description="How each phase of `video` does its work.")
    offers: OffersOptions = Field(
        default_factory=OffersOptions, description="How each phase of `offers` does its work."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read, after arguments and the environment, `regie.toml` here and in Régie's home."""
        files = (Path("regie.toml"), default_home() / "regie.toml")
        return init_settings, env_settings, *(TomlConfigSettingsSource(settings_cls, path) for path in files)

    def as_variables(self) -> dict[str, str]:
        """Return the environment variables that give another process what is set here, without what is secret."""
        secret = {name for name, field in type(self).model_fields.items() if Token in get_args(field.annotation)}
        told = self.model_dump(mode="json", exclude=secret, exclude_unset=True, exclude_none=True)
        return {
            f"REGIE_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for name, value in told.items()
        }

    @property
    def prefect_home(self) -> Path:
        """Prefect's own folder: its database, its profiles."""
        return self.home / "prefect"

    @property
    def mirrors(self) -> Path:
        """Folder of the mirrors of folders in storage elsewhere; it can be deleted while no run works."""
        return self.home / "mirrors"

    @property
    def cache(self) -> Path:
        """Folder of caches; it can be deleted at any time."""
        return self.home / "cache"

    @property
    def run_folder(self) -> Path:
        """Folder of the state and logs of the processes that `regie up` starts."""
        return self.home / "run"


@cache
def settings() -> Settings:
    """Return the settings of this process, read once; InputError says which one is wrong and where it came from."""
    return read_settings()


def read_settings() -> Settings:
    """Read the settings; InputError says which one is wrong and what it may be."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}{_given(e)}" for e in error.errors()]
        # Not chained: the original shows what was given, which may be a secret.
        raise InputError("These settings are wrong:\n  " + "\n  ".join(lines)) from None
    except SettingsError as error:
        raise InputError(
            f"These settings are wrong:\n  {error}\n"
            """In a variable, a list is written as JSON: REGIE_VIDEO__AUDIO__ENGINES='["embedded"]'"""
        ) from error
    except (ValueError, OSError) as error:
        raise InputError(f"regie.toml cannot be read: {error}") from error


def _given(error: ErrorDetails) -> str:
    """Return what was given, in words; of a secret nothing."""
    field = Settings.model_fields.get(str(error["loc"][0])) if error["loc"] else None
    hidden = field is not None and not {Token, ServerUrl}.isdisjoint(get_args(field.annotation))
    return "" if hidden else f" (it is {error['input']!r})"
