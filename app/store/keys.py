"""API keys: creation, lookup, revocation, scopes and sources.

A key is `bs_` and 72 hexadecimal digits from the system's random source. The first 8 identify its
row and show in lists, the other 64 (256 bits) are the secret. The store has the SHA-256 of the
whole key, which at that length needs neither salt nor key stretching, and never the key. Rows are
never deleted: a revoked key stays known, and a name never means two keys. Functions take a
session and never commit. This module knows no HTTP.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy import Row, bindparam, insert, select, update
from sqlmodel import Session

from app import errors
from app.store.models import metadata
from app.text import fold

Scope = Literal["read", "write", "erase"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Each includes those before it."""

FORM = re.compile(r"bs_[0-9a-f]{72}")
LONGEST_NAME = 100
FIRST = "first"
"""The name of the key that the server reads from a file at startup."""
USE_STEP = timedelta(hours=1)
"""The precision of the last use: one write a key and hour, not one a request."""

_PREFIX = len("bs_") + 8
_LARGEST_FILE_BYTES = 4096
_key = metadata.tables["api_key"]


@dataclass(frozen=True, slots=True)
class Key:
    """A key as stored: `prefix` is its beginning, the rest is not stored."""

    name: str
    prefix: str
    scope: Scope
    source: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None

    def state(self, now: datetime) -> Literal["good", "expired", "revoked"]:
        """The state of the key at `now`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "good"

    def allows(self, scope: Scope) -> bool:
        """Whether its scope includes `scope`."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    def require(self, scope: Scope) -> None:
        """Raise Forbidden unless its scope includes `scope`."""
        if not self.allows(scope):
            does = {"read": "reads alone", "write": "writes and does not erase"}[self.scope]
            raise errors.Forbidden(
                f"the key {self.name!r} {does}; this needs one of the scope {scope}: "
                f"broadsheet keys create NAME --scope {scope}"
            )

    def covers(self, source: str | None) -> bool:
        """Whether it may write articles of `source`, compared as the filter `source` does."""
        return self.source is None or (source is not None and fold(source) == fold(self.source))

    @property
    def limit(self) -> str:
        """The restriction to its source, for messages."""
        return f"the key {self.name!r} writes articles of {self.source!r} alone"

    def require_source(self, source: str | None) -> None:
        """Raise Forbidden unless it may write articles of `source`."""
        if not self.covers(source):
            raise errors.Forbidden(self.limit)


_COLUMNS = [_key.c[name] for name in Key.__slots__]
_BY_PREFIX = select(*_COLUMNS, _key.c.digest).where(_key.c.prefix == bindparam("prefix"))


def create(
    session: Session,
    name: str,
    *,
    scope: Scope = "read",
    source: str | None = None,
    expires_in: timedelta | None = None,
    text: str | None = None,
) -> str:
    """A new key, or `text` that was made elsewhere; it is returned here and never again.

    Raises ParameterError for an invalid name or source, and KeyExists for the name of any key,
    revoked ones included.
    """
    _require_label("name", name)
    if FORM.search(name):
        raise errors.ParameterError("name", "is a key: a name is told, a key is not")
    if source is not None:
        _require_label("source", source)
    if session.execute(select(_key.c.name).where(_key.c.name == name)).first():
        raise errors.KeyExists(name)
    text, now = text or f"bs_{secrets.token_hex(36)}", datetime.now(UTC)
    row = {
        "name": name,
        "prefix": text[:_PREFIX],
        "digest": _digest(text),
        "scope": scope,
        "source": source,
        "created_at": now,
        "expires_at": None if expires_in is None else now + expires_in,
    }
    session.execute(insert(_key).values(row))
    return text


def take(session: Session, text: str) -> str | None:
    """Add a key that was made elsewhere, with the scope `write`; returns its name.

    None if the store has it already, revoked or not.
    """
    if knows(session, text):
        return None
    names = {row.name for row in session.execute(select(_key.c.name))}
    numbered = (f"{FIRST}-{number}" for number in range(2, len(names) + 3))
    name = next(each for each in (FIRST, *numbered) if each not in names)
    create(session, name, scope="write", text=text)
    return name


def knows(session: Session, text: str) -> bool:
    """Whether the store has that key, in any state."""
    known = select(_key.c.name).where(_key.c.digest == _digest(text))
    return session.execute(known).first() is not None


def revoke(session: Session, name: str) -> bool:
    """Revoke a key as of the commit; False if it already was. Raises KeyMissing."""
    if named(session, name).revoked_at is not None:
        return False
    session.execute(update(_key).where(_key.c.name == name).values(revoked_at=datetime.now(UTC)))
    return True


def listing(session: Session) -> list[Key]:
    """Every key, revoked ones included, oldest first."""
    rows = session.execute(select(*_COLUMNS).order_by(_key.c.created_at, _key.c.name))
    return [_known(row) for row in rows]


def named(session: Session, name: str) -> Key:
    """The key of that name; raises KeyMissing."""
    row = session.execute(select(*_COLUMNS).where(_key.c.name == name)).one_or_none()
    if row is None:
        raise errors.KeyMissing(name)
    return _known(row)


def find(session: Session, text: str) -> Key:
    """The key whose text this is; raises Unauthorized unless it is good now."""
    if not FORM.fullmatch(text):
        raise errors.Unauthorized("what was sent is no key of this store")
    digest = _digest(text)
    rows = session.execute(_BY_PREFIX, {"prefix": text[:_PREFIX]}).all()
    found = [row for row in rows if compare_digest(row.digest, digest)]
    if not found:
        raise errors.Unauthorized("what was sent is no key of this store")
    return _good(_known(found[0]))


def hold(session: Session, key: Key) -> None:
    """Raise Unauthorized unless `key`, which was found earlier, is still good."""
    _good(named(session, key.name))


def note_use(session: Session, key: Key, at: datetime) -> None:
    """Store the hour of `at` as that of the last use."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    session.execute(update(_key).where(_key.c.name == key.name).values(used_at=hour))


def _good(key: Key) -> Key:
    state = key.state(datetime.now(UTC))
    if state != "good":
        raise errors.Unauthorized(f"the key {key.name!r} is {state}")
    return key


def _known(row: Row[tuple[object, ...]]) -> Key:
    return Key(**{name: row._mapping[name] for name in Key.__slots__})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _require_label(what: str, text: str) -> None:
    if not text.isprintable() or text != text.strip() or not 0 < len(text) <= LONGEST_NAME:
        reason = f"must be 1 to {LONGEST_NAME} printable characters without blanks around them"
        raise errors.ParameterError(what, reason)


def read(path: Path) -> str:
    """The key in a file, without a byte order mark and white space around it.

    Raises KeyFileUnusable, which never repeats the content of the file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise errors.KeyFileUnusable(str(path), error.strerror or "cannot be read") from error
    text = content.decode("utf-8-sig", "replace").strip()
    if not text:
        raise errors.KeyFileUnusable(str(path), "is empty")
    if not FORM.fullmatch(text):
        raise errors.KeyFileUnusable(str(path), "holds no key: bs_ and 72 hexadecimal digits")
    return text
