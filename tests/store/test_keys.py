"""Keys in the store: made once, found by what was sent, never told again."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.errors import (
    Forbidden,
    KeyExists,
    KeyFileUnusable,
    KeyMissing,
    ParameterError,
    Unauthorized,
)
from app.store import keys
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from app.store.database import Database


def made(database: Database, name: str = "desk", **more: Any) -> str:
    with database.transaction() as session:
        return keys.create(session, name, **more)


def found(database: Database, text: str) -> keys.Key:
    with database.reading() as session:
        return keys.find(session, text)


def listed(database: Database) -> list[keys.Key]:
    with database.reading() as session:
        return keys.listing(session)


def test_a_key_is_found_by_what_was_printed_once(database: Database) -> None:
    text = made(database, scope="write", source="Valley News", expires_in=timedelta(days=90))
    key = found(database, text)
    assert (key.name, key.scope, key.source) == ("desk", "write", "Valley News")
    assert key.expires_at is not None
    assert timedelta(days=89) < key.expires_at - datetime.now(UTC) <= timedelta(days=90)
    assert keys.FORM.fullmatch(text)
    assert listed(database) == [key]


def test_a_key_reads_alone_unless_more_is_asked_for(database: Database) -> None:
    key = found(database, made(database))
    assert key.scope == "read"
    with pytest.raises(Forbidden, match=r"'desk' reads alone; .*--scope write"):
        key.require("write")


@pytest.mark.parametrize("scope", keys.SCOPES)
def test_a_scope_includes_those_before_it(scope: keys.Scope, database: Database) -> None:
    key = found(database, made(database, scope=scope))
    allowed = [each for each in keys.SCOPES if key.allows(each)]
    assert allowed == list(keys.SCOPES[: keys.SCOPES.index(scope) + 1])


def test_the_store_holds_no_key(tmp_path: Path) -> None:
    with factories.store(tmp_path) as database:
        text = made(database)
    held = b"".join(each.read_bytes() for each in (tmp_path / "data").glob("*.db*"))
    assert b"desk" in held
    for start in (0, 11, len(text) - 24):
        assert text[start:].encode() not in held


def test_two_keys_are_never_the_same(database: Database) -> None:
    texts = {made(database, f"desk {number}") for number in range(20)}
    assert len(texts) == 20


def test_what_is_no_key_is_refused_alike(database: Database) -> None:
    text = made(database)
    wrong = ["", "bs_", text[:-1], f"{text}a", text.upper(), f"bs_{'0' * 72}", f"{text}\n", "ключ"]
    wrong.append(text[:-1] + ("a" if text[-1] != "a" else "b"))
    reasons = set()
    for each in wrong:
        with pytest.raises(Unauthorized) as raised:
            found(database, each)
        reasons.add(str(raised.value))
    assert len(reasons) == 1


def test_keys_of_one_prefix_are_told_apart(database: Database) -> None:
    text = made(database)
    other = text[:11] + "0" * 64
    with database.transaction() as session:
        keys.take(session, other)
    assert found(database, text).name == "desk"
    assert found(database, other).name == keys.FIRST


def test_a_revoked_key_opens_nothing_and_keeps_its_name(database: Database) -> None:
    text = made(database)
    held = found(database, text)
    with database.transaction() as session:
        assert keys.revoke(session, "desk")
    with database.transaction() as session:
        assert not keys.revoke(session, "desk")
    with pytest.raises(Unauthorized, match="'desk' is revoked"):
        found(database, text)
    with database.reading() as session, pytest.raises(Unauthorized, match="revoked"):
        keys.hold(session, held)
    with pytest.raises(KeyExists):
        made(database)
    with database.transaction() as session, pytest.raises(KeyMissing):
        keys.revoke(session, "Desk")


def test_a_key_ends_at_its_moment(database: Database) -> None:
    key = found(database, made(database, expires_in=timedelta(hours=1)))
    assert key.expires_at is not None
    assert key.state(key.expires_at - timedelta(microseconds=1)) == "good"
    assert key.state(key.expires_at) == "expired"
    assert replace(key, revoked_at=key.created_at).state(key.expires_at) == "revoked"
    with pytest.raises(Unauthorized, match="'brief' is expired"):
        found(database, made(database, "brief", expires_in=timedelta(microseconds=1)))


def test_a_name_that_is_taken_at_the_same_time_is_one_key(database: Database) -> None:
    outcomes: list[str] = []

    def make() -> None:
        try:
            outcomes.append(made(database))
        except KeyExists:
            outcomes.append("taken")

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("taken") == 3
    assert len(listed(database)) == 1


@pytest.mark.parametrize(
    "name", ["", " desk", "desk ", "a\nb", "\x1b[2J", "n" * 101, factories.KEY]
)
def test_a_name_that_would_hide_something_is_refused(database: Database, name: str) -> None:
    with pytest.raises(ParameterError):
        made(database, name)
    assert listed(database) == []


@pytest.mark.parametrize("source", ["", "  ", "a\nb"])
def test_a_source_that_is_none_is_refused(database: Database, source: str) -> None:
    with pytest.raises(ParameterError):
        made(database, scope="write", source=source)


def test_a_key_covers_its_source_as_the_filter_writes_it(database: Database) -> None:
    key = found(database, made(database, source="Al-Ahrám Weekly"))
    assert key.covers("AL-AHRAM WEEKLY")
    assert not key.covers("Valley News")
    assert not key.covers(None)
    assert found(database, made(database, "all")).covers(None)


def test_the_last_use_is_kept_to_the_hour(database: Database) -> None:
    key = found(database, made(database))
    assert key.used_at is None
    at = datetime(2026, 5, 9, 12, 34, 56, 789, tzinfo=UTC)
    with database.transaction() as session:
        keys.note_use(session, key, at)
    assert listed(database)[0].used_at == datetime(2026, 5, 9, 12, tzinfo=UTC)


# --- the key of a file


@pytest.mark.parametrize("after", [b"", b"\n", b"\r\n", b" \n\n\t"])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n"])
def test_what_editors_add_to_a_file_is_no_part_of_its_key(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    file = tmp_path / "key"
    file.write_bytes(before + factories.KEY.encode() + after)
    assert keys.read(file) == factories.KEY


@pytest.mark.parametrize(
    "content",
    [
        *("", " \n", "hunter2", "a" * 9999, f"bs_{'g' * 72}"),
        *(factories.KEY[:-1], factories.KEY * 2, f"{factories.KEY} hunter2", factories.KEY.upper()),
    ],
)
def test_a_file_without_a_key_is_told_and_not_repeated(tmp_path: Path, content: str) -> None:
    file = tmp_path / "first"
    file.write_text(content)
    with pytest.raises(KeyFileUnusable, match=r"^BROADSHEET_FIRST_KEY_FILE: .*first$") as raised:
        keys.read(file)
    assert not {"hunter2", factories.KEY[:-1]} & set(str(raised.value).split())


def test_a_file_that_cannot_be_read_holds_no_key(tmp_path: Path) -> None:
    for each in (tmp_path, tmp_path / "none"):
        with pytest.raises(KeyFileUnusable):
            keys.read(each)


def test_a_key_is_taken_once_even_when_it_was_revoked(database: Database) -> None:
    with database.transaction() as session:
        assert keys.take(session, factories.KEY) == "first"
        assert keys.take(session, factories.KEY) is None
        keys.revoke(session, "first")
        assert keys.take(session, factories.KEY) is None
    with pytest.raises(Unauthorized, match="revoked"):
        found(database, factories.KEY)
    with database.transaction() as session:
        assert keys.take(session, f"bs_{'a1' * 36}") == "first-2"
    assert [each.scope for each in listed(database)] == ["write", "write"]
