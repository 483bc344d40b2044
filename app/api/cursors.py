"""Cursors: a place in a list as an opaque string, good for one list of one store only.

A cursor is URL-safe base64 of a signature and a JSON array: a fingerprint of the list (route,
filters, order), the store's last erasure, then the fields of the Place to go on from. With
another list, or when the store did not sign it, it is refused; after an erasure it is expired,
since the scores in it were made with the words of what is gone.

    >>> place, key = Place(UUID(int=7), published_us=0), CursorKey(b"secret", erased=0)
    >>> decode(encode(place, "newest", key), "newest", key) == place
    True
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from uuid import UUID

import orjson

from app.articles import CursorKey
from app.errors import CursorExpired, ParameterError
from app.search.base import Place

_SIGNATURE_BYTES = 16


def encode(place: Place, of: object, key: CursorKey) -> str:
    """The cursor of `place` in the list that `of` describes (its repr must be stable)."""
    position = (place.id.hex, place.score, place.published_us, place.statistics)
    fields = orjson.dumps([_mark(of), key.erased, *position])
    return _text(_signature(fields, key) + fields)


def decode(cursor: str, of: object, key: CursorKey) -> Place:
    """The place that `encode` was given.

    Raises CursorExpired when something was erased since, and ParameterError for any string
    that is no cursor of this list in this store.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise ParameterError("cursor", _FOREIGN) from error
    signature, fields = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    # base64 has several texts for some bytes; one of them was given
    if not hmac.compare_digest(signature, _signature(fields, key)) or cursor != _text(raw):
        raise ParameterError("cursor", _FOREIGN)
    try:
        mark, erased, id_, score, published_us, statistics = orjson.loads(fields)
    except ValueError as error:  # signed by another version of this program
        raise ParameterError("cursor", _FOREIGN) from error
    if mark != _mark(of):
        raise ParameterError("cursor", "belongs to another list: keep the other parameters")
    if erased != key.erased:
        raise CursorExpired
    return Place(UUID(hex=id_), float(score), published_us, tuple(map(float, statistics)))


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
