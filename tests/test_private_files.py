"""Who may read what Broadsheet writes: its own user alone, unless an operator says otherwise."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from stat import S_IMODE
from typing import TYPE_CHECKING

import pytest

from app.services import doctor
from app.store.database import Database
from tests import factories
from tests.cli.test_cli import SEEDS, broadsheet, environment
from tests.services.test_backup import fill

if TYPE_CHECKING:
    from pathlib import Path


def modes(folder: Path) -> dict[str, str]:
    """The mode of a folder and of everything below it, by its path from there."""
    return {
        str(each.relative_to(folder)): oct(S_IMODE(each.stat().st_mode))
        for each in (folder, *folder.rglob("*"))
    }


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_whatever_is_written_is_for_its_own_user_alone(tmp_path: Path, umask: int) -> None:
    def run(*arguments: str | Path) -> None:
        subprocess.run(
            broadsheet(*arguments),
            env=environment(tmp_path),
            umask=umask,
            check=True,
            capture_output=True,
        )

    scratch = tmp_path / "scratch"
    scratch.mkdir(0o700)
    run("load", SEEDS)
    run("backup", tmp_path / "copy.db")
    run("restore", "--overwrite", tmp_path / "copy.db")
    server = subprocess.Popen(
        broadsheet("serve", "--port", "0", "--workers", "2"),
        env=environment(tmp_path, TMPDIR=str(scratch)),
        umask=umask,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    try:
        started = re.compile("startup complete")
        sum(1 for _ in zip(range(2), filter(started.search, server.stderr), strict=False))
        found = modes(tmp_path)
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    assert {"data/broadsheet.db-wal", "data/index/whoosh.json", "copy.db"} < set(found)
    assert any(name.endswith(".db") and "scratch/" in name for name in found), "no metrics"
    del found["first-key"]  # the test's own
    wrong = {name: mode for name, mode in found.items() if mode not in ("0o700", "0o600")}
    assert wrong == {}


def test_what_an_operator_chose_stays(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o2750)
    fill(tmp_path, range(1))
    assert modes(data)["."] == "0o2750"
    (data / "broadsheet.db").chmod(0o640)
    subprocess.run(broadsheet("load", SEEDS), env=environment(tmp_path), check=True)
    copy = tmp_path / "copy.db"
    copy.touch()
    copy.chmod(0o644)
    for command in ("backup", "restore"):
        subprocess.run(
            broadsheet(command, "--overwrite", copy), env=environment(tmp_path), check=True
        )
    assert modes(data)["."] == "0o2750"
    assert modes(data)["broadsheet.db"] == "0o640"
    assert modes(tmp_path)["copy.db"] == "0o644"


def test_a_library_that_opens_it_makes_a_private_folder_too(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Database.open(factories.settings(tmp_path)).close()
    finally:
        os.umask(before)
    assert modes(tmp_path)["data"] == "0o700"


@pytest.mark.parametrize(("mode", "may"), [(0o707, "write"), (0o704, "read"), (0o701, "read")])
def test_the_doctor_tells_who_else_may_read_or_write(tmp_path: Path, mode: int, may: str) -> None:
    fill(tmp_path, range(1))
    data = tmp_path / "data"

    def told() -> doctor.Finding:
        findings = doctor.examine(factories.settings(tmp_path), {})
        return next(each for each in findings if each.name == "data folder")

    assert told().level == "ok"
    data.chmod(mode)
    found = told()
    assert (found.level, found.detail) == ("warning", f"everybody may {may} it: {data}")
    assert found.hint is not None
    subprocess.run(["sh", "-c", found.hint], check=True)
    assert told().level == "ok"


def test_the_doctor_looks_at_a_database_that_stands_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "open" / "news.db"
    file.parent.mkdir()
    settings = factories.settings(tmp_path, database_url=f"sqlite:///{file}")
    Database.open(settings).close()
    (tmp_path / "data").mkdir(0o700)
    file.touch(0o644)
    details = [each.detail for each in doctor.examine(settings, {})]
    assert f"everybody may read it: {file}" in details
    file.parent.chmod(0o700)
    details = [each.detail for each in doctor.examine(settings, {})]
    assert not any("everybody may" in each for each in details)
