"""What `make` does about `.venv`: when it is used, filled up, made anew, or left alone."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import install
import pytest

from tests.setup import locks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BARE = ("requirements.txt", "requirements-build.txt")
ENTITIES = ("requirements-entities.txt", "requirements-build.txt")
DEVELOP = ("requirements-dev.txt",)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without `.venv`."""
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(install, "STATE", tmp_path / ".venv" / ".installed")
    monkeypatch.setattr(install, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    for name in ("pyproject.toml", *BARE, *ENTITIES, *DEVELOP):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.fixture
def ensure(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[object]]:
    """`install.ensure`, without venv and pip; what it did."""
    did: list[object] = []

    def make(fault: str) -> None:
        did.append(fault)
        python = project / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.unlink(missing_ok=True)
        python.symlink_to(sys.executable)

    def run(level: str, *, exactly: bool = False) -> list[object]:
        did.clear()
        install.ensure(level, exactly=exactly)
        return list(did)

    monkeypatch.setattr(install, "make", make)
    monkeypatch.setattr(install, "fill", lambda locks, before: did.append(locks))
    return run


def test_serving_takes_no_lock_of_developers(ensure: Callable[..., list[object]]) -> None:
    assert ensure("entities") == ["", ENTITIES]
    assert ensure("entities") == []


def test_what_has_more_serves_as_it_is(ensure: Callable[..., list[object]]) -> None:
    assert ensure("bare") == ["", BARE]
    assert ensure("entities") == [ENTITIES]
    assert ensure("bare") == []
    assert ensure("develop") == [DEVELOP]
    assert ensure("entities") == []


@pytest.mark.parametrize("name", ["pyproject.toml", *DEVELOP])
def test_a_changed_lock_is_installed_whoever_asks(
    project: Path, ensure: Callable[..., list[object]], name: str
) -> None:
    ensure("develop")
    (project / name).write_text("changed")
    assert ensure("bare") == [DEVELOP]
    assert ensure("develop") == []


def test_a_lock_that_is_not_installed_may_change(
    project: Path, ensure: Callable[..., list[object]]
) -> None:
    ensure("entities")
    (project / "requirements-dev.txt").write_text("changed")
    assert ensure("entities") == []


def test_what_was_left_halfway_is_made_anew(
    project: Path, ensure: Callable[..., list[object]]
) -> None:
    ensure("entities")
    install.STATE.write_text("")
    assert ensure("entities") == ["was left halfway", ENTITIES]


def test_a_moved_checkout_makes_it_anew(
    project: Path, ensure: Callable[..., list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure("bare")
    monkeypatch.setattr(install, "ROOT", project / ".." / project.name)
    assert ensure("bare") == [f"was made in {project}", BARE]


def test_an_interpreter_that_is_gone_or_another_one_makes_it_anew(
    ensure: Callable[..., list[object]],
) -> None:
    ensure("bare")
    install.PYTHON.unlink()
    assert ensure("bare") == ["lost its interpreter", BARE]
    state = json.loads(install.STATE.read_text())
    install.STATE.write_text(json.dumps({**state, "python": "3.10"}))
    assert ensure("bare") == [f"was made with Python 3.10, not {install.RUNNING}", BARE]


def test_only_a_python_that_was_chosen_replaces_another(
    ensure: Callable[..., list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure("bare")
    was = install.RUNNING
    monkeypatch.setattr(install, "RUNNING", "3.99")
    assert ensure("bare") == []
    assert ensure("bare", exactly=True) == [f"was made with Python {was}, not 3.99", BARE]


def test_what_make_did_not_make_is_left_alone(
    project: Path, ensure: Callable[..., list[object]]
) -> None:
    kept = project / ".venv" / "pyvenv.cfg"
    kept.parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(SystemExit, match="is not make's"):
        ensure("bare")
    assert kept.read_text() == "mine"
    kept.unlink()
    assert ensure("bare") == ["", BARE]


@pytest.mark.parametrize(
    ("packages", "system", "python", "used"),
    [
        (["pip"], "false", "3.11", True),
        (["pip", "setuptools"], "false", "3.14", True),
        (["pip", "requests"], "false", "3.11", False),
        ([], "false", "3.11", False),
        (["pip"], "true", "3.11", False),
        (["pip"], "false", "3.10", False),
        (["pip"], "false", "", False),
    ],
)
def test_a_venv_made_by_hand_is_used_while_it_is_empty(
    project: Path,
    ensure: Callable[..., list[object]],
    monkeypatch: pytest.MonkeyPatch,
    packages: list[str],
    system: str,
    python: str,
    used: bool,
) -> None:
    monkeypatch.setattr(install, "running", lambda: python)
    for name in packages:
        (project / f".venv/lib/python3/site-packages/{name}-1.dist-info").mkdir(parents=True)
    (project / ".venv").mkdir(exist_ok=True)
    (project / ".venv/pyvenv.cfg").write_text(f"include-system-site-packages = {system}\n")
    if used:
        assert ensure("bare") == [BARE]
        assert ensure("bare") == []
    else:
        with pytest.raises(SystemExit, match="is not make's"):
            ensure("bare")
        assert not install.STATE.exists()


@pytest.mark.parametrize("running", [(3, 10, 9), (3, 15, 0)])
def test_another_python_is_refused_before_anything_is_removed(
    project: Path, monkeypatch: pytest.MonkeyPatch, running: tuple[int, int, int]
) -> None:
    kept = project / ".venv" / "kept"
    kept.parent.mkdir()
    kept.touch()
    monkeypatch.setattr(sys, "version_info", running)
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 to 3\.14"):
        install.make("was left halfway")
    assert kept.exists()


def test_making_anew_keeps_the_mark_and_nothing_else(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".venv" / "lib").mkdir(parents=True)
    (project / ".venv" / "lib" / "left").touch()
    (project / ".venv" / "lib64").symlink_to("lib")
    ran: list[list[object]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: ran.append(command))
    install.make("was left halfway")
    assert [*install.VENV.iterdir()] == [install.STATE]
    assert ran == [[sys._base_executable, "-m", "venv", install.VENV]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("changed", [False, True], ids=["before", "after"])
def test_a_pip_that_fails_costs_only_what_it_changed(
    project: Path, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    packages = project / ".venv" / "lib" / "python3" / "site-packages"
    packages.mkdir(parents=True)
    install.PYTHON.parent.mkdir()
    touch = f"touch {shlex.quote(str(packages / 'half'))}; " if changed else ""
    run = f'{touch}exec {shlex.quote(sys.executable)} "$@"\n'
    install.PYTHON.write_text(f"#!/bin/sh\n{run}")
    install.PYTHON.chmod(0o700)
    (project / "requirements.txt").write_text(f"whoosh-reloaded==9 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(subprocess.CalledProcessError):
        install.fill(("requirements.txt",), before="what was there")
    assert install.STATE.read_text() == ("" if changed else "what was there")


def test_pythons_are_those_of_the_project() -> None:
    project = tomllib.loads((locks.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    minors = range(install.OLDEST[1], install.NEWEST[1] + 1)
    assert project["requires-python"] == f">=3.{minors[0]},<3.{minors[-1] + 1}"
    told = {each for each in project["classifiers"] if each.startswith("Programming Language")}
    assert told == {f"Programming Language :: Python :: 3.{minor}" for minor in minors}
    assert sorted(locks.OLDEST_PIP) == [(3, minor) for minor in minors]
    assert set(locks.locks()) >= {lock for each in install.LOCKS.values() for lock in each}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["serve"], "python3 .ci/install.py serve --entities=1"),
        (["serve", "ENTITIES=0"], "python3 .ci/install.py serve --entities=0"),
        (["test"], "python3 .ci/install.py develop"),
        (["test", "PYTHON=python3.12"], "python3.12 .ci/install.py --exactly develop"),
    ],
)
def test_make_says_what_is_needed(given: list[str], told: str) -> None:
    make = shutil.which("make")
    assert make, "the set-up needs make"
    done = subprocess.run(
        [make, "--dry-run", *given],
        cwd=locks.ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0].split() == told.split()
