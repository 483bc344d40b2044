"""Real pages beside what they must give; `python -m tests.ingest.regenerate` writes them anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.ingest.regenerate import GOLDENS, INPUTS, SEEDS, golden, read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", [*SEEDS, *INPUTS], ids=lambda seed: seed.stem)
def test_a_seed_gives_its_golden(seed: Path) -> None:
    assert read(seed) == json.loads(golden(seed).read_text(encoding="utf-8"))


def test_every_golden_has_its_seed() -> None:
    assert len(SEEDS) >= 2
    assert {path.stem for path in GOLDENS.glob("*.json")} == {
        seed.stem for seed in [*SEEDS, *INPUTS]
    }


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.stem)
def test_a_golden_holds_every_word_of_its_page(seed: Path) -> None:
    page = seed.read_text(encoding="utf-8")
    stories = json.loads(golden(seed).read_text(encoding="utf-8"))
    furniture = {"Short", "Url", "Updated", "Follow", "•"}
    told = " ".join(
        " ".join(
            [
                *(story["headline"], story["caption"] or "", f"({story['credit']})"),
                *(*story["summary"], f"{story['dateline']}:", *story["body"]),
            ]
        )
        for story in stories
    )
    dates = {
        "09",
        "14",
        "05",
        "May",
        "April",
        "December",
        "January",
        "2020",
        "2021",
        "2025",
        "2026",
    }
    assert set(page.split()) - furniture - dates <= set(told.split())
    assert all(not story["warnings"] for story in stories)
