"""Where the postings of a word are, as it is written and by its stem."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from app import text
from app.search.whoosh.engine import WhooshEngine
from app.search.whoosh.schema import FIELDS, located, places, places_written
from tests.search.contract.articles import change

if TYPE_CHECKING:
    from pathlib import Path

WORDS = " ".join(
    (
        "l'Élysée U.S.",
        "trade traded trading trader traders company companies company's price prices priced",
        "pricing say said saying pay paid go went gone make made making makings sell sold 5.8",
        "trades nations national nationally nationality 東京都 élection élections elections C++ x",
        "nation stopped stopping busy business hold held fall fell vary varying rating ratings",
    )
).split()


@pytest.mark.parametrize("language", [None, "en", "fr"])
def test_each_form_is_found_at_its_places_and_at_no_others(
    tmp_path: Path, language: str | None
) -> None:
    chance = random.Random(1)
    bodies = [" ".join(chance.choices(WORDS, k=chance.randrange(1, 90))) for _ in range(300)]
    engine = WhooshEngine(tmp_path / "index")
    with engine.rebuilding(uuid4()) as beside:
        names = [language] if language else []
        changes = [change(n, 1, "", body=b, language=names) for n, b in enumerate(bodies)]
        beside.apply(changes, 1)
    wanted: dict[str, dict[int, list[int]]] = {}
    (base,) = (base for name, base, _ in FIELDS if name == "body")
    for number, body in enumerate(bodies):
        for at, token in enumerate(text.tokens(body, language), base):
            own = token.others[:1] if token.others and token.others[0][0] == "=" else ()
            for term in own or [f"!{token.text}"]:
                wanted.setdefault(term, {}).setdefault(number, []).append(at)
    with engine._snapshots.lend() as snapshot:
        (segment,) = snapshot.segments
        for term, by_document in wanted.items():
            found = {
                number: places(value)
                for numbers, _, values in segment.blocks("words", term)
                for number, value in zip(numbers, values, strict=True)
            }
            assert found == by_document, term
            assert segment.documents("words", term) >= len(by_document)
            if term[0] == "=":
                assert segment.documents("words", term) == len(by_document)
                assert segment.documents("words", term) == len(by_document)  # kept
            stem, way = located(term)
            for numbers, _, values in segment.blocks("words", stem):
                for number, value in zip(numbers, values, strict=True):
                    positions = places_written({way}, value) if way else places(value)
                    assert positions == by_document.get(number, [])
    engine.close()


def test_a_form_that_is_its_stem_has_no_second_term() -> None:
    assert located("=trade") == ("=trade", None)
    assert located("!trade") == ("trade", 1)
    assert located("=fr:elections") == ("=fr:elections", None)
