"""Packed inputs are read through, within bounds, and nothing is written."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from app import ingest
from app.ingest import Draft, Reject, archives

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = b"title,text\nRain,It rained.\nSnow,It snowed.\n"


def read(data: bytes, path: str) -> list[Draft | Reject]:
    return list(ingest.read(io.BufferedReader(io.BytesIO(data)), path))


def headlines(data: bytes, path: str = "news") -> list[str]:
    return [each.headline for each in read(data, path) if isinstance(each, Draft)]


def reasons(data: bytes, path: str = "news") -> list[tuple[str, str]]:
    return [(each.path, each.reason) for each in read(data, path) if isinstance(each, Reject)]


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def taped(files: dict[str, bytes], mode: Any = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_a_packed_file_is_read_through(pack: Callable[[bytes], bytes]) -> None:
    assert headlines(pack(TABLE), "news.csv.x") == ["Rain", "Snow"]
    assert headlines(pack(TABLE[:20]) + pack(TABLE[20:])) == ["Rain", "Snow"]
    assert headlines(pack(taped({"a.csv": TABLE}))) == ["Rain", "Snow"]
    _, reason = reasons(pack(TABLE * 99)[:-9])[-1]
    assert reason.startswith("is damaged")


@pytest.mark.parametrize("pack", [zipped, taped])
def test_the_files_of_an_archive_are_read_in_order(pack: Callable[..., bytes]) -> None:
    files = {
        "news/b.csv": TABLE,
        "__MACOSX/news/._b.csv": b"\0\5\x16\7",
        ".hidden": b"x",
        "a.jsonl.gz": gzip.compress(b'{"title": "Fog"}\n'),
        "../../etc/passwd": b'{"title": "Out"}',
    }
    found = read(pack(files), "p.x")
    assert [each.headline for each in found if isinstance(each, Draft)] == [
        *("Rain", "Snow", "Fog", "Out")
    ]
    assert [each.origin.path for each in found if isinstance(each, Draft)] == [
        *("p.x/news/b.csv", "p.x/news/b.csv", "p.x/a.jsonl.gz", "p.x/etc/passwd")
    ]


def test_what_expands_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_FREE_BYTES", 100_000)
    bomb = b"x" * 10_000_000
    for data in (gzip.compress(bomb), bz2.compress(bomb), zipped({"a.txt": bomb})):
        ((_, reason), *_) = [each for each in reasons(data) if "expands" in each[1]]
        assert reason == "expands to more than 100 times its size"


def test_packing_has_a_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    data = TABLE
    for _ in range(4):
        data = gzip.compress(data)
    assert reasons(data) == [("news", "is packed more than 3 times over")]
    monkeypatch.setattr(archives, "_FILES", 2)
    ((_, reason),) = reasons(zipped({f"{n}.csv": TABLE for n in range(3)}))
    assert reason == "holds more than 2 files"


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}, "a DOCX document"),
        ({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}, "an Excel workbook"),
        ({"mimetype": b"application/epub+zip"}, "an EPUB book"),
    ],
)
def test_a_document_is_named(files: dict[str, bytes], what: str) -> None:
    ((_, reason),) = reasons(zipped(files), "a.docx")
    assert reason.startswith(what)
