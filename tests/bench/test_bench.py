"""The pages of the benchmark are read as the stories that they were made of."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

import orjson
import pytest

from app.ingest.draft import Draft
from app.ingest.page_text import parse
from tests.bench import __main__ as bench
from tests.bench import corpus, entities, report

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.corpus import Item

_TEXT = (
    "Pier {} of the island was cleared of sand on Monday, the harbour authority said.",
    "Nobody was hurt, according to a spokeswoman for the coast guard who spoke at noon.",
    "Prices of fish rose by 12.5 pct, the highest since the storm of January {}.",
    "SHIPS WAITING..............{} UP.......2",
)


def made_up(number: int) -> Item:
    return corpus.Item(
        f"PIER {number // 2} IS REOPENED",
        datetime(1987, 3, 1 + number % 28, 15, 1, tzinfo=UTC),
        (None, "MUSCAT", "DUBAI")[number % 3],
        tuple(text.format(number) for text in _TEXT * 3),
    )


ITEMS = [made_up(number) for number in range(12)]


def test_a_page_is_read_as_its_stories() -> None:
    printed = list(islice(corpus.stories(ITEMS), 4))
    drafts = list(parse(corpus.page(*printed).encode(), "page.txt"))

    for draft, story in zip(drafts, printed, strict=True):
        assert isinstance(draft, Draft)
        assert draft.headline == story.headline
        assert draft.body == "\n\n".join(story.paragraphs)
        assert draft.summary == story.bullets
        assert draft.dateline == story.place
        assert draft.published_at is not None
        assert draft.published_at.date() == story.published_at.date()
        assert not draft.warnings
    first, *further = drafts
    assert isinstance(first, Draft)
    assert (first.caption, first.credit) == (printed[0].caption, "Reuters")
    assert not any(isinstance(draft, Draft) and draft.caption for draft in further)


def test_stories_differ_and_have_the_length_of_news() -> None:
    stories = list(islice(corpus.stories(ITEMS), 60))

    assert len({(story.headline, story.paragraphs[0]) for story in stories}) == 60
    for story in stories:
        words = sum(len(text.split()) for text in story.paragraphs)
        assert corpus.SHORTEST <= words < corpus.LONGEST + 20


def test_the_same_items_make_the_same_pages(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made = corpus.write(tmp_path / name, corpus.stories(ITEMS), pages=10)

    assert (made.pages, made.articles) == (10, 12)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_items_without_a_story_are_left_out(tmp_path: Path) -> None:
    good = {
        "title": "PIER <PIER.X>\n REOPENS",
        "body": "    By A. Reporter, Reuters\n    The harbour authority of the\nisland said on "
        "Monday\n    it was open.",
        "published": "1987-02-26T15:01:02",
        "place": "Portland, Ore.",
    }
    table = good | {"body": "Qtly div 7 cts\n Pay May 5"}
    empty = good | {"body": ""}
    untitled = good | {"title": None}
    file = tmp_path / corpus.NAME
    with gzip.open(file, "wb") as lines:
        lines.writelines(orjson.dumps(row) + b"\n" for row in (good, table, empty, untitled))

    (item,) = corpus.items(file)

    assert item.title == "PIER PIER.X REOPENS"
    assert item.place == "PORTLAND"
    assert item.paragraphs == (
        "The harbour authority of the island said on Monday",
        "it was open.",
    )


def test_without_its_data_it_is_skipped_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("BROADSHEET_BENCH_DATA", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["bench"])

    assert bench.main() == 0

    printed = orjson.loads(capfdbinary.readouterr().out)
    assert str(tmp_path / corpus.NAME) in printed["skipped"]


def test_reads_of_entities_are_measured_on_a_store_that_is_made_up(tmp_path: Path) -> None:
    figures = entities.measure(tmp_path, articles=400, rounds=1)

    assert figures["rows"]["article"] == 400
    assert figures["rows"]["mention"] == 400 * entities.MENTIONS_EACH
    assert figures["rows"]["appearance"] > 400
    for name in ("list", "beginning", "one", "related", "timeline"):
        assert figures[name]["p95_ratio"] > 0
    assert "entities_related_p95" in report.floors({"entities": figures})


@pytest.mark.parametrize(("cores_free", "holds"), [(True, False), (False, None)])
def test_a_floor_tells_nothing_where_the_cores_are_busy(
    cores_free: bool, holds: bool | None
) -> None:
    figures = {
        "load": {"ratio": 0.8, "load_peak_mb": 401.0},
        "scale": {"ratio": 1.2, "two_cores_free": cores_free},
        "extraction": {
            "ratio": 1.5,
            "two_cores_free": cores_free,
            "words_per_cpu_s": 4_001,
            "worker_peak_mb": 449.0,
        },
    }

    found = report.floors(figures)

    assert found["load_ratio"] == {"value": 0.8, "floor": 0.75, "holds": True}
    assert found["load_peak_mb"] == {"value": 401.0, "ceiling": 400.0, "holds": False}
    assert found["scale_ratio"]["holds"] is holds
    assert found["extraction_ratio"]["holds"] is holds
    assert found["extraction_words"] == {"value": 4_001, "floor": 4_000, "holds": True}
    assert found["extraction_peak_mb"]["holds"]
