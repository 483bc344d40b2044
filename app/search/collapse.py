"""Collapsing of near-duplicates: only the first of several hits with the same story is kept.

Takes the ids and sketches of ordered hits. Knows no engine and reads no file.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from app.search import minhash
from app.search.deadline import Deadline
from app.search.engine import Hit

_BAND = 4  # bins: a band is one 32-bit integer
_BANDS = minhash.BINS // _BAND


def collapsed(
    hits: Sequence[tuple[bytes, bytes]], deadline: Deadline
) -> tuple[list[int], dict[bytes, list[bytes]]]:
    """The places of the hits that are kept, and the ids collapsed into each, by its id.

    `hits` are ids and sketches in order; each joins the first earlier hit that is similar to it.
    Hits left at the deadline are dropped.
    """
    kept: list[int] = []
    members: dict[bytes, list[bytes]] = {}
    firsts = _Firsts()
    bands = _shared_bands([sketch for _, sketch in hits], deadline)
    for place, (id_, sketch) in enumerate(hits):
        if not deadline.in_time():
            break
        first = firsts.like(id_, sketch, bands[place])
        if first is not None:
            members.setdefault(first, []).append(id_)
        else:
            kept.append(place)
    return kept, members


def hit_of(id_: bytes, score: float, members: Mapping[bytes, Sequence[bytes]]) -> Hit:
    """A hit with the near-duplicates that were collapsed into it."""
    return Hit(UUID(bytes=id_), score, tuple(UUID(bytes=each) for each in members.get(id_, ())))


def _shared_bands(sketches: Sequence[bytes], deadline: Deadline) -> list[list[int]]:
    """For each sketch the numbers of the bands that it shares with another one, mostly few.

    Two similar texts nearly always share a band.
    """
    keys = array("I", b"".join(sketches))
    shared: list[list[int]] = [[] for _ in sketches]
    for band in range(_BANDS):
        if not deadline.in_time():
            break
        own = keys[band::_BANDS]
        counts = Counter(own)
        for bands, key in zip(shared, own, strict=True):
            if counts[key] > 1:
                bands.append(key * _BANDS + band)
    return shared


class _Firsts:
    """The first text of each group of near-duplicates so far, by its bands."""

    def __init__(self) -> None:
        self._known: list[tuple[bytes, bytes]] = []
        self._numbers: defaultdict[int, list[int]] = defaultdict(list)  # by band

    def like(self, id_: bytes, own: bytes, bands: Sequence[int]) -> bytes | None:
        """The id of the earliest similar text; if there is none, this one is added."""
        if own == minhash.NO_SKETCH or not bands:
            return None
        for number in sorted({number for band in bands for number in self._numbers[band]}):
            if minhash.alike(own, self._known[number][1]) >= minhash.ALIKE:
                return self._known[number][0]
        for band in bands:
            self._numbers[band].append(len(self._known))
        self._known.append((id_, own))
        return None
