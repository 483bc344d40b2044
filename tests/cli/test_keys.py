"""`broadsheet keys`, and a server's start with a key file or a setting of earlier versions."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from app import cli
from app.cli import operations
from app.store import keys
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `broadsheet keys` in this process, with its data below `tmp_path`."""
    monkeypatch.setenv("BROADSHEET_DATA_DIR", str(tmp_path / "data"))

    def _run(*arguments: str) -> Result:
        return CliRunner().invoke(cli.cli, ["keys", *arguments])

    return _run


def test_a_key_is_all_that_is_printed_and_never_again(run: Run) -> None:
    made = run("create", "night desk", "--scope", "write", "--source", "Valley News")
    assert made.exit_code == 0
    key = made.stdout.removesuffix("\n")
    assert keys.FORM.fullmatch(key)
    assert made.stderr == (
        "made the key night desk: scope write, source Valley News, does not expire; "
        "it is shown this once\n"
    )
    listed = run("list")
    (told,) = json.loads(run("list", "--json").stdout)
    assert (told["name"], told["scope"], told["state"]) == ("night desk", "write", "good")
    assert told["source"] == "Valley News"
    assert "night desk" in listed.stdout
    for output in (listed.output, json.dumps(told)):
        assert key[11:] not in output
        assert key[-24:] not in output


@pytest.mark.parametrize("stdout", [">/dev/full", ">&-"])
def test_a_key_that_cannot_be_printed_is_not_made(tmp_path: Path, stdout: str) -> None:
    made = subprocess.run(
        ["sh", "-c", f'exec "$@" {stdout}', "sh", *broadsheet("keys", "create", "desk")],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 1
    assert made.stderr.startswith("error: no key was made: stdout: ")
    assert len(made.stderr.splitlines()) == 1
    assert tried(tmp_path, "keys", "list").stdout == ""


def test_the_list_of_no_keys_is_empty(run: Run) -> None:
    listed = run("list")
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert json.loads(run("list", "--json").stdout) == []


def test_a_revoked_key_is_told_as_one(run: Run) -> None:
    run("create", "desk")
    assert run("revoke", "desk").stdout == "revoked: desk\n"
    assert run("revoke", "desk").stdout == "revoked before: desk\n"
    assert "revoked" in run("list").stdout.splitlines()[1]


@pytest.mark.parametrize(
    "arguments",
    [
        *(("--scope", each) for each in ("admin", "readwrite", "", "WRITE,read", "Write")),
        *(
            ("--expires", each)
            for each in ("", "0d", "90", "-1d", "1.5h", "1y", "9" * 12 + "d", "d")
        ),
        *(("--source", each) for each in ("", " ")),
    ],
)
def test_what_cannot_be_is_wrong_use_and_makes_no_key(run: Run, arguments: tuple[str, ...]) -> None:
    made = run("create", "odd", *arguments)
    assert (made.exit_code, made.stdout) == (2, "")
    assert json.loads(run("list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("30m", 1800), ("12h", 43200), ("90d", 7776000)]
)
def test_an_end_is_given_in_any_unit(run: Run, text: str, seconds: int) -> None:
    assert run("create", "brief", "--expires", text).exit_code == 0
    (told,) = json.loads(run("list", "--json").stdout)
    made, ends = (datetime.fromisoformat(told[name]) for name in ("created_at", "expires_at"))
    assert (ends - made).total_seconds() == seconds


def tried(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return programs.run(
        broadsheet(*arguments), env=environment(folder, **more), capture_output=True, text=True
    )


def test_a_name_that_is_taken_or_unknown_is_a_failure(tmp_path: Path) -> None:
    assert tried(tmp_path, "keys", "create", "desk").returncode == 0
    again = tried(tmp_path, "keys", "create", "desk")
    assert (again.returncode, again.stdout) == (1, "")
    assert "there is a key of that name: desk" in again.stderr
    assert "hint: choose another name; a key that was made cannot be shown again" in again.stderr
    gone = tried(tmp_path, "keys", "revoke", "nobody")
    assert gone.returncode == 1
    assert "keys list" in gone.stderr


@pytest.mark.parametrize("value", ["hush-of-last-year", ""])
@pytest.mark.parametrize("name", ["BROADSHEET_WRITE_TOKEN", "broadsheet_write_token"])
def test_a_token_of_earlier_versions_stops_the_start_and_no_command(
    tmp_path: Path, name: str, value: str
) -> None:
    refused = tried(tmp_path, "serve", "--port", "0", **{name: value})
    assert refused.returncode == 1
    assert "broadsheet keys create" in refused.stderr
    assert "hush" not in refused.stderr
    made = tried(tmp_path, "keys", "create", "desk", **{name: value})
    assert made.returncode == 0
    assert "hush" not in made.stderr


@pytest.mark.parametrize("content", ["", " \n", "password", None])
def test_a_first_key_that_is_none_stops_the_start(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "first"
    if content is not None:
        file.write_text(content)
    refused = tried(tmp_path, "serve", "--port", "0", BROADSHEET_FIRST_KEY_FILE=str(file))
    assert refused.returncode == 1
    assert "error: BROADSHEET_FIRST_KEY_FILE: " in refused.stderr
    assert "password" not in refused.stderr


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("settings",), ("doctor",)])
def test_a_key_in_the_place_of_its_file_is_refused_and_not_told(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    key = "bs_" + "1a" * 36
    refused = tried(tmp_path, *command, BROADSHEET_FIRST_KEY_FILE=key)
    assert refused.returncode == 2
    assert "BROADSHEET_FIRST_KEY_FILE" in refused.stderr
    assert "is a key" in refused.stderr
    assert key not in refused.stdout + refused.stderr


def test_an_empty_name_of_the_first_key_is_an_error(tmp_path: Path) -> None:
    refused = tried(tmp_path, "serve", "--port", "0", BROADSHEET_FIRST_KEY_FILE="")
    assert refused.returncode == 2
    assert "BROADSHEET_FIRST_KEY_FILE" in refused.stderr


def test_a_restart_that_knows_the_key_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "first"
    file.write_text(f"{factories.KEY}\n")
    with factories.store(tmp_path) as database:
        operations._take_key(database, file)
        with database.transaction():  # which holds the lock that a second write would wait for
            operations._take_key(database, file)
        with database.reading() as session:
            assert [each.name for each in keys.listing(session)] == ["first"]
