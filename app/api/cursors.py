"""Cursors: a place in a list as an opaque string, good for one list only.

A cursor is URL-safe base64 of a JSON array: a fingerprint of the list (route, filters,
order), then the fields of the Place to go on from. With another list it is refused.

    >>> place = Place(UUID(int=7), published_us=0)
    >>> decode(encode(place, "newest"), "newest") == place
    True
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from uuid import UUID

import orjson

from app.errors import ParameterError
from app.search.base import Place

_DATES = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
"""The years 1 to 9999 in microseconds since 1970 UTC: what a date can be."""


def encode(place: Place, of: object) -> str:
    """The cursor of `place` in the list that `of` describes (its repr must be stable)."""
    fields = [_mark(of), place.id.hex, place.score, place.published_us, place.statistics]
    return base64.urlsafe_b64encode(orjson.dumps(fields)).decode().rstrip("=")


def decode(cursor: str, of: object) -> Place:
    """The place that `encode` was given; raises ParameterError for any other string."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        mark, id_, score, published_us, statistics = orjson.loads(raw)
        place = Place(UUID(hex=id_), float(score), published_us, tuple(map(float, statistics)))
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise ParameterError("cursor", "is not one that this API gave") from error
    numbers = (place.score, *place.statistics)
    dated = published_us is None or (type(published_us) is int and published_us in _DATES)
    positive = all(number > 0 for number in place.statistics)  # they are divided by
    if not dated or not positive or not all(map(math.isfinite, numbers)):
        raise ParameterError("cursor", "is not one that this API gave")
    if mark != _mark(of):
        raise ParameterError("cursor", "belongs to another list: keep the other parameters")
    return place


def _mark(of: object) -> str:
    return hashlib.blake2b(repr(of).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
