"""Cursors: where a list goes on as an opaque string, good for one list of one store only.

A cursor is URL-safe base64 of a signature and a JSON array: a fingerprint of the list (route,
filters, order), the store's last erasure and last write, then the fields of the PageKey to go on
from, and the second from which the relative dates of a search count. With another list, or when
the store did not sign it, it is refused; after an erasure it is expired, since the scores in it
were made with the words of what is gone, and so it is where the store has not got that write: an
older copy was put in its place.

    >>> after, key = PageKey((0,), UUID(int=7)), CursorKey(b"secret", erased=0)
    >>> decode(encode(after, "newest", key), "newest", key) == after
    True
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from contextlib import suppress
from uuid import UUID

import orjson

from app.articles.read import CursorKey
from app.errors import CursorExpired, ParameterError
from app.search.engine import PageKey
from app.writes import NO_WRITE, Write

_SIGNATURE_BYTES = 16


def encode(after: PageKey, of: object, key: CursorKey, *, asked_s: int | None = None) -> str:
    """The cursor of `after` in the list that `of` describes (its repr must be stable).

    `asked_s` is when the first page of a search was asked for, in seconds since 1970.
    """
    position = after.values, after.id.hex, after.snapshot, asked_s
    fields = orjson.dumps([_mark(of), key.erased, key.last.change, key.last.token, *position])
    return _text(_signature(fields, key) + fields)


def write_of(cursor: str | None) -> Write:
    """The write that a cursor names, whoever signed it; NO_WRITE where that cannot be read."""
    with suppress(ValueError, TypeError, AttributeError):
        raw = base64.b64decode(f"{cursor}==", altchars=b"-_")
        _, _, change, token, *_ = orjson.loads(raw[_SIGNATURE_BYTES:])
        if 0 <= change < 2**63 and isinstance(change, int) and isinstance(token, str):
            return Write(change, token)
    return NO_WRITE


def asked_s(cursor: str | None) -> int | None:
    """When the first page of a cursor's list was asked for; `decode` tells whether we signed it."""
    with suppress(ValueError, TypeError):
        raw = base64.b64decode(f"{cursor}==", altchars=b"-_")
        *_, found = orjson.loads(raw[_SIGNATURE_BYTES:])
        if isinstance(found, int) and 0 <= found < 2**36:
            return found
    return None


def decode(cursor: str | None, of: object, key: CursorKey) -> PageKey | None:
    """What `encode` was given, None for the first page; `key` is made for what `write_of` says.

    Raises CursorExpired when something was erased since, or the store has not got the write, and
    ParameterError for any string that is no cursor of this list in this store.
    """
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise ParameterError("cursor", _FOREIGN) from error
    signature, fields = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    # base64 has several texts for some bytes; one of them was given
    if not hmac.compare_digest(signature, _signature(fields, key)) or cursor != _text(raw):
        raise ParameterError("cursor", _FOREIGN)
    try:
        mark, erased, change, token, values, id_, snapshot, _ = orjson.loads(fields)
    except ValueError as error:  # signed by another version of this program
        raise ParameterError("cursor", _FOREIGN) from error
    if mark != _mark(of):
        raise ParameterError("cursor", "belongs to another list: keep the other parameters")
    if erased != key.erased:
        raise CursorExpired
    if key.held != Write(change, token):
        raise CursorExpired("the database was replaced by another copy")
    return PageKey(tuple(values), UUID(hex=id_), snapshot)


_FOREIGN = "is not one that this archive gave"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _signature(fields: bytes, key: CursorKey) -> bytes:
    """`person` keeps it apart from the store's other digests, which have the same key."""
    return hashlib.blake2b(
        fields, key=key.secret, digest_size=_SIGNATURE_BYTES, person=b"cursor"
    ).digest()


def _mark(of: object) -> str:
    return hashlib.blake2b(repr(of).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
