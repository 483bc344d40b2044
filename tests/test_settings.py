"""Settings: what is empty, unknown or too wide is told, never taken for the default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import OF_COMPOSE, Settings, unknown_names

NONE_IS_LESS = {"source", "root_path", "database_url", "extractor_model", "otlp_endpoint"}
"""Empty means none of it, which neither opens anything nor lifts a limit."""
NOBODY = {"trusted_proxies", "cors_origins"}
"""Empty means nobody, which is the closest there is."""


@pytest.mark.parametrize("name", Settings.model_fields)
def test_an_empty_secret_or_limit_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"BROADSHEET_{name.upper()}", "")
    if name in NONE_IS_LESS | NOBODY:
        assert not getattr(Settings(), name)
        return
    with pytest.raises(ValidationError, match=name):
        Settings()


@pytest.mark.parametrize(
    ("value", "days"),
    [
        ("365", {"": 365}),
        ("Reuters=30, AFP = 90,3650", {"Reuters": 30, "AFP": 90, "": 3650}),
        ("Smith, Lee & Co=30; 365", {"Smith, Lee & Co": 30, "": 365}),
        ("a=b=7", {"a=b": 7}),
    ],
)
def test_days_are_kept_for_all_sources_or_for_each(
    value: str, days: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADSHEET_KEEP_DAYS", value)
    assert Settings().keep_days == days


@pytest.mark.parametrize(
    ("value", "part"),
    [
        *[(each, 1) for each in ("", " ", "never", "0", "-1", "1.5", "=30", "Post=", "999999")],
        *[(each, 2) for each in ("30,", "30,90", "Post=30, post=90", "Post=3; AFP: 9")],
    ],
)
def test_days_that_cannot_be_read_stop_the_start_and_are_named(
    value: str, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADSHEET_KEEP_DAYS", value)
    with pytest.raises(ValidationError, match=f"(?s)keep_days.*part {part} "):
        Settings()


@pytest.mark.parametrize(
    "value", [",", " , ", "*, a b", "news.example:80", "a/b", "**", "http://a"]
)
def test_hosts_that_are_none_are_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADSHEET_ALLOWED_HOSTS", value)
    with pytest.raises(ValidationError, match="allowed_hosts"):
        Settings()


def test_what_compose_alone_reads_is_no_typing_error() -> None:
    compose = (Path(__file__).parents[1] / "docker-compose.yml").read_text(encoding="utf-8")
    ours = {f"BROADSHEET_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\$\{(BROADSHEET_\w+)", compose)) - ours == OF_COMPOSE
    assert list(unknown_names(dict.fromkeys(OF_COMPOSE, ""))) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("BROADSHEET_TREADS", "BROADSHEET_THREADS"),
        ("BROADSHEET_ALOWED_HOST", "BROADSHEET_ALLOWED_HOSTS"),
        ("broadsheet_trusted_proxy", "BROADSHEET_TRUSTED_PROXIES"),
        ("BROADSHEET_DB_URL", "BROADSHEET_DATABASE_URL"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest(written: str, meant: str) -> None:
    known = dict.fromkeys(["BROADSHEET_THREADS", "broadsheet_source", "HOME"], "")
    assert list(unknown_names({written: "", **known})) == [(written, meant)]
