"""Settings: `BROADSHEET_` environment variables, read once, frozen, passed on by hand.

There is no global instance: `Settings()` reads the environment when it is made.
docs/settings.md describes each field; a test holds that page to this class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator can choose; every field has a working default."""

    model_config = SettingsConfigDict(env_prefix="BROADSHEET_", frozen=True, extra="ignore")

    data_dir: Annotated[
        Path, Field(description="Folder of the database and the index; made when absent.")
    ] = Path("data")
    database_url: Annotated[
        str | None,
        Field(
            description="SQLAlchemy address of the database; default: SQLite in the data folder."
        ),
    ] = None
    search_engine: Annotated[
        Literal["whoosh"], Field(description="The engine that answers full-text queries.")
    ] = "whoosh"
    source: Annotated[
        str | None,
        Field(description="Publisher of pages that do not name theirs; empty for none."),
    ] = "Arab News"
    extractor: Annotated[
        Literal["auto", "spacy", "rules", "none"],
        Field(description="What finds people, organizations and places in articles."),
    ] = "auto"
    extractor_model: Annotated[
        Path | None,
        Field(description="Folder of another spaCy model than the one that comes along."),
    ] = None
    search_timeout_s: Annotated[
        float,
        Field(gt=0, le=60, description="A search answers what it has after this many seconds."),
    ] = 2.0
    sync_interval_s: Annotated[
        float,
        Field(
            gt=0, le=3600, description="How often the server looks for changes to index, seconds."
        ),
    ] = 1.0
    body_limit_bytes: Annotated[
        int, Field(ge=1024, description="Largest request body that is read, bytes.")
    ] = 32 * 1024 * 1024
    threads: Annotated[
        int, Field(ge=1, le=64, description="Requests that one worker works on at once.")
    ] = 4
    write_token: Annotated[
        SecretStr | None,
        Field(description="When set, writes need it as `Authorization: Bearer …`."),
    ] = None

    migrate: Annotated[
        Literal["auto", "never"],
        Field(description="Whether a start brings the tables to this program's revision."),
    ] = "auto"
    drain_s: Annotated[
        float,
        Field(ge=0, le=300, description="Seconds of not being ready before the server stops."),
    ] = 0.0
    stop_timeout_s: Annotated[
        float, Field(gt=0, le=300, description="Seconds that running requests get to end.")
    ] = 10.0
    log_format: Annotated[
        Literal["console", "json"], Field(description="Form of the server's log lines.")
    ] = "console"
    log_requests: Annotated[
        Literal["all", "errors", "none"], Field(description="Which requests are logged.")
    ] = "all"
    otlp_endpoint: Annotated[
        str | None, Field(description="OpenTelemetry collector that traces are sent to.")
    ] = None

    @field_validator(
        "source",
        "database_url",
        "extractor_model",
        "write_token",
        "otlp_endpoint",
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("database_url", mode="after")
    @classmethod
    def _database_is_known(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("sqlite:///"):
            raise ValueError("the database must be SQLite, as sqlite:///PATH")
        return value

    @field_validator("otlp_endpoint", mode="after")
    @classmethod
    def _collector_is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("the collector's address must begin with http:// or https://")
        return value

    @property
    def index_dir(self) -> Path:
        """Where engines keep their files."""
        return self.data_dir / "index"

    @property
    def extractor_lock(self) -> Path:
        """The file that whoever extracts holds locked."""
        return self.data_dir / "extractor.lock"

def unknown_names(environment: Mapping[str, str]) -> Iterator[str]:
    """Variables that look like settings and are none, sorted: typing errors mostly."""
    known = {f"BROADSHEET_{name}".upper() for name in Settings.model_fields}
    for name in sorted(environment):
        if name.upper().startswith("BROADSHEET_") and name.upper() not in known:
            yield name


def shown(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every setting by its variable: `value` as text (None for none) and `from`; no secret."""
    found: dict[str, dict[str, Any]] = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value is not None:
            value = without_password(str(value))  # that of a SecretStr is stars already
        origin = "environment" if name in settings.model_fields_set else "default"
        found[f"BROADSHEET_{name.upper()}"] = {"value": value, "from": origin}
    return found


_PASSWORD = re.compile(
    r"(://[^/@\s:]*:)\S*(?=@)|((?:password|passwd|sslpassword|token|secret)=)[^&\s]+", re.IGNORECASE
)


def without_password(text: str) -> str:
    """`text` with the password of an address in it hidden.

    >>> without_password("postgresql://ann:s3c/r@t@db.example/news?sslpassword=x")
    'postgresql://ann:**********@db.example/news?sslpassword=**********'
    """
    return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}**********", text)
