"""MinHash: sketches of texts, for finding near-duplicates.

A sketch is a MinHash of the text's runs of four words with one permutation (Li, Owen and
Zhang 2012) and eight bits a bin (Li and König 2010). The share of equal bins estimates the
Jaccard similarity of two texts within about 0.05. Texts with a similarity of `ALIKE` or more
are near-duplicates: the same wire report, lightly edited.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from rapidfuzz.distance import Hamming

ALIKE = 0.8
BINS = 64
NO_SKETCH = bytes(BINS)
"""The sketch of a text too short to compare."""

_LARGEST = (1 << 56) - 1
_SHORTEST = 16  # words


def sketch(tokens: Sequence[str]) -> bytes:
    """The sketch of a text's tokens: BINS bytes."""
    return sketch_of([zlib.crc32(token.encode()) for token in tokens])


def sketch_of(words: Sequence[int]) -> bytes:
    """The sketch of a text by the CRC-32 of each of its tokens."""
    if len(words) < _SHORTEST:
        return NO_SKETCH
    smallest = [_LARGEST] * BINS
    # Python hashes tuples of integers alike in every process and every supported version (there
    # is a test for it), four times as fast as a hash written in Python.
    for run in map(hash, zip(words, words[1:], words[2:], words[3:], strict=False)):
        value = run >> 6 & _LARGEST
        if value < smallest[run & 63]:
            smallest[run & 63] = value
    # An empty bin takes the value of the next one (Shrivastava and Li 2014).
    last = next(value for value in smallest if value != _LARGEST)
    for place in range(BINS - 1, -1, -1):
        last = smallest[place] = smallest[place] if smallest[place] != _LARGEST else last
    return bytes(value % 255 + 1 for value in smallest)


def alike(one: bytes, other: bytes) -> float:
    """The estimated Jaccard similarity of two texts, 0 to 1."""
    if NO_SKETCH in (one, other):
        return 0.0
    return Hamming.similarity(one, other) / BINS


def similarity(one: Sequence[str], other: Sequence[str]) -> float:
    """The exact Jaccard similarity of two texts' runs of four words, 0 to 1."""
    runs = [set(zip(t, t[1:], t[2:], t[3:], strict=False)) for t in (one, other)]
    union = len(runs[0] | runs[1])
    return len(runs[0] & runs[1]) / union if union else 0.0
