from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from app import cli
from app.entities import mentions
from app.extract import pool
from app.search import open_engine
from app.search.engine import Request
from app.settings import Settings
from tests import programs
from tests.cli.test_cli import SEEDS, broadsheet, environment
from tests.fake_extractor import FakePool

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    Run = Callable[..., Result]

BYRON = mentions.entity_key("person", "Ada Byron").id
KING = mentions.entity_key("person", "Ada King Byron").id


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, with its data below `tmp_path`."""
    monkeypatch.setenv("BROADSHEET_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pool, "ExtractorPool", FakePool)

    def _run(*arguments: object, **options: Any) -> Result:
        return CliRunner().invoke(cli.cli, [str(each) for each in arguments], **options)

    return _run


def load(run: Run, *bodies: str, **more: Any) -> Result:
    articles = [{"headline": f"Story {n}", "body": body} for n, body in enumerate(bodies)]
    path = Path("articles.jsonl")
    path.write_text("".join(json.dumps(article) + "\n" for article in articles))
    return run("load", "--json", path, **more)


def indexed(entity: object) -> int:
    settings = Settings()
    engine = open_engine(settings)
    try:
        from app import filters

        return engine.search(
            Request(query=None, filters=filters.parse({"entity": [str(entity)]}))
        ).total
    finally:
        engine.close()


def found(run: Run, beginning: str) -> list[dict[str, Any]]:
    done = run("entities", "find", beginning)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_load_extracts_and_indexes_at_its_end(run: Run) -> None:
    assert load(run, "Ada Byron", "Byron in Muscat", "Rain").exit_code == 0
    (byron,) = found(run, "byr")
    assert (byron["id"], byron["name"], byron["article_count"]) == (str(BYRON), "Ada Byron", 2)
    assert indexed(BYRON) == 2


def test_load_without_an_extractor_finds_nobody(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADSHEET_EXTRACTOR", "none")
    assert load(run, "Ada Byron").exit_code == 0
    assert found(run, "ada") == []
    done = run("extract")
    assert done.exit_code == 2
    assert "BROADSHEET_EXTRACTOR is none" in done.stderr


def test_extract_reads_what_is_left(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("BROADSHEET_EXTRACTOR", "none")
        load(run, "Ada Byron", "Rain")
    done = run("extract", "--workers", 1)
    assert (done.exit_code, done.stdout) == (
        *(0, "read 2 articles, changed 1, failed 0, up to change 2\n"),
    )
    again = json.loads(run("extract", "--json").stdout)
    assert again == {"read": 0, "changed": 0, "failed": 0, "cursor": 2, "failures": []}
    assert indexed(BYRON) == 1


def test_extract_reports_what_cannot_be_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(FakePool):
        def __init__(self, *opening: object) -> None:
            super().__init__(*opening)
            self._broken = "Riddle"

    monkeypatch.setenv("BROADSHEET_EXTRACTOR", "none")
    load(run, "Ada Byron", "Riddle")
    monkeypatch.setenv("BROADSHEET_EXTRACTOR", "auto")
    monkeypatch.setattr(pool, "ExtractorPool", Broken)
    done = run("extract", "--json")
    assert done.exit_code == 3
    (failure,) = json.loads(done.stdout)["failures"]
    assert (failure["headline"], failure["error"]) == ("Story 1", "too hard")
    assert run("extract").exit_code == 0


def test_while_another_process_extracts_load_goes_on_and_extract_fails(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load(run, "Rain")
    with FileLock(tmp_path / "data" / "extractor.lock"):
        assert load(run, "Ada Byron").exit_code == 0
        assert "it will read the articles" in caplog.text
        busy = run("extract")
    assert busy.exit_code == 1
    assert "another process is extracting" in str(busy.exception)
    assert found(run, "ada") == []


def test_operators_merge_split_and_rename(run: Run) -> None:
    load(run, "Ada Byron", "Ada King Byron", "Byron in Cairo")
    assert run("entities", "merge", KING, BYRON).stdout == "changed 1 articles\n"
    assert indexed(BYRON) == 3
    assert run("entities", "rename", BYRON, "Countess of Lovelace").stdout == "changed 3 articles\n"
    (countess,) = found(run, "countess")
    assert countess["id"] == str(BYRON)
    article = next(each for each in articles(run) if "Cairo" in each["body"])
    other = run("entities", "split", BYRON, "Ada Byron (sailor)", article["id"]).stdout.strip()
    assert (indexed(BYRON), indexed(other)) == (2, 1)
    shown = json.loads(run("show", article["id"]).stdout)["mentions"]
    assert (shown[0]["entity_id"], shown[0]["name"]) == (other, "Ada Byron (sailor)")


def articles(run: Run) -> list[dict[str, Any]]:
    from app.articles import changes
    from app.store.database import Database

    database = Database.open(Settings())
    try:
        with database.reading() as session:
            ids = [id_ for id_, _ in changes.versions(session)]
    finally:
        database.close()
    return [json.loads(run("show", id_).stdout) for id_ in ids]


def test_a_decision_about_nothing_fails(run: Run) -> None:
    load(run, "Ada Byron")
    done = run("entities", "rename", KING, "Nobody")
    assert done.exit_code == 1
    assert "no entity with id" in str(done.exception)


def test_the_extractor_of_the_settings_finds_who_the_seeds_are_about(tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> str:
        made = environment(tmp_path, BROADSHEET_EXTRACTOR="spacy")
        done = programs.run(
            broadsheet(*arguments), env=made, capture_output=True, text=True, check=True
        )
        return str(done.stdout)

    run("load", SEEDS)
    (found,) = map(json.loads, run("entities", "find", "khalil").splitlines())
    assert (found["type"], found["name"]) == ("person", "Zalmay Khalilzad")
    assert (found["article_count"], found["mention_count"]) == (1, 6)
