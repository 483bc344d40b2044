"""Near-duplicates: sketches of texts, and hits that are one story under several ids.

A sketch is a MinHash of the text's runs of four words with one permutation (Li, Owen and
Zhang 2012) and eight bits a bin (Li and König 2010): the share of equal bins estimates how
much two texts have in common (Jaccard), within about 0.05. Two texts of which `ALIKE` is
in common are near-duplicates: the same wire report, lightly edited.
"""

from __future__ import annotations

import zlib
from array import array
from collections import Counter, defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from rapidfuzz.distance import Hamming

from app.search import ranking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.search.base import Sort
    from app.search.clock import Clock
    from app.search.matching import Hits, Segment

ALIKE = 0.8
BINS = 64
NO_SKETCH = bytes(BINS)
"""Of a text too short to be told from another."""

_LARGEST = (1 << 56) - 1
_BAND = 4  # bins, so that a band is one integer
_BANDS = BINS // _BAND
_SHORTEST = 16  # words


def sketch(tokens: Sequence[str]) -> bytes:
    """The sketch of a text's tokens: BINS bytes."""
    if len(tokens) < _SHORTEST:
        return NO_SKETCH
    words = list(map(_hash, tokens))
    smallest = [_LARGEST] * BINS
    # Python hashes tuples of integers the same in every process and in every version that we
    # run on (a test holds that), four times as fast as any hash that is written in Python.
    for run in map(hash, zip(words, words[1:], words[2:], words[3:], strict=False)):
        value = run >> 6 & _LARGEST
        if value < smallest[run & 63]:
            smallest[run & 63] = value
    # An empty bin takes what the next one has (Shrivastava and Li 2014).
    last = next(value for value in smallest if value != _LARGEST)
    for place in range(BINS - 1, -1, -1):
        last = smallest[place] = smallest[place] if smallest[place] != _LARGEST else last
    return bytes(value % 255 + 1 for value in smallest)


@lru_cache(maxsize=100_000)
def _hash(token: str) -> int:
    return zlib.crc32(token.encode())


def alike(one: bytes, other: bytes) -> float:
    """The estimated share that two texts have in common, 0 to 1."""
    if NO_SKETCH in (one, other):
        return 0.0
    return Hamming.similarity(one, other) / BINS


def similarity(one: Sequence[str], other: Sequence[str]) -> float:
    """The exact share of runs of four words that two texts have in common, 0 to 1."""
    runs = [set(zip(t, t[1:], t[2:], t[3:], strict=False)) for t in (one, other)]
    union = len(runs[0] | runs[1])
    return len(runs[0] & runs[1]) / union if union else 0.0


def collapse(
    hits: list[tuple[Segment, Hits]], sort: Sort, clock: Clock
) -> tuple[list[tuple[Segment, Hits]], dict[bytes, list[bytes]]]:
    """Of each group of near-duplicates only the first hit in the order, and who went into it.

    Goes through the hits in their order: each joins the first earlier hit that is like it.
    Those that it has no time for are left out.
    """
    kept: list[tuple[Segment, Hits]] = [(segment, {}) for segment, _ in hits]
    firsts = _Firsts()
    members: dict[bytes, list[bytes]] = {}
    where = {
        segment.columns.id(n): (place, n)
        for place, (segment, found) in enumerate(hits)
        for n in found
    }
    rows = ranking.rank(hits, sort).rows
    places = [where[id_] for _, id_, _, _ in rows]
    sketches = [hits[place][0].columns.sketch(number) for place, number in places]
    bands = _shared_bands(sketches, clock)
    for row, ((_, id_, score, _), (place, number)) in enumerate(zip(rows, places, strict=True)):
        if not clock.in_time():
            break
        first = firsts.like(id_, sketches[row], bands[row])
        if first is not None:
            members.setdefault(first, []).append(id_)
        else:
            kept[place][1][number] = score
    return kept, members


def _shared_bands(sketches: Sequence[bytes], clock: Clock) -> list[list[int]]:
    """For each sketch those of its bands that another one has too, as numbers: mostly few.

    Of two texts that are alike some band is nearly always the same.
    """
    keys = array("I", b"".join(sketches))
    shared: list[list[int]] = [[] for _ in sketches]
    for band in range(_BANDS):
        if not clock.in_time():
            break
        own = keys[band::_BANDS]
        counts = Counter(own)
        for bands, key in zip(shared, own, strict=True):
            if counts[key] > 1:
                bands.append(key * _BANDS + band)
    return shared


class _Firsts:
    """The first text of each group of near-duplicates so far, found again by its bands."""

    def __init__(self) -> None:
        self._known: list[tuple[bytes, bytes]] = []
        self._numbers: defaultdict[int, list[int]] = defaultdict(list)  # by band

    def like(self, id_: bytes, own: bytes, bands: Sequence[int]) -> bytes | None:
        """The id of the earliest text that is like this one; without any this one is kept."""
        if own == NO_SKETCH or not bands:
            return None
        for number in sorted({number for band in bands for number in self._numbers[band]}):
            if alike(own, self._known[number][1]) >= ALIKE:
                return self._known[number][0]
        for band in bands:
            self._numbers[band].append(len(self._known))
        self._known.append((id_, own))
        return None
