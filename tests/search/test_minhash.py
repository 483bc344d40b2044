from __future__ import annotations

import random

from app.search import minhash

WORDS = [f"word{n}" for n in range(400)]


def edited(share: float, seed: int = 1) -> list[str]:
    """WORDS with about `share` of its words replaced."""
    chance = random.Random(seed)
    return [f"new{chance.random()}" if chance.random() < share else word for word in WORDS]


def test_a_text_is_like_itself_and_unlike_another() -> None:
    own = minhash.sketch(WORDS)
    assert len(own) == minhash.BINS
    assert minhash.alike(own, own) == 1.0
    assert minhash.alike(own, minhash.sketch([f"x{n}" for n in range(400)])) < 0.1


def test_a_sketch_estimates_what_texts_have_in_common() -> None:
    errors = []
    for seed in range(20):
        for share in (0.01, 0.03, 0.1):
            other = edited(share, seed)
            estimate = minhash.alike(minhash.sketch(WORDS), minhash.sketch(other))
            errors.append(abs(estimate - minhash.similarity(WORDS, other)))
    assert sum(errors) / len(errors) < 0.06


def test_python_hashes_tuples_as_it_always_did() -> None:
    """Sketches are stored: where this fails, raise engine.SCHEMA_VERSION."""
    assert hash((1, 2, 3, 4)) == 590899387183067792


def test_similarity_is_exact() -> None:
    assert minhash.similarity(list("abcde"), list("abcde")) == 1.0
    assert minhash.similarity(list("abcde"), list("abcdx")) == 1 / 3
    assert minhash.similarity([], []) == 0.0


def test_short_texts_have_no_sketch() -> None:
    assert minhash.sketch(["a"] * 15) == minhash.NO_SKETCH
    assert minhash.alike(minhash.NO_SKETCH, minhash.NO_SKETCH) == 0.0
