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
_HOST = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\]")


def is_prefix(text: str) -> bool:
    """Whether `text` can be the path that a proxy serves this program under."""
    return PREFIX.fullmatch(text) is not None and text.split("/")[1] not in OWN_SEGMENTS


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
        Field(description="Publisher of pages that do not name theirs."),
    ] = None
    extractor: Annotated[
        Literal["auto", "spacy", "rules", "none"],
        Field(description="What finds people, organizations and places in articles."),
    ] = "auto"
    extractor_model: Annotated[
        Path | None,
        Field(description="Folder of another spaCy model than the one that comes along."),
    ] = None
    version_days: Annotated[
        int | None,
        Field(ge=1, description="Days that the text of a version which shows no more is kept."),
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
    lock_timeout_s: Annotated[
        float,
        Field(gt=0, le=600, description="How long a write waits for another one to end, seconds."),
    ] = 30.0
    body_limit_bytes: Annotated[
        int, Field(ge=1024, description="Largest request body that is read, bytes.")
    ] = 32 * 1024 * 1024
    threads: Annotated[
        int, Field(ge=1, le=64, description="Requests that one worker works on at once.")
    ] = 4
    reads: Annotated[
        Literal["open", "keyed"],
        Field(description="Whether reading needs a key, as writing always does."),
    ] = "open"
    first_key_file: Annotated[
        Path | None,
        Field(description="File with a key that a start makes good for writing, once."),
    ] = None
    key_requests_per_minute: Annotated[
        int, Field(ge=1, description="Requests a minute that one worker takes with one key.")
    ] = 12_000
    client_requests_per_minute: Annotated[
        int,
        Field(ge=1, description="Requests a minute without a key, from one address, a worker."),
    ] = 12_000

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
    metrics_port: Annotated[
        int | None,
        Field(
            ge=1, le=65535, description="Port of 127.0.0.1 that serves `/metrics` without a key."
        ),
    ] = None
    otlp_endpoint: Annotated[
        str | None, Field(description="OpenTelemetry collector that traces are sent to.")
    ] = None

    root_path: Annotated[
        str, Field(description="Path that a proxy serves the API under, such as /archive.")
    ] = ""
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...],
        NoDecode,
        Field(description="Networks whose `X-Forwarded-…` headers are believed."),
    ] = ()
    allowed_hosts: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(description="Host names that the API answers to; `*` for any."),
    ] = ()
    cors_origins: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(description="Origins whose pages may read answers in a browser; `*` for any."),
    ] = ()
    address_limit_bytes: Annotated[
        int, Field(ge=1024, description="Longest path with its query, bytes.")
    ] = 16 * 1024
    header_limit_bytes: Annotated[
        int, Field(ge=1024, description="Largest head of a request: address and headers, bytes.")
    ] = 32 * 1024
    request_limit: Annotated[
        int, Field(ge=1, description="Requests that one worker has at once; more get a 503.")
    ] = 64
    connection_limit: Annotated[
        int, Field(ge=2, description="Connections that one worker holds.")
    ] = 500
    request_timeout_s: Annotated[
        float, Field(gt=0, description="An answer begins after this many seconds or is a 503.")
    ] = 60.0
    client_timeout_s: Annotated[
        float, Field(gt=0, description="How long a client may keep a worker waiting, seconds.")
    ] = 15.0
    keep_alive_s: Annotated[
        int, Field(ge=1, description="How long a connection without requests is kept, seconds.")
    ] = 75

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
        # Before the one above: of such validators the last runs first.
        if not isinstance(value, str):
            return value
        return tuple(each.strip() for each in value.split(",") if each.strip())

    @field_validator("data_dir", "first_key_file", "allowed_hosts", mode="before")
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

    @field_validator(
        "source",
        "database_url",
        "extractor_model",
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


RETIRED = {
    "BROADSHEET_WRITE_TOKEN": "writing needs a key: broadsheet keys create NAME --scope write"
}
"""Settings of earlier versions, and what stands in their place."""


OF_COMPOSE = frozenset(
    f"BROADSHEET_{name}"
    for name in (
        "BACKUPS",
        "BASE",
        "ENTITIES",
        "IMAGE",
        "NETWORK",
        "NGINX",
        "NGINX_CONF",
        "OTEL",
        "PROXY_PUBLISH",
        "PUBLISH",
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
