"""Broadsheet as a wheel, in a venv away from the checkout.

The wheel is built by way of the source archive. The venv holds it and the packages that
requirements.txt names, copied from where the tests run: what is imported but not locked, or
read but not packed, is not there. No network is needed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SOURCES = ("LICENSE", "README.md", "app", "migrations", "pyproject.toml", "seeds")
UV = (sys.executable, "-m", "uv", "--quiet", "--offline", "--no-cache", "--no-config")


def uv(*arguments: str | Path, **options: Any) -> None:
    done = subprocess.run([*UV, *arguments], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that a build of a fresh copy makes of its own source archive."""
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            unbuilt = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=unbuilt)
        else:
            shutil.copy(ROOT / name, folder)
    uv("build", "--no-build-isolation", "--python", sys.executable, folder)
    (built,) = folder.glob("dist/*.whl")
    return built


@dataclass(frozen=True)
class Installed:
    """A venv with Broadsheet in it, and a folder to work in that has nothing to do with either."""

    bin: Path
    folder: Path

    def command(self, *arguments: str | Path) -> list[str]:
        return [str(self.bin / "broadsheet"), *map(str, arguments)]

    def environment(self, **more: str) -> dict[str, str]:
        return {"PATH": os.defpath, "BROADSHEET_DATA_DIR": str(self.folder / "data"), **more}

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    base = tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", base / "venv"], check=True)
    packages = next(base.glob("venv/lib/python*/site-packages"))
    for name, always in locked():
        try:
            copy(name, packages)
        except PackageNotFoundError:
            assert not always, f"{name} is locked and not installed"
    python = base / "venv" / "bin" / "python"
    uv("pip", "install", "--no-deps", "--python", python, wheel)
    uv("pip", "check", "--python", python)
    folder = base / "häuser and more"
    folder.mkdir()
    return Installed(python.parent, folder)


def locked() -> Iterator[tuple[str, bool]]:
    """Every package of the lock file, and whether it is needed on any system."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for name, rest in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(.*)$", lock, re.MULTILINE):
        yield name, ";" not in rest


def copy(name: str, packages: Path) -> None:
    """Put what the package `name` has where packages are into `packages`."""
    for file in distribution(name).files or ():
        if ".." not in file.parts and file.suffix != ".pyc":
            (packages / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), packages / file)


def test_the_wheel_holds_all_of_the_program_and_nothing_else(wheel: Path) -> None:
    folders = {"app": "app", "migrations": "app/migrations", "seeds": "app/seeds"}
    wanted = {
        f"{inside}/{path.relative_to(ROOT / folder)}"
        for folder, inside in folders.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == wanted


def test_it_loads_checks_and_diagnoses_from_any_folder(installed: Installed) -> None:
    (installed.folder / "a.jsonl").write_text('{"headline": "Rain", "body": "It rained."}\n')
    loaded = installed.run("load", "--json", "a.jsonl")
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout)["saved"] == 1
    checked = installed.run("check", "--json")
    assert json.loads(checked.stdout)["agrees"], checked.stderr
    doctor = installed.run("doctor", "--json")
    assert doctor.returncode == 0, doctor.stderr
    assert {each["level"] for each in json.loads(doctor.stdout)} == {"ok"}
    assert installed.run("backup", "copy.db").returncode == 0
    assert installed.run("restore", "--overwrite", "copy.db").returncode == 0


def test_it_serves(installed: Installed) -> None:
    environment = installed.environment(BROADSHEET_DATA_DIR="served")
    process = subprocess.Popen(
        installed.command("serve", "--port", "0"),
        cwd=installed.folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        told = iter(process.stderr.readline, "")
        address = next(found[1] for found in map(RUNNING.search, told) if found)
        with httpx.Client(base_url=address) as client:
            assert client.get("/v1/status").json()["articles"] == 0
            script = re.search(r'src="(/static/swagger[^"]+)"', client.get("/docs").text)
            assert script is not None
            for path in (script[1], "/static/broadsheet/page.css", "/openapi.json"):
                assert client.get(path).status_code == 200, path
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
    assert "Traceback" not in rest


def test_it_shows_itself(installed: Installed) -> None:
    process = subprocess.Popen(
        installed.command("demo", "--port", "0"),
        cwd="/",
        env={"PATH": os.defpath, "TMPDIR": str(installed.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        address = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert address is not None, process.communicate()
        assert httpx.get(f"{address[0]}/v1/search?q=binance").json()["total"] == 1
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert not list(installed.folder.glob("broadsheet-demo-*"))


RUNNING = re.compile(r"running on (http://[\d.:]+)")
