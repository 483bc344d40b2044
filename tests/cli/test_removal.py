"""Taking articles out and bringing them back, by commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from app.store import sequence
from tests import factories
from tests.cli.test_cli import lines, loaded, run
from tests.factories import draft, save

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

    from typer.testing import Result

__all__ = ["run"]

ARTICLES = [
    {"headline": "A", "body": "One.", "source": "Post", "guid": "7", "published_at": "2019-05-01"},
    {
        "headline": "B",
        "body": "Two.",
        "source": "Post",
        "published_at": "2021-05-01",
        "url": "https://example.org/b",
    },
    {"headline": "C", "body": "Three.", "source": "Courier", "guid": "7", "language": "en"},
]


def headlines(run: Callable[..., Result]) -> list[str]:
    """The headlines of what a dry run would remove of everything that is stored."""
    found = json.loads(run("remove", "--source", "Post", "--source", "Courier", "--dry-run",
                           "--json").stdout)  # fmt: skip
    return sorted(each["headline"] for each in found["samples"])


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--source", "post"], ["C"]),
        (["--source", "Post", "--before", "2020"], ["B", "C"]),
        (["--before", "2021-05-01"], ["B", "C"]),
        (["--guid", "7"], ["B"]),
        (["--guid", "7", "--source", "Courier"], ["A", "B"]),
        (["--language", "en"], ["A", "B"]),
        (["--url", "example.org/b"], ["A", "C"]),
        (["--from", "2019-06"], ["A", "C"]),
        (["--to", "2019"], ["B", "C"]),
        (["--from", "2019-05-01", "--before", "2021"], ["B", "C"]),
        (["--load", "1"], []),
    ],
)
def test_what_is_named_goes_and_nothing_else(
    run: Callable[..., Result], tmp_path: Path, options: list[str], left: list[str]
) -> None:
    loaded(run("load", "--json", lines(tmp_path / "a.jsonl", *ARTICLES)))
    before = headlines(run)
    assert before == ["A", "B", "C"]
    rehearsed = run("remove", *options, "--dry-run", "--json")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert headlines(run) == before
    done = run("remove", *options, "--json")
    assert done.exit_code == 0, done.output
    assert headlines(run) == left
    report = json.loads(run("check", "--json").stdout)
    assert (report["articles"], report["agrees"], report["pending"]) == (len(left), True, 0)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--guid", "7", "--load", "1"],
        ["--load", "1", "--erase"],
        ["--load", "1", "--source", "Post"],
        ["--guid", "7", "--language", "en"],
        ["--before", "soon"],
        ["--source", ""],
        ["--url", "not an address"],
        ["--tz", "Nowhere"],
        ["--from", "2021", "--tz", "Nowhere"],
    ],
)
def test_what_is_not_clearly_named_is_wrong_use(
    run: Callable[..., Result], options: list[str]
) -> None:
    assert run("remove", *options).exit_code == 2


def test_a_load_that_is_not_there_is_told(run: Callable[..., Result]) -> None:
    result = run("remove", "--load", "9")
    assert "no load with id 9" in str(result.exception)


def test_a_removed_article_is_restored_and_an_erased_one_is_not(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    ids = _ids(tmp_path, draft("One"), draft("Two"))
    assert run("remove", ids[0]).exit_code == 0
    told = json.loads(run("show", ids[0]).stdout)
    assert (told["state"], len(told["versions"])) == ("removed", 1)
    assert run("restore-article", ids[0]).stdout == f"restored {ids[0]}\n"
    assert json.loads(run("show", ids[0]).stdout)["headline"] == "One"
    assert run("remove", ids[1], "--erase").exit_code == 0
    assert json.loads(run("show", ids[1]).stdout)["state"] == "erased"
    assert "erased since" in str(run("restore-article", ids[1]).exception)


def test_joined_articles_are_one(run: Callable[..., Result], tmp_path: Path) -> None:
    one, two = _ids(tmp_path, draft("One"), draft("Two"))
    assert run("join", one, two).stdout == f"joined {one} into {two}\n"
    assert str(two) in str(run("show", one).exception)
    assert json.loads(run("check", "--json").stdout)["articles"] == 1


def test_a_rehearsed_load_tells_and_changes_nothing(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    path = lines(tmp_path / "a.jsonl", *ARTICLES, {"headline": "D", "body": "Four."}, {})
    told: dict[str, Any] = loaded(run("load", "--json", "--dry-run", path), code=3)
    assert (told["saved"], len(told["rejected"]), told["load"]) == (4, 1, None)
    assert [each["headline"] for each in told["samples"]] == ["A", "B", "C"]
    assert told["samples"][0]["outcome"] == "saved"
    with factories.store(tmp_path) as database, database.reading() as session:
        assert (sequence.count(session), sequence.last_change(session)) == (0, 0)


def _ids(tmp_path: Path, *drafts: Any) -> list[UUID]:
    with factories.store(tmp_path) as database:
        return [each.id for each in save(database, drafts)]
