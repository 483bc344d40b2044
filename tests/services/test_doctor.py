"""What the doctor finds, and what the other commands of operators say."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from app import cli
from app.services import backup, doctor, listeners
from app.settings import Settings, without_password
from app.store import integrity, keys
from app.store.database import Database, file_of
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment
from tests.services.test_backup import fill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from app.services.doctor import Finding


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("BROADSHEET_DATA_DIR", str(tmp_path / "data"))

    def _run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(cli.cli, list(map(str, arguments)))

    return _run


def found(folder: Path, **environment_: str) -> dict[str, Finding]:
    return {each.name: each for each in doctor.examine(factories.settings(folder), environment_)}


def chosen(folder: Path, **settings: str) -> dict[str, Finding]:
    return {each.name: each for each in doctor.examine(factories.settings(folder, **settings), {})}


def levels(folder: Path) -> dict[str, str]:
    return {name: each.level for name, each in found(folder).items() if each.level != "ok"}


def test_a_sound_archive_is_all_ok_and_nothing_is_made(tmp_path: Path) -> None:
    assert levels(tmp_path) == {"database": "warning"}
    assert not (tmp_path / "data").exists()
    fill(tmp_path, range(2))
    assert levels(tmp_path) == {}


def test_each_wrong_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, range(2))
    data = tmp_path / "data"
    (data / "index" / "whoosh.json").write_text("{")
    assert levels(tmp_path) == {"index": "wrong"}
    with closing(sqlite3.connect(data / "broadsheet.db")) as other:
        other.execute("UPDATE alembic_version SET version_num = '20260101_older'")
        other.commit()
    assert levels(tmp_path) == {"migrations": "wrong"}
    assert found(tmp_path)["migrations"].hint == "run: broadsheet migrate"
    os.utime(data / "broadsheet.db", (time.time() + 9000,) * 2)
    assert levels(tmp_path)["clock"] == "wrong"
    os.utime(data / "broadsheet.db")
    data.chmod(0o777)
    assert levels(tmp_path)["data folder"] == "warning"
    data.chmod(0o700)
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 1 << 60)
    assert levels(tmp_path)["disk"] == "wrong"
    monkeypatch.setattr(doctor, "LEAST_FILES", 1 << 60)
    assert levels(tmp_path)["open files"] == "warning"
    assert found(tmp_path, BROADSHEET_TREADS="3")["settings"].level == "warning"
    (data / "broadsheet.db").write_bytes(b"\xff" * 9000)
    assert levels(tmp_path)["database"] == "wrong"


def test_a_folder_that_cannot_be_is_the_last_finding(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert list(found(tmp_path))[-1] == "data folder"
    assert levels(tmp_path)["data folder"] == "wrong"


def test_the_exit_code_tells_wrong_from_warned(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("doctor").exit_code == 0
    fill(tmp_path, range(1))
    (tmp_path / "data" / "index" / "whoosh.json").unlink()
    result = run("doctor")
    assert result.exit_code == 4
    assert "wrong: index: missing" in result.stdout
    assert "  hint: run: broadsheet sync" in result.stdout
    listed = json.loads(run("doctor", "--json").stdout)
    assert listed[-1]["level"] == "wrong"


# --- what is open


@pytest.mark.parametrize(
    ("settings", "name", "told"),
    [
        ({"allowed_hosts": "*"}, "hosts", "any host name"),
        ({"cors_origins": "*"}, "cors", "any origin"),
        ({"trusted_proxies": "10.0.0.0/8,10.0.0.1/32"}, "proxies", "of 10.0.0.0/8 may"),
        ({"trusted_proxies": "fd00::/8"}, "proxies", "of fd00::/8 may"),
    ],
)
def test_what_is_opened_wide_is_a_warning(
    tmp_path: Path, settings: dict[str, str], name: str, told: str
) -> None:
    finding = chosen(tmp_path, **settings)[name]
    assert (finding.level, finding.hint is None) == ("warning", False)
    assert told in finding.detail


def test_what_is_open_by_choice_is_named(tmp_path: Path) -> None:
    closed = {"trusted_proxies": "10.0.0.7/32", "cors_origins": "https://a.example"}
    findings = chosen(tmp_path, allowed_hosts="news.example", metrics_port="9100", **closed)
    told = {name: each.detail for name, each in findings.items() if each.level == "ok"}
    assert "news.example" in told["hosts"]
    assert "10.0.0.7/32" in told["proxies"]
    assert "https://a.example" in told["cors"]
    assert "9100" in told["metrics"]
    assert "everybody" in told["reads"]


def test_keys_are_counted_and_those_without_an_end_named(tmp_path: Path) -> None:
    fill(tmp_path, range(1))
    hint = found(tmp_path)["keys"].hint
    assert hint is not None
    assert "keys create" in hint
    with factories.store(tmp_path) as database, database.transaction() as session:
        for name in ("reads", "writes", "gone"):
            keys.create(session, name, scope="read" if name == "reads" else "write")
        keys.create(session, "ends", scope="erase", expires_in=timedelta(days=9))
        keys.revoke(session, "gone")
    told = found(tmp_path)["keys"]
    assert (told.level, told.detail) == (
        "ok",
        "3 can be used; these write and never expire: writes",
    )


def test_a_first_key_that_others_may_read_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "first-key"
    assert chosen(tmp_path, first_key_file=str(file))["first key"].level == "wrong"
    file.write_text(f"{factories.KEY}\n")
    for mode, level in ((0o644, "warning"), (0o640, "ok")):
        file.chmod(mode)
        finding = chosen(tmp_path, first_key_file=str(file))["first key"]
        assert finding.level == level
        assert factories.KEY not in finding.detail


def test_a_setting_of_an_earlier_version_is_wrong(tmp_path: Path) -> None:
    told = found(tmp_path, BROADSHEET_WRITE_TOKEN="")["settings"]
    assert (told.level, told.hint is None) == ("wrong", False)
    assert "BROADSHEET_WRITE_TOKEN" in told.detail
    assert "keys create" in str(told.hint)


def test_a_server_beyond_the_machine_that_answers_any_host_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, range(1))
    with (
        closing(Database.open(factories.settings(tmp_path))) as database,
        database.reading(),
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        listed = listeners.addresses(tmp_path / "data" / "broadsheet.db")
        assert (ip_address("127.0.0.1"), server.getsockname()[1]) in listed
        assert chosen(tmp_path)["hosts"].level == "ok"
    assert listeners.addresses(tmp_path / "data" / "broadsheet.db") == []
    monkeypatch.setattr(listeners, "addresses", lambda _: [(ip_address("0.0.0.0"), 8000)])
    finding = chosen(tmp_path)["hosts"]
    assert finding.level == "warning"
    assert "listens on 0.0.0.0, port 8000" in finding.detail
    assert chosen(tmp_path, allowed_hosts="a.example")["hosts"].level == "ok"


# --- settings


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("postgresql://ann:secret@db/news", "postgresql://ann:**********@db/news"),
        ("postgresql://ann:se@c/ret@db/news", "postgresql://ann:**********@db/news"),
        ("http://c?token=secret&x=1", "http://c?token=**********&x=1"),
        ("sqlite:////srv/news.db", "sqlite:////srv/news.db"),
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318"),
        ("Arab News", "Arab News"),
    ],
)
def test_passwords_are_hidden(written: str, told: str) -> None:
    assert without_password(written) == told


def test_a_setting_of_earlier_versions_is_wrong(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADSHEET_WRITE_TOKEN", "hush")
    result = run("doctor")
    assert result.exit_code == 4
    assert "wrong: settings: BROADSHEET_WRITE_TOKEN" in result.output
    assert "broadsheet keys create" in result.output
    assert "hush" not in result.output


def test_no_secret_is_printed(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADSHEET_OTLP_ENDPOINT", "https://me:hush-2@collector.example")
    told: dict[str, Any] = json.loads(run("settings", "--json").stdout)
    assert set(told) == {f"BROADSHEET_{name.upper()}" for name in Settings.model_fields}
    assert told["BROADSHEET_READS"] == {"value": "open", "from": "default"}
    assert told["BROADSHEET_THREADS"] == {"value": "4", "from": "default"}
    assert "hush" not in run("settings").output
    monkeypatch.setenv("BROADSHEET_DATABASE_URL", "mysql://me:hush-3@db/news")
    result = run("settings")
    assert result.exit_code == 2
    assert "hush" not in result.output
    assert "mysql://me" in result.output


# --- migrations


def test_migrations_by_command_alone(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADSHEET_MIGRATE", "never")
    done = programs.run(
        broadsheet("serve", "--port", "0"),
        env=environment(tmp_path, BROADSHEET_MIGRATE="never"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "hint: run: broadsheet migrate" in done.stderr
    assert type(run("check").exception).__name__ == "SchemaMismatch"
    first = json.loads(run("migrate", "--json").stdout)
    assert first["from"] is None
    assert run("migrate").stdout == f"the database is at revision {first['to']}\n"
    assert run("sync").exit_code == 0


def test_many_processes_migrate_at_once(tmp_path: Path) -> None:
    together = [
        programs.Popen(
            broadsheet("migrate", "--json"),
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    ended = [each.communicate(timeout=120) for each in together]
    assert [each.returncode for each in together] == [0] * 4, ended
    assert {json.loads(stdout)["to"] for stdout, _ in ended} != {None}


# --- backup and restore by command


def test_backup_and_restore_say_what_they_did(run: Callable[..., Result], tmp_path: Path) -> None:
    fill(tmp_path, range(3))
    copy = tmp_path / "x.db"
    told = f"3 articles up to change 1: {copy}\n"
    assert run("backup", copy).stdout == f"backed up {told}"
    result = json.loads(run("restore", "--overwrite", "--json", copy).stdout)
    assert (result["articles"], result["agrees"]) == (3, True)
    assert "the index agrees" in run("restore", "--overwrite", copy).stdout


def test_a_full_check_is_noted_for_the_file_that_it_was_of(tmp_path: Path) -> None:
    with factories.store(tmp_path):
        pass
    file = file_of(factories.settings(tmp_path))
    assert integrity.last(file) is None
    assert integrity.check(file) == []
    noted = integrity.last(file)
    assert noted is not None
    assert noted.sound
    copy = tmp_path / "copy.db"
    copy.write_bytes(file.read_bytes())
    copy.rename(file)
    assert integrity.last(file) is None, "another file"
    file.write_bytes(b"\xff" * 9000)
    assert integrity.check(file)


def test_doctor_says_when_a_large_database_was_last_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "CHEAP_BYTES", 0)
    settings = factories.settings(tmp_path)
    with factories.store(tmp_path):
        pass

    def told() -> str:
        return next(each.detail for each in doctor.examine(settings, {}) if each.name == "database")

    assert "never checked wholly" in told()
    backup.back_up(settings, tmp_path / "x.db")
    assert "checked wholly 2" in told()
