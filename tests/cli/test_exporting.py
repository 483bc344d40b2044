"""`export` and back: what `load` makes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_cli import lines, loaded, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

__all__ = ["run"]

ARTICLES = [
    {
        "headline": "A [b]",
        "body": 'One "two".\n\nRIGA: three.',
        "source": "Post",
        "guid": "7",
        "published_at": "2019-05-01",
        "keywords": ["oil, gas", "x; y"],
        "subjects": [{"scheme": "s", "code": "c", "name": "n"}],
    },
    {"headline": "B", "body": "Two.", "url": "https://example.org/b", "language": "en"},
    {"headline": "Flash", "body": "", "source": "Tide"},
]
OWN = ("change", "sources", "related")


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_a_new_archive_has_the_same_articles(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    loaded(run("load", "--json", lines(tmp_path / "a.jsonl", *ARTICLES)))
    done = run("export", "--format", format_)
    assert done.exit_code == 0, done.output
    out = tmp_path / f"out.{format_}"
    out.write_bytes(done.stdout_bytes)
    ids = [json.loads(line)["id"] for line in run("export").stdout.splitlines()]

    def shown() -> list[dict[str, Any]]:
        found = [json.loads(run("show", id_).stdout) for id_ in ids]
        return [{name: each[name] for name in each if name not in OWN} for each in found]

    before = shown()
    monkeypatch.setenv("BROADSHEET_DATA_DIR", str(tmp_path / "other"))
    assert loaded(run("load", "--json", out))["saved"] == 3
    assert shown() == before
    again = loaded(run("load", "--json", out))
    assert (again["unchanged"], again["load"]) == (3, again["load"])
    assert run("check").exit_code == 0


def test_an_export_goes_on_after_a_change_and_takes_filters(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    loaded(run("load", "--json", lines(tmp_path / "a.jsonl", *ARTICLES[:2])))
    loaded(run("load", "--json", lines(tmp_path / "b.jsonl", ARTICLES[2])))

    def headlines(*options: str) -> list[str]:
        done = run("export", *options)
        return sorted(json.loads(line)["headline"] for line in done.stdout.splitlines())

    assert headlines() == ["A [b]", "B", "Flash"]
    assert headlines("--since", "1") == ["Flash"]
    assert headlines("--source", "post", "--to", "2019") == ["A [b]"]
    assert headlines("--url", "example.org/b") == ["B"]
    assert headlines("--guid", "7") == ["A [b]"]
    assert headlines("--all") == ["A [b]", "B", "Flash"]


@pytest.mark.parametrize(
    "options", [("--all", "--source", "Post"), ("--all", "--format", "csv"), ("--from", "x")]
)
def test_what_does_not_go_together_is_wrong_use(
    run: Callable[..., Result], options: tuple[str, ...]
) -> None:
    assert run("export", *options).exit_code == 2
