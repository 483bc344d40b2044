"""The face of the package: which reader gets the input."""

from __future__ import annotations

import io
import json
from collections import Counter

import pytest

from app import ingest
from app.ingest import Draft, Reject, page_text
from tests.ingest.page_text.pages import FULL, FURTHER, fields, page

LINE = json.dumps({"headline": "Ports reopen", "body": "One."})


def stream(data: bytes | str) -> io.BufferedReader:
    raw = data.encode() if isinstance(data, str) else data
    return io.BufferedReader(io.BytesIO(raw))


def reader_of(data: bytes | str, path: str, format_: str | None = None) -> str:
    (found,) = ingest.read(stream(data), path, ingest.Options(format=format_))
    assert isinstance(found, Draft), found
    return found.origin.reader


@pytest.mark.parametrize("path", ["a.jsonl", "dir/A.NDJSON", "-", "a.json", "a.txt", "a"])
def test_json_is_known_by_suffix_or_first_bytes(path: str) -> None:
    named = path.lower().endswith(("jsonl", "ndjson"))
    for data in (LINE, f"\ufeff{LINE}", f"\n\n  {LINE}", "{" + "\u0020" * 5 + LINE[1:]):
        assert reader_of(data, path) == ("json_lines" if named else "json")
        (first, _) = ingest.read(stream(f"{data}\n{LINE}\n"), path)
        assert isinstance(first, Draft)
        assert first.origin.reader == "json_lines"


@pytest.mark.parametrize("path", ["a.txt", "-", "a", "a.html", "a.JSON"])
def test_all_else_is_page_text(path: str) -> None:
    assert reader_of(page(FULL), path) == "page_text"
    assert list(ingest.read(stream(b""), path)) == [Reject(path, None, "empty")]


def test_a_format_that_is_asked_for_is_used() -> None:
    assert reader_of(page(FULL), "a.jsonl", "page_text") == "page_text"
    assert reader_of(LINE, "a.txt", "json_lines") == "json_lines"


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match="unknown format 'warc'; known are: page_text, json_lines, json, csv"
    ):
        ingest.read(stream(b""), "a", ingest.Options(format="warc"))
    assert ingest.FORMATS == ("page_text", "json_lines", "json", "csv") == tuple(ingest.READERS)


def test_a_page_is_read_from_the_stream() -> None:
    first, second = ingest.read(stream(page(FULL, FURTHER)), "a.txt")
    assert isinstance(first, Draft)
    assert isinstance(second, Draft)
    assert (fields(first), fields(second)) == (FULL.fields(), FURTHER.fields())
    assert first.origin.page == second.origin.page is not None


def test_a_page_over_the_limit_is_rejected() -> None:
    text = page(FULL).encode()
    at_limit = text + b" " * (page_text.LIMIT_BYTES - len(text))
    assert reader_of(at_limit, "a.txt") == "page_text"
    (found,) = ingest.read(stream(at_limit + b" "), "a.txt")
    assert found == Reject("a.txt", None, "larger than 8 MiB, the limit of a page")


class _Broken(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, _: object) -> int:
        raise OSError("the disk is gone")


@pytest.mark.parametrize("path", ["a.txt", "a.jsonl"])
def test_errors_of_the_stream_are_the_caller_s(path: str) -> None:
    with pytest.raises(OSError, match="the disk is gone"):
        list(ingest.read(io.BufferedReader(_Broken()), path))


def test_an_input_in_which_nothing_has_a_text_gets_one_reason() -> None:
    rows = "".join(f'{{"day": "{n}", "price": {n}}}\n' for n in range(1, 2_001))
    (found,) = ingest.read(stream(rows), "a.jsonl")
    told = "tell which they are by --map headline=FIELD --map body=FIELD"
    reason = f"no headline and no text in 2,000 records; fields: day, price; {told}"
    assert found == Reject("a.jsonl", None, reason)


def test_where_one_has_a_text_the_others_are_told_each() -> None:
    rows = f'{{"day": 1}}\n{{"day": 2}}\n{LINE}\n{{"day": 3}}\n'
    found = list(ingest.read(stream(rows), "a.jsonl"))
    assert [isinstance(each, Draft) for each in found] == [False, False, True, False]
    assert [each.line for each in found if isinstance(each, Reject)] == [1, 2, 4]


def test_the_inputs_of_each_format_are_counted() -> None:
    formats: Counter[str] = Counter()
    for data, path in ((LINE, "a.json"), ("title,text\nA,B\n", "a.csv"), (page(FULL), "a")):
        list(ingest.read(stream(data), path, formats=formats))
    list(ingest.read(stream(b"%PDF-1.4"), "a.pdf", formats=formats))
    assert formats == {"json": 1, "csv": 1, "page_text": 1}
    assert set(ingest.LABELS) == set(ingest.FORMATS)
