"""A file of the index that was made to run code is damage, and runs none."""

from __future__ import annotations

import os
import pickle
from contextlib import closing
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from app.errors import EngineError
from app.search import engine as search_engine
from app.search import open_engine, query
from app.search.whoosh import storage
from app.services import indexing
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path

    from app.store.database import Database


class Attack:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_calls_is_refused(tmp_path: Path) -> None:
    raw = pickle.dumps(Attack(tmp_path / "proof"))
    with pytest.raises(pickle.UnpicklingError, match="has no place"):
        storage.loads(raw)
    with pytest.raises(pickle.UnpicklingError, match="has no place"):
        storage.load(BytesIO(raw))
    assert not (tmp_path / "proof").exists()


def test_a_list_of_segments_that_calls_is_damage(database: Database, tmp_path: Path) -> None:
    engine = open_engine(factories.settings(tmp_path))
    factories.save(database, [factories.numbered(n) for n in range(3)])
    indexing.sync(database, engine)
    engine.close()
    (list_,) = (tmp_path / "data" / "index").glob("*/*.toc")
    raw = list_.read_bytes()
    begin = raw.rindex(b"\x80", 0, raw.rindex(b"W3Segment"))  # the pickle at its end
    list_.write_bytes(raw[:begin] + pickle.dumps(Attack(tmp_path / "proof")))
    engine = open_engine(factories.settings(tmp_path))
    with pytest.raises(EngineError):
        engine.search(search_engine.Request(query=query.parse("apples")))
    engine.close()
    assert not (tmp_path / "proof").exists()
    with closing(open_engine(factories.settings(tmp_path))) as engine:
        indexing.sync(database, engine)  # builds it anew
        assert engine.search(search_engine.Request(query=query.parse("apples"))).total == 3
