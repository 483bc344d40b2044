"""The table of data sets: the program that makes it, and that it is what `load` does today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ingest import data_sets

TABLE = Path(__file__).parents[2] / "docs" / "records.md"


def test_a_row_tells_what_became_of_a_file(tmp_path: Path) -> None:
    records = (
        {"title": "Fog", "text": "It lay.", "author": "Ines Calloway"},
        {"title": "Fog", "text": "It lay.", "author": "Ines Calloway"},
        {"title": "Ice", "date": "2021-03-02T08:15"},
        {"author": "Tomas Berg"},
    )
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    assert data_sets.load(tmp_path / "a.jsonl").row("Mine") == (
        "| Mine | 4 | 2 | 1 | 0 | 1: neither headline nor body | `headline` 100, `byline` 50,"
        " `authors` 50, `body` 50, `published_at` 50 | `published_at` 50 |"
    )


@pytest.mark.long
@pytest.mark.parametrize("name", data_sets.SETS)
def test_the_table_says_what_load_does(name: str) -> None:
    path = data_sets.FOLDER / data_sets.SETS[name]
    if not path.is_file():
        pytest.skip(f"no data set at {path}")
    assert data_sets.load(path).row(name) in TABLE.read_text(encoding="utf-8").splitlines()
