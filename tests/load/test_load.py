"""The load test runs, on a small archive and for a moment."""

from __future__ import annotations

import gzip
import subprocess
import sys
from typing import TYPE_CHECKING

import orjson

from app.ingest import records
from tests.bench import corpus
from tests.load import __main__ as load_test
from tests.load import mix

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _item(number: int) -> dict[str, object]:
    told = f"Pier {number} of the island was cleared of sand on Monday, the harbour office said."
    return {
        "title": f"PIER {number} IS REOPENED",
        "body": f"    {told}\n" + "    Nobody was hurt, a spokeswoman for the coast said.\n" * 9,
        "published": f"1987-03-{1 + number % 28:02}T15:01:02",
        "place": ("Muscat", "Dubai", "Cairo")[number % 3],
    }


def test_a_short_run_is_answered_without_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with gzip.open(tmp_path / corpus.NAME, "wb") as lines:
        lines.writelines(orjson.dumps(_item(number)) + b"\n" for number in range(60))
    monkeypatch.setenv("BROADSHEET_BENCH_DATA", str(tmp_path))

    load_test.main(["--articles", "50", "--seconds", "2", "--probe-seconds", "1", "--rate", "20"])

    figures = orjson.loads(capfdbinary.readouterr().out)
    assert figures["statuses"].keys() == {"200"}
    assert figures["latency_ms"]["all"]["count"] == 40
    assert figures["floors"]["failed"] == {"value": 0, "ceiling": 0, "holds": True}
    assert figures["memory_mb"]["first"] > 0
    assert figures["latency_ms"].keys() - {"all"} <= mix.SHARES.keys()


def test_a_server_does_not_look_for_garbage_in_what_it_started_with() -> None:
    program = "import gc; from app.api import served; served(); print(gc.get_freeze_count())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(done.stdout) > 10_000


def test_a_server_takes_cells_of_csv_that_are_as_long_as_a_record() -> None:
    program = "import csv; from app.api import served; served(); print(csv.field_size_limit())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(done.stdout) == records.LIMIT_BYTES


def test_without_its_data_it_is_skipped_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("BROADSHEET_BENCH_DATA", str(tmp_path))

    assert load_test.main([]) == 0

    assert "news data" in orjson.loads(capfdbinary.readouterr().out)["skipped"]
