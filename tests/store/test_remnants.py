"""Tables are written anew while others write, and no page keeps what was deleted from them."""

from __future__ import annotations

import random
import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import JSON, Text, text

from app.articles import removal, save
from app.search import open_engine
from app.services import extraction, indexing, maintenance
from app.store import remnants
from app.store.database import file_of
from app.store.models import metadata
from tests import factories
from tests.fake_extractor import FakeExtractor

if TYPE_CHECKING:
    from pathlib import Path

    from app.store.database import Database


def _read(database: Database, folder: Path) -> None:
    """Give the articles mentions."""
    extractor = FakeExtractor("f", {"Valley": ("place", "Valley", None)})
    extraction.sweep(database, extractor, folder / "lock")


def _rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.reading() as session:
        found = {}
        for name in metadata.tables:
            rows = session.execute(text(f"SELECT * FROM {name}"))
            found[name] = sorted(map(tuple, rows), key=repr)
        return found


def _made(database: Database) -> list[tuple[str, str, str | None]]:
    """Tables and indexes, however their names are quoted."""
    with database.reading() as session:
        found = session.execute(text("SELECT type, name, sql FROM sqlite_schema"))
        return sorted(
            (*row[:2], re.sub(r'TABLE "(\w+)"', r"TABLE \1", row[2] or "")) for row in found
        )


def test_no_page_keeps_rows_that_were_moved_before_they_were_erased(tmp_path: Path) -> None:
    """Paths of all lengths have the rows of inputs packed anew again and again."""
    settings, chance = factories.settings(tmp_path), random.Random(1)
    numbers = range(400)

    def erased() -> set[int]:
        raw = file_of(settings).read_bytes()
        return {int(found) for found in re.findall(rb"quuxlyq(\d{3})", raw)} & set(numbers[::2])

    with factories.store(tmp_path) as database, closing(open_engine(settings)) as engine:
        for _ in range(3):
            drafts = [
                factories.draft(
                    f"Headline {n}",
                    path=f"quuxlyq{n:03}{'x' * chance.randrange(700)}",
                    url=f"https://example.org/{n}",
                )
                for n in numbers
            ]
            saved = factories.save(database, drafts)
        with database.transaction() as session:
            removal.erase_all(session, [each.id for each in saved[::2]])
        assert database.truncate_log()
        assert erased(), "the search finds what SQLite leaves"
        assert maintenance.purge(database, engine, settings)
        assert not erased()


def test_every_table_with_words_is_written_anew() -> None:
    worded = {
        name
        for name, table in metadata.tables.items()
        if any(isinstance(column.type, Text | JSON) for column in table.columns)
    }
    assert worded - {"api_key", "store"} == set(remnants.TABLES)


def test_rows_and_indexes_stay_what_they_were(tmp_path: Path) -> None:
    with factories.store(tmp_path) as database:
        factories.save(database, [factories.numbered(n, places=("Cairo",)) for n in range(250)])
        _read(database, tmp_path)
        rows, made = _rows(database), _made(database)
        for _ in range(2):
            remnants.rewrite(database)
            assert _rows(database) == rows
            assert _made(database) == made


def test_what_others_write_meanwhile_is_in_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chance: random.Random
) -> None:
    """After each short transaction somebody saves, revises, erases, undoes or joins."""
    settings = factories.settings(tmp_path)
    monkeypatch.setattr(remnants, "SLICE_S", 0.0)
    writes: list[str] = []
    with factories.store(tmp_path) as database, closing(open_engine(settings)) as engine:
        saved = factories.save(database, [factories.numbered(n) for n in range(450)])
        _read(database, tmp_path)
        ids = [each.id for each in saved]

        def write() -> None:
            kind = chance.choice(("save", "revise", "erase", "undo", "join"))
            number = len(writes) + 1000
            writes.append(kind)
            with database.transaction() as session:
                if kind == "erase":
                    removal.erase(session, ids.pop(chance.randrange(len(ids))))
                elif kind == "join":
                    removal.join(session, ids.pop(chance.randrange(len(ids))), ids[0])
                else:
                    n = number if kind != "revise" else chance.randrange(450)
                    load = save.Load("load")
                    draft = factories.numbered(n, summary=(f"Number {number}.",))
                    save.save(session, [draft], publisher="The Valley News", load=load)
            if kind == "undo" and load.id is not None:
                with database.transaction() as session:
                    removal.undo(session, load.id)
            _read(database, tmp_path)

        def compare(database: Database, name: str) -> None:
            with database.reading() as session:
                for one, other in ((name, f"fresh_{name}"), (f"fresh_{name}", name)):
                    rows = f"SELECT * FROM {one} EXCEPT SELECT * FROM {other}"
                    assert session.execute(text(rows)).all() == []
            swap(database, name)

        swap = remnants._swap
        monkeypatch.setattr(remnants, "_swap", compare)
        monkeypatch.setattr(remnants, "_pause", write)
        remnants.rewrite(database)
        assert len(writes) > 20
        with database.reading() as session:
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
            assert session.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
        indexing.sync(database, engine)
        assert indexing.check(database, engine).agrees


@pytest.mark.parametrize("stops", [1, 4, 5, 8, 9, 12])
def test_one_that_was_given_up_holds_no_writer_and_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: int
) -> None:
    class Killed(BaseException):
        pass

    pauses = iter(range(1, 1000))

    def stop() -> None:
        if next(pauses) == stops:
            raise Killed

    with factories.store(tmp_path) as database:
        made = _made(database)
        saved = factories.save(database, [factories.numbered(n) for n in range(250)])
        monkeypatch.setattr(remnants, "SLICE_S", 0.0)
        monkeypatch.setattr(remnants, "_pause", stop)
        with pytest.raises(Killed):
            remnants.rewrite(database)
        with database.transaction() as session:
            removal.erase(session, saved[7].id)
        factories.save(database, [factories.numbered(n, day="2024-05-01") for n in range(400)])
        rows = _rows(database)
        remnants.rewrite(database)
        assert _rows(database) == rows
        assert _made(database) == made
