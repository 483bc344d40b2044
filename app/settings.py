"""Settings: `BROADSHEET_` environment variables, read once, frozen, passed on by hand.

There is no global instance: `Settings()` reads the environment when it is made.
docs/settings.md describes each field; a test holds that page to this class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.errors import SettingRetired

PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]*[A-Za-z0-9_~-])+")
"""A path prefix that needs no quoting and has neither dot segments nor a slash at its end."""
OWN_SEGMENTS = frozenset(
    {"v1", "docs", "redoc", "static", "openapi.json", "healthz", "readyz", "metrics"}
)
"""What the paths of routes begin with: a prefix that did too could not be told from them."""
_DAYS = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_HOST = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\]")


def is_prefix(text: str) -> bool:
    """Whether `text` can be the path that a proxy serves this program under."""
    return PREFIX.fullmatch(text) is not None and text.split("/")[1] not in OWN_SEGMENTS


class Settings(BaseSettings):
    """What an operator can choose; every field has a working default."""

    model_config = SettingsConfigDict(
        env_prefix="BROADSHEET_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    data_dir: Path = Path("data")
    """Folder of the database and the index; made when absent."""
    database_url: str | None = None
    """SQLAlchemy address of the database; default: SQLite in the data folder."""
    search_engine: Literal["whoosh", "tantivy"] = "whoosh"
    """The engine that answers full-text queries."""
    source: str | None = None
    """Publisher of pages that do not name theirs."""
    extractor: Literal["auto", "spacy", "rules", "none"] = "auto"
    """What finds people, organizations and places in articles."""
    extractor_model: Path | None = None
    """Folder of another spaCy model than the one that comes along."""
    version_days: Annotated[int | None, Field(ge=1)] = None
    """Days that the text of a version which shows no more is kept."""
    keep_days: Annotated[dict[str, int] | None, NoDecode] = None
    """Days after which articles are erased, by source; those of all others under ""."""
    search_timeout_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    """A search answers what it has after this many seconds."""
    sync_interval_s: Annotated[float, Field(gt=0, le=3600)] = 1.0
    """How often the server looks for changes to index, seconds."""
    lock_timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """How long a write waits for another one to end, seconds."""
    body_limit_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024
    """Largest request body that is read, bytes."""
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    """Requests that one worker works on at once."""
    reads: Literal["open", "keyed"] = "open"
    """Whether reading needs a key, as writing always does."""
    synonyms: Path | None = None
    """File with what words also stand for in a search."""
    first_key_file: Path | None = None
    """File with a key that a start makes good for writing, once."""
    key_requests_per_minute: Annotated[int, Field(ge=1)] = 12_000
    """Requests a minute that one worker takes with one key."""
    client_requests_per_minute: Annotated[int, Field(ge=1)] = 12_000
    """Requests a minute without a key, from one address, a worker."""

    migrate: Literal["auto", "never"] = "auto"
    """Whether a start brings the tables to this program's revision."""
    drain_s: Annotated[float, Field(ge=0, le=300)] = 0.0
    """Seconds of not being ready before the server stops."""
    stop_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    """Seconds that running requests get to end."""
    log_format: Literal["console", "json"] = "console"
    """Form of the server's log lines."""
    log_requests: Literal["all", "errors", "none"] = "all"
    """Which requests are logged."""
    metrics_port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """Port of 127.0.0.1 that serves `/metrics` without a key."""
    otlp_endpoint: str | None = None
    """OpenTelemetry collector that traces are sent to."""

    root_path: str = ""
    """Path that a proxy serves the API under, such as /archive."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Networks whose `X-Forwarded-…` headers are believed."""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Host names that the API answers to; `*` for any."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins whose pages may read answers in a browser; `*` for any."""
    address_limit_bytes: Annotated[int, Field(ge=1024)] = 16 * 1024
    """Longest path with its query, bytes."""
    header_limit_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024
    """Largest head of a request: address and headers, bytes."""
    request_limit: Annotated[int, Field(ge=1)] = 64
    """Requests that one worker has at once; more get a 503."""
    connection_limit: Annotated[int, Field(ge=2)] = 500
    """Connections that one worker holds."""
    request_timeout_s: Annotated[float, Field(gt=0)] = 60.0
    """An answer begins after this many seconds or is a 503."""
    client_timeout_s: Annotated[float, Field(gt=0)] = 15.0
    """How long a client may keep a worker waiting, seconds."""
    keep_alive_s: Annotated[int, Field(ge=1)] = 75
    """How long a connection without requests is kept, seconds."""

    @field_validator("root_path", mode="after")
    @classmethod
    def _root_path_is_a_prefix(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not is_prefix(value):
            raise ValueError("must be a path such as /archive that no route begins with")
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: tuple[object, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
        networks = tuple(ip_network(str(each)) for each in value if each != "*")
        if len(networks) < len(value) or any(each.prefixlen == 0 for each in networks):
            raise ValueError("name the proxies: to trust all lets a client choose its address")
        return networks

    @field_validator("trusted_proxies", "allowed_hosts", "cors_origins", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        # Runs before the one above: the last such validator runs first.
        if not isinstance(value, str):
            return value
        return tuple(each.strip() for each in value.split(",") if each.strip())

    @field_validator("keep_days", mode="before")
    @classmethod
    def _days_by_source(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found: dict[str, int] = {}
        for place, each in enumerate(re.split(r"[;\n]" if ";" in value else r"[,\n]", value), 1):
            source, _, days = each.rpartition("=")
            source, days = source.strip(), days.strip()
            if not _DAYS.fullmatch(days) or ("=" in each and not source):
                raise ValueError(
                    f"part {place} is neither days (1 to 99999) nor source=days: {each.strip()!r}"
                )
            if source.casefold() in map(str.casefold, found):
                raise ValueError(f"part {place} gives days a second time: {each.strip()!r}")
            found[source] = int(days)
        return found

    @field_validator("data_dir", "first_key_file", "synonyms", "allowed_hosts", mode="before")
    @classmethod
    def _something_is_named(cls, value: object) -> object:
        # Empty would be the current folder, no key, any host.
        if isinstance(value, str) and not value.strip(", "):
            raise ValueError("names nothing; leave it unset for the default")
        return value

    @field_validator("first_key_file", mode="after")
    @classmethod
    def _file_not_key(cls, value: Path | None) -> Path | None:
        # Names of files are told in logs; a key never is.
        if value is not None and _KEY.search(str(value)):
            raise ValueError("is a key; it names the file that holds one")
        return value

    @field_validator("allowed_hosts", mode="after")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        hosts = tuple(each.lower().rstrip(".") for each in value)
        for each in hosts:
            if each != "*" and not _HOST.fullmatch(each):
                raise ValueError(f"{each!r} is no host name; a port is left out")
        return hosts

    @field_validator("cors_origins", mode="after")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            parts = urlsplit(each)
            if each != "*" and each != f"{parts.scheme}://{parts.netloc}":
                raise ValueError(f"{each!r} is no origin such as https://news.example.org")
        return value

    @field_validator("source", "database_url", "extractor_model", "otlp_endpoint", mode="before")
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

    @property
    def erasure_lock(self) -> Path:
        """The file that whoever carries an erasure through holds locked."""
        return self.data_dir / "erasure.lock"


RETIRED = {
    "BROADSHEET_WRITE_TOKEN": "writing needs a key: broadsheet keys create NAME --scope write"
}
"""Settings of earlier versions, and what stands in their place."""


OF_COMPOSE = frozenset(
    f"BROADSHEET_{name}"
    for name in (
        *("BACKUPS", "BASE", "ENTITIES", "IMAGE", "NETWORK"),
        *("NGINX", "NGINX_CONF", "OTEL", "PROXY_PUBLISH", "PUBLISH"),
    )
)
"""Variables that docker-compose.yml alone reads; its `.env` hands them to the program as well."""


def retired_names(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Settings of earlier versions that are set, even to nothing, each with its successor."""
    for name in sorted(environment):
        if (successor := RETIRED.get(name.upper())) is not None:
            yield name, successor


def refuse_retired(environment: Mapping[str, str]) -> None:
    """Raise SettingRetired for one that is left: what it shut is not shut."""
    for name, successor in retired_names(environment):
        raise SettingRetired(name, successor)


def unknown_names(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Variables that never were settings and look like one, each with the one most like it."""
    known = [name.upper() for name in Settings.model_fields]
    passed = RETIRED.keys() | OF_COMPOSE | {f"BROADSHEET_{name}" for name in known}
    for name in sorted(environment):
        if name.upper().startswith("BROADSHEET_") and name.upper() not in passed:
            from rapidfuzz import process  # here, since only a typing error needs it

            end = name.upper().removeprefix("BROADSHEET_")
            yield name, f"BROADSHEET_{process.extractOne(end, known)[0]}"


def shown(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every setting by its variable: `value` as text (None for none) and `from`; no secret."""
    found: dict[str, dict[str, Any]] = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, tuple):
            value = ",".join(map(str, value))
        if value is not None:
            value = without_password(str(value))
        origin = "environment" if name in settings.model_fields_set else "default"
        found[f"BROADSHEET_{name.upper()}"] = {"value": value, "from": origin}
    return found


_KEY = re.compile(r"bs_[0-9a-f]{72}")  # that of keys.py, which stands above this
_PASSWORD = re.compile(
    r"(://[^/@\s:]*:)\S*(?=@)|((?:password|passwd|sslpassword|token|secret)=)[^&\s]+", re.IGNORECASE
)


def without_password(text: str) -> str:
    """`text` with the password of an address in it hidden, and keys.

    >>> without_password("postgresql://ann:s3c/r@t@db.example/news?sslpassword=x")
    'postgresql://ann:**********@db.example/news?sslpassword=**********'
    """
    hidden = _PASSWORD.sub(lambda found: f"{found[1] or found[2]}**********", text)
    return _KEY.sub("bs_**********", hidden)
