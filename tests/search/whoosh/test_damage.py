"""What damage is: bytes that are not those that were written, whatever is raised over them.

Every kind of error is raised at every seam where index files are read or written. None sets the
index aside, and where the bytes are others it is IndexDamaged, whatever was raised.
"""

from __future__ import annotations

import errno
import os
import pickle
import shutil
import struct
import zlib
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest

from app.errors import EngineError, IndexDamaged, OutOfTime, QueryError
from app.search import stamp as stamps
from app.search.engine import Change, Document, Request
from app.search.query import parse
from app.search.stamp import StampFile
from app.search.whoosh import searcher, segments, snapshots
from app.search.whoosh.engine import WhooshEngine
from app.search.whoosh.storage import File, Storage
from app.services import indexing
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

STORE = uuid4()
APPLES = Request(query=parse("apples"), facets=("source",), histogram="day")

BUGS = [
    ValueError("a bug"),
    KeyError("a bug"),
    AssertionError("a bug"),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    RecursionError("a bug"),
    EOFError("a bug"),
    Exception("Whoosh raises these"),
    struct.error("a bug"),
    zlib.error("a bug"),
    pickle.UnpicklingError("a bug"),
    MemoryError(),
    QueryError("a bug", 0),
    OutOfTime(),
]
REFUSALS = [
    OSError(errno.EMFILE, "too many open files"),
    OSError(errno.EIO, "input/output error"),
    PermissionError(errno.EACCES, "permission denied"),
    FileNotFoundError(errno.ENOENT, "gone for a moment"),
    OSError("without a number"),
]
READ: dict[str, tuple[Any, str]] = {
    "the stamp's json": (stamps.Contents, "model_validate_json"),
    "a look at the stamp": (StampFile, "signature"),
    "the list of segments": ("app.search.whoosh.snapshots.TOC", "read"),
    "a segment": (snapshots, "SegmentReader"),
    "columns": (snapshots, "Columns"),
    "words": (segments, "_listed"),
    "a file": (Storage, "open_file"),
    "a pickle": (File, "read_pickle"),
    "postings": (segments, "posting_blocks"),
    "names": (segments.Segment, "names"),
    "scoring": (searcher, "search"),
}
WRITTEN: dict[str, tuple[Any, str]] = {
    "an article": ("app.search.whoosh.engine.Writer", "add"),
    "a deletion": ("app.search.whoosh.engine.Writer", "delete_document"),
    "merged segments": ("app.search.whoosh.engine.Writer", "add_segment"),
    "postings": ("app.search.whoosh.engine.Writer", "_flush_segment"),
    "the announcement": (StampFile, "announce"),
    "the commit": ("app.search.whoosh.engine.Writer", "_commit_toc"),
    "the stamp": (StampFile, "write"),
}


class Killed(BaseException):
    """The process ended here."""


def change(n: int, at: int) -> Change:
    names: dict[str, Sequence[str]] = {"source": ["the valley news"]}
    document = Document(
        headline=f"Apples {n}", summary=(), caption="", body="pears", published_us=0, names=names
    )
    return Change(UUID(int=n + 1), at, document)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of ten articles, of eight in one segment and two in their own."""
    folder = tmp_path_factory.mktemp("template") / "index"
    engine = WhooshEngine(folder)
    with engine.rebuilding(STORE):
        pass
    for n in range(10):
        engine.apply([change(n, n + 1)], n + 1)
    engine.close()
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """The folder of such an index, which no engine has open."""
    return shutil.copytree(template, tmp_path / "index")


def state(folder: Path) -> set[str]:
    """What is in a folder, and the bytes of its stamp."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    return {*found, (folder / "whoosh.json").read_text()}


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


@pytest.fixture
def engine(folder: Path) -> Iterator[WhooshEngine]:
    opened = WhooshEngine(folder)
    yield opened
    opened.close()


def patched(seam: tuple[Any, str], error: BaseException) -> Any:
    where, name = seam
    if isinstance(where, str):
        return patch(f"{where}.{name}", raising(error))
    return patch.object(where, name, raising(error))


@pytest.mark.parametrize("error", BUGS, ids=repr)
@pytest.mark.parametrize("seam", READ)
def test_a_bug_while_reading_is_itself_and_touches_nothing(
    engine: WhooshEngine, folder: Path, seam: str, error: Exception
) -> None:
    before = state(folder)
    with patched(READ[seam], error), pytest.raises(type(error)) as caught:
        engine.search(APPLES)
    assert caught.value is error
    assert state(folder) == before
    engine.health()
    assert engine.search(APPLES).total == 10


@pytest.mark.parametrize("error", REFUSALS, ids=repr)
@pytest.mark.parametrize("seam", [name for name in READ if "stamp" not in name])
def test_what_the_system_refuses_while_reading_is_no_damage(
    engine: WhooshEngine, folder: Path, seam: str, error: Exception
) -> None:
    before = state(folder)
    with patched(READ[seam], error), pytest.raises(EngineError) as caught:
        engine.search(APPLES)
    assert not isinstance(caught.value, IndexDamaged)
    assert state(folder) == before
    assert engine.search(APPLES).total == 10


@pytest.mark.parametrize("error", [*BUGS, *REFUSALS], ids=repr)
@pytest.mark.parametrize("seam", WRITTEN)
def test_an_error_while_writing_leaves_the_index_as_it_was(
    engine: WhooshEngine, folder: Path, seam: str, error: Exception
) -> None:
    before = engine.search(APPLES)
    changes = [change(9, 11), *(change(n, 11) for n in range(20, 40))]
    with patched(WRITTEN[seam], error), pytest.raises((type(error), EngineError)) as caught:
        engine.apply(changes, 11)
    assert not isinstance(caught.value, IndexDamaged)
    assert not list(folder.glob("damaged*"))
    engine.health()
    assert engine.search(APPLES).total in {before.total, 30}
    engine.apply(changes, 11)
    assert engine.search(APPLES).total == 30


@pytest.mark.parametrize("error", BUGS, ids=repr)
def test_a_bug_in_a_sync_sets_no_index_aside(tmp_path: Path, error: Exception) -> None:
    with factories.store(tmp_path) as database:
        engine = WhooshEngine(tmp_path / "data" / "index")
        factories.save(database, [factories.numbered(1)])
        indexing.sync(database, engine)
        generation = engine.stamp().generation
        factories.save(database, [factories.numbered(2)])
        with (
            patch("app.search.whoosh.engine.Writer.add", raising(error)),
            pytest.raises(type(error)),
        ):
            indexing.sync(database, engine)
        assert engine.stamp().generation == generation
        assert indexing.sync(database, engine).rebuilt is None
        engine.close()


@pytest.mark.parametrize("seam", ["the list of segments", "postings", "scoring"])
def test_other_bytes_are_damage_whatever_is_raised(
    engine: WhooshEngine, folder: Path, monkeypatch: pytest.MonkeyPatch, seam: str
) -> None:
    assert engine.search(APPLES).total == 10
    engine._caches.answers.clear()
    monkeypatch.setattr(stamps, "PROOF_S", -1.0)
    lend = engine._snapshots.lend
    largest = max(folder.glob("whoosh-*/*.pst"), key=lambda path: path.stat().st_size)
    engine.close()
    status, whole = largest.stat(), largest.read_bytes()
    with patched(READ[seam], ValueError("what the bytes lead to")):
        with pytest.raises(ValueError, match="lead to"), lend():
            engine._search(APPLES)
        spoil(largest, bytes([whole[0] ^ 1]) + whole[1:], status.st_mtime_ns)
        with pytest.raises(IndexDamaged, match="holds other bytes"):
            engine.search(APPLES)
    with pytest.raises(IndexDamaged, match="holds other bytes"):
        engine.health()  # what was proved is known to other processes as well
    assert indexing_state(folder) == "damaged"


def spoil(path: Path, data: bytes, mtime_ns: int) -> None:
    """Other bytes in a file that looks as before."""
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def indexing_state(folder: Path) -> str:
    other = WhooshEngine(folder)
    try:
        other.health()
    except IndexDamaged:
        return "damaged"
    return "sound"


def test_a_proof_holds_for_a_while(
    engine: WhooshEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engine.search(APPLES).total == 10
    read: list[str] = []
    real = zlib.crc32

    def counted(data: bytes, *more: int) -> int:
        read.append("")
        return real(data, *more)

    monkeypatch.setattr("app.search.stamp.zlib.crc32", counted)
    with patched(READ["scoring"], ValueError("a bug")):
        for _ in range(3):
            with pytest.raises(ValueError, match="a bug"):
                engine.search(Request(query=parse("pears")))
    assert len(read) <= 3 * 3  # the stamps alone
    monkeypatch.setattr(stamps, "PROOF_S", -1.0)
    files = len(list(folder.glob("whoosh-*/*")))
    read.clear()
    with patched(READ["scoring"], ValueError("a bug")), pytest.raises(ValueError, match="a bug"):
        engine.search(Request(query=parse("pears")))
    assert len(read) >= files


def test_a_commit_that_was_not_stamped_is_vouched_for(engine: WhooshEngine, folder: Path) -> None:
    with patched(WRITTEN["the stamp"], Killed()), pytest.raises(Killed):
        engine.apply([change(20, 11)], 11)
    (index,) = folder.glob("whoosh-*")
    assert (index / "NEXT").exists()
    fresh = WhooshEngine(folder)
    assert fresh.search(APPLES).total == 11
    with patched(READ["scoring"], ValueError("a bug")), pytest.raises(ValueError, match="a bug"):
        fresh.search(Request(query=parse("pears")))
    fresh.health()
    newest = max(index.glob("*.pst"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(b"\0" * newest.stat().st_size)
    with pytest.raises(IndexDamaged, match="holds other bytes"):
        fresh.search(Request(query=parse("apples"), limit=3))
    fresh.close()


def test_a_commit_whose_announcement_is_lost_is_damage(engine: WhooshEngine, folder: Path) -> None:
    with patched(WRITTEN["the stamp"], Killed()), pytest.raises(Killed):
        engine.apply([change(20, 11)], 11)
    (index,) = folder.glob("whoosh-*")
    (index / "NEXT").write_bytes(b"")  # a power cut
    with pytest.raises(IndexDamaged, match="nothing vouches for generation"):
        WhooshEngine(folder).search(APPLES)
    with pytest.raises(IndexDamaged, match="nothing vouches for generation"):
        WhooshEngine(folder).health()


@pytest.mark.parametrize("at", range(0, 300, 37))
def test_a_stamp_with_one_other_byte_is_damage(folder: Path, at: int) -> None:
    stamp = folder / "whoosh.json"
    whole = stamp.read_bytes()
    at %= len(whole)
    stamp.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(IndexDamaged, match="unreadable stamp"):
        WhooshEngine(folder).stamp()


def test_what_is_raised_over_an_index_that_was_replaced_is_no_bug(
    engine: WhooshEngine, folder: Path
) -> None:
    other = WhooshEngine(folder)
    with (
        pytest.raises(EngineError, match="replaced while it was read"),
        engine._snapshots.proving(),
    ):
        with other.rebuilding(STORE):
            pass
        raise ValueError("its files were moved away")
    other.close()
    with pytest.raises(ValueError, match="a bug"), engine._snapshots.proving():
        raise ValueError("a bug")
