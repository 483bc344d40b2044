from __future__ import annotations

import io

import pytest

from app import ingest
from app.ingest.options import Options

TEXT = '{"headline": "Rain", "body": "It rained in Łódź."}\n'


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("is_marked", [True, False])
def test_a_named_encoding_needs_no_mark(encoding: str, is_marked: bool) -> None:
    data = TEXT.encode(encoding if is_marked else f"{encoding}-le")
    stream = io.BufferedReader(io.BytesIO(data))
    (draft,) = ingest.read(stream, "a.jsonl", Options(encoding=encoding))
    assert isinstance(draft, ingest.Draft)
    assert draft.body == "It rained in Łódź."


@pytest.mark.parametrize("data", [b":\xff\xfe2", b"\xff\xfe2", b":\xff\xfe\0\0x"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt", "a"])
def test_a_mark_inside_is_no_mark(data: bytes, name: str) -> None:
    stream = io.BufferedReader(io.BytesIO(data))
    assert all(isinstance(each, ingest.Reject) for each in ingest.read(stream, name, Options()))
