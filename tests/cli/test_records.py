"""`load` of records: its options, a dry run, and a load that is taken back."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
import sys
from typing import TYPE_CHECKING, Any

import pytest

from app import ingest
from tests.cli.test_cli import loaded, run
from tests.ingest.page_text.pages import FULL, page
from tests.ingest.test_archives import taped, zipped

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

__all__ = ["run"]

TABLE = "Hed,Copy,When\nRain,It rained.,2021-03-02 08:15\nSnow,It snowed.,2021-03-03 08:15\n"
MAP = ("--map", "headline=hed", "--map", "body=copy", "--map", "published_at=when")


def test_a_table_of_other_names_is_loaded_dryly_then_really_and_taken_back(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv.gz").write_bytes(gzip.compress(TABLE.encode()))
    (tmp_path / "in" / "b.json").write_text('{"articles": [{"title": "Fog", "text": "It lay."}]}')
    options = (*MAP, "--source", "Tide", "--tz", "+01:00", "--language", "en")
    dry = loaded(run("load", "--json", "--dry-run", "--map", "headline=hed", "in"))
    assert dry["saved"] == 3
    assert dry["load"] is None
    done = loaded(run("load", "--json", *options, "in/a.csv.gz"))
    assert (done["saved"], done["formats"]) == (2, {"csv": 1})
    again = run("load", *options, "in/a.csv.gz", "in/b.json")
    assert "1 file of CSV, 1 file of JSON read" in again.stdout
    removed: Any = run("remove", "--load", str(done["load"]))
    assert removed.exit_code == 0


FORMATS = {
    "page_text": ("page.txt", page(FULL)),
    "json_lines": ("a.jsonl", '{"title": "Fog", "text": "It lay."}\n{"title": "Ice"}\n'),
    "json": ("a.json", '{"articles": [{"title": "Fog", "text": "It lay."}, {"title": "Ice"}]}'),
    "csv": ("a.csv", "title,text\nFog,It lay.\nIce,\n"),
}
PACKS: dict[str, Callable[[str, bytes], bytes]] = {
    "": lambda _, data: data,
    ".gz": lambda _, data: gzip.compress(data),
    ".bz2": lambda _, data: bz2.compress(data),
    ".xz": lambda _, data: lzma.compress(data),
    ".zst": lambda _, data: zstd.compress(data),
    ".zip": lambda name, data: zipped({name: data}),
    ".tar": lambda name, data: taped({name: data}),
    ".tar.gz": lambda name, data: taped({name: data}, "w:gz"),
}


@pytest.mark.parametrize(
    ("format_", "pack"),
    [*((each, "") for each in FORMATS), *(("csv", each) for each in PACKS if each)],
)
def test_each_format_is_loaded_dryly_then_really_and_taken_back(
    run: Callable[..., Result], tmp_path: Path, format_: str, pack: str
) -> None:
    name, text = FORMATS[format_]
    (tmp_path / f"{name}{pack}").write_bytes(PACKS[pack](name, text.encode()))
    count = 1 if format_ == "page_text" else 2
    dry = loaded(run("load", "--json", "--dry-run", f"{name}{pack}"))
    assert (dry["saved"], dry["load"], dry["formats"]) == (count, None, {format_: 1})
    assert _articles(run) == 0
    done = loaded(run("load", "--json", f"{name}{pack}"))
    assert (done["saved"], done["formats"]) == (count, {format_: 1})
    assert _articles(run) == count
    assert run("remove", "--load", str(done["load"])).exit_code == 0
    assert _articles(run) == 0


def test_every_format_is_taken_back() -> None:
    assert set(FORMATS) == set(ingest.FORMATS)


def _articles(run: Callable[..., Result]) -> int:
    report: dict[str, Any] = json.loads(run("check", "--json").stdout)
    return int(report["articles"])


def test_a_table_with_a_long_cell_is_loaded(run: Callable[..., Result], tmp_path: Path) -> None:
    body = "It rained again. " * 10_000  # the csv module takes 128 KiB by itself
    (tmp_path / "a.csv").write_text(f"headline,body\nRain,{body}\n")
    before = csv.field_size_limit(128 * 1024)
    try:
        assert loaded(run("load", "--json", "a.csv"))["saved"] == 1
    finally:
        csv.field_size_limit(before)


def test_a_table_without_known_names_gets_one_reason_with_the_option(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(TABLE.replace("Hed,Copy,When", "One,Two,Three"))
    ((reject),) = loaded(run("load", "--json", "a.csv"), code=3)["rejected"]
    assert "One, Two, Three" in reject["reason"]
    assert "--map headline=COLUMN" in reject["reason"]


@pytest.mark.parametrize(
    "options",
    [
        ("--map", "x"),
        ("--map", "x=y"),
        ("--tz", "Mars"),
        ("--language", "english"),
        ("--encoding", "x"),
    ],
)
def test_a_wrong_option_is_wrong_use(run: Callable[..., Result], options: tuple[str, str]) -> None:
    result = run("load", *options, "a.csv")
    assert result.exit_code == 2
    assert options[0] in result.output
