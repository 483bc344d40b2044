"""Settings: `BROADSHEET_` environment variables, read once, frozen, passed on by hand.

There is no global instance: `Settings()` reads the environment when it is made.
docs/settings.md describes each field; a test holds that page to this class.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

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

    @field_validator("source", "database_url", "write_token", "extractor_model", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("database_url", mode="after")
    @classmethod
    def _database_is_known(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("sqlite:///"):
            raise ValueError("the database must be SQLite, as sqlite:///PATH")
        return value

    @property
    def index_dir(self) -> Path:
        """Where engines keep their files."""
        return self.data_dir / "index"

    @property
    def extractor_lock(self) -> Path:
        """The file that whoever extracts holds locked."""
        return self.data_dir / "extractor.lock"
