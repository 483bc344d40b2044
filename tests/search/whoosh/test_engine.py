"""The folder of a Whoosh index: its files, what is set aside, what searches keep."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app import filters
from app.errors import (
    EngineError,
    IndexDamaged,
    IndexMissing,
)
from app.search.engine import SCHEMA_VERSION, Engine, Request
from app.search.query import parse
from app.search.query.rewrite import auto
from app.search.whoosh import collector
from app.search.whoosh.engine import WhooshEngine
from tests.search.contract.articles import STORE, ask, change

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WhooshEngine]:
    """An engine with an empty index."""
    made = WhooshEngine(tmp_path / "index")
    with made.rebuilding(STORE):
        pass
    yield made
    made.close()


def test_a_word_that_every_article_holds_still_counts_for_something(engine: Engine) -> None:
    engine.apply([change(n, 1, body="apples " * (n + 1)) for n in range(120)], 1)
    for limit in (1, 7):
        request = Request(query=parse("apples"), limit=limit)
        page = engine.search(request)
        assert page.after is not None
        assert all(float(number) > 0 for number in page.after.snapshot.split(","))
        assert page.hits[0].score > 0


def test_the_first_words_of_a_body_count_more(engine: Engine) -> None:
    filler = "and so on " * 20
    engine.apply(
        [
            change(0, 1, "x", body=f"{filler} apples fell"),
            change(1, 1, "x", body=f"apples fell {filler}"),
            *(change(n, 1, "x", body="pears") for n in range(2, 30)),
        ],
        1,
    )
    for q in ("apples", '"apples fell"', "body:apples"):
        assert ask(engine, q) == [1, 0]


def test_words_side_by_side_count_unless_one_is_in_most_articles(engine: Engine) -> None:
    engine.apply(
        [
            change(0, 1, "x", body="The president said nothing of oil prices."),
            change(1, 1, "x", body="The president of oil said nothing prices."),
            *(change(n, 1, "x", body="He said no.") for n in range(2, 40)),
            *(change(n, 1, "x", body="It went on.") for n in range(40, 70)),
        ],
        1,
    )
    for q, gains in (("oil prices", True), ("president said", False)):
        query = auto(parse(q), q, ()).strict
        first, second = engine.search(Request(query=query)).hits
        assert (first.score > second.score) is gains


def test_a_repeated_search_is_answered_anew_only_after_a_change(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.apply([change(0, 1, "Apples")], 1)
    request = Request(query=parse("apples"))
    first = engine.search(request)
    with monkeypatch.context() as patched:
        patched.setattr("app.search.whoosh.searcher.search", None)
        assert engine.search(Request(query=parse("apples"))) == first
    engine.apply([change(1, 2, "Apples")], 2)
    assert engine.search(request).total == 2


def test_a_walk_to_the_end_orders_the_result_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.apply([change(n, 1, "Apples") for n in range(50)], 1)
    ranked: list[int] = []
    real = collector.rank

    def counted(*arguments: Any) -> Any:
        ranked.append(1)
        return real(*arguments)

    monkeypatch.setattr(collector, "rank", counted)
    assert len(ask(engine, "apples")) == 50
    assert len(ranked) == 1


def files(folder: Path) -> list[Path]:
    """All files of the index in use, the big ones first."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
    return sorted(found, key=lambda path: -path.stat().st_size)


def test_each_torn_emptied_or_missing_file_is_noticed(engine: Engine, tmp_path: Path) -> None:
    engine.apply([change(n, 1, f"Apples {n}", body="word " * n) for n in range(50)], 1)
    folder = tmp_path / "index"
    for path in files(folder):
        whole = path.read_bytes()
        for torn in (whole[: len(whole) // 2], b"", whole + b"x", None):
            if torn is None:
                path.unlink()
            else:
                path.write_bytes(torn)
            expected = IndexMissing if torn is None and path.suffix == ".json" else IndexDamaged
            with pytest.raises((IndexDamaged, expected)):
                engine.health()
            path.write_bytes(whole)
        engine.health()
    assert len(ask(engine, "apples")) == 50


def test_overwritten_bytes_never_escape_as_another_error(engine: Engine, tmp_path: Path) -> None:
    engine.apply([change(n, 1, f"Apples {n}", body="word " * n) for n in range(50)], 1)
    for path in files(tmp_path / "index"):
        if path.suffix == ".json":
            continue
        whole = path.read_bytes()
        path.write_bytes(b"\xa5" * len(whole))
        fresh = WhooshEngine(tmp_path / "index")
        for q in ("apples", '"apples 7"', "word"):
            try:
                fresh.search(Request(query=parse(q), filters=filters.parse({"place": ["x"]})))
                fresh.search(Request(query=parse(q), limit=100))
            except IndexDamaged:
                pass
        fresh.close()
        path.write_bytes(whole)


def test_a_damaged_index_is_kept_when_it_is_replaced(engine: Engine, tmp_path: Path) -> None:
    engine.apply([change(0, 1)], 1)
    folder = tmp_path / "index"
    files(folder)[0].write_bytes(b"")
    with engine.rebuilding(STORE) as beside:
        beside.apply([change(0, 1)], 1)
    assert [path for path in folder.glob("damaged-whoosh-*") if path.is_dir()]
    engine.health()
    assert ask(engine, None) == [0]


def test_of_damaged_indexes_the_newest_are_kept(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "index"
    aside = []
    for _ in range(5):
        (damaged,) = folder.glob("whoosh-*")
        aside.append(f"damaged-{damaged.name}")
        (damaged / "NAME").unlink()
        with engine.rebuilding(STORE):
            pass
    assert {path.name for path in folder.glob("damaged-*")} == set(aside[-3:])
    assert [aside[n] in record.message for n, record in enumerate(caplog.records)] == [True, True]
    engine.health()


def test_all_that_is_set_aside_at_once_is_kept(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    for name in "abcd":  # no stamp names them
        (folder / f"whoosh-{name}").mkdir()
    with engine.rebuilding(uuid4()):
        pass
    assert len(list(folder.glob("damaged-*"))) == 5


def test_a_sound_index_is_removed_when_it_is_replaced(engine: Engine, tmp_path: Path) -> None:
    with engine.rebuilding(STORE):
        pass
    assert len(list((tmp_path / "index").glob("whoosh-*"))) == 1
    assert not list((tmp_path / "index").glob("damaged-*"))


def test_an_index_of_an_older_schema_is_removed_when_it_is_replaced(
    engine: Engine, tmp_path: Path
) -> None:
    engine.apply([change(0, 1)], 1)
    stamp = tmp_path / "index" / "whoosh.json"
    older = json.loads(stamp.read_text()) | {"schema_version": SCHEMA_VERSION - 1}
    del older["checksum"]
    stamp.write_text(json.dumps(older))
    assert engine.stamp().schema_version == SCHEMA_VERSION - 1
    (lists,) = (tmp_path / "index").glob("whoosh-*/*.headlines")
    lists.unlink()
    with engine.rebuilding(STORE):
        pass
    assert not list((tmp_path / "index").glob("damaged-*"))


def test_the_index_of_another_store_is_kept_when_it_is_replaced(
    engine: Engine, tmp_path: Path
) -> None:
    with engine.rebuilding(uuid4()):
        pass
    assert list((tmp_path / "index").glob("damaged-*"))


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), PermissionError(13, "x")]
)
def test_a_disk_that_refuses_is_no_damage_and_loses_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    engine.apply([change(0, 1, "Apples")], 1)

    def refuse(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("whoosh.filedb.filestore.FileStorage.create_file", refuse)
        with pytest.raises(EngineError) as caught:
            engine.apply([change(1, 2, "Apples")], 2)
        assert not isinstance(caught.value, IndexDamaged)
        with pytest.raises(EngineError), engine.rebuilding(STORE) as beside:
            beside.apply([change(1, 2)], 2)
    assert ask(engine, "apples") == [0]
    engine.apply([change(1, 2, "Apples")], 2)
    assert sorted(ask(engine, "apples")) == [0, 1]


def test_a_folder_that_cannot_be_made_is_an_engine_error(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file stands in its place")
    engine = WhooshEngine(tmp_path / "index")
    with pytest.raises(EngineError), engine.rebuilding(STORE):
        pass


DESCRIPTORS = Path("/proc/self/fd")
LINUX = pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="needs Linux to count open files")


def open_files(folder: Path) -> int:
    """How many files below `folder` this process holds open."""
    count = 0
    for link in DESCRIPTORS.iterdir():
        with suppress(FileNotFoundError):  # the descriptor that lists them is gone by now
            count += str(link.readlink()).startswith(str(folder))
    return count


@LINUX
def test_a_reading_that_is_given_up_leaves_no_file_open(engine: Engine, tmp_path: Path) -> None:
    engine.apply([change(n, 1) for n in range(3)], 1)
    for _ in range(3):
        entries = iter(engine.entries())
        next(entries)
        entries.close()  # type: ignore[attr-defined] # it is a generator
        assert open_files(tmp_path) == 0


@LINUX
def test_many_readers_at_once_leave_a_bounded_number_of_files_open(
    engine: Engine, tmp_path: Path
) -> None:
    engine.apply([change(0, 1)], 1)
    readers = [iter(engine.entries()) for _ in range(20)]
    for reader in readers:
        next(reader)
    for reader in readers:
        assert list(reader) == []
    kept = open_files(tmp_path)
    engine.close()
    assert kept <= 8 * 4, "files of eight snapshots at the most"
    assert open_files(tmp_path) == 0
