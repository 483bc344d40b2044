"""What is imported is declared, where it is needed, and bounded where its insides are used."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = {"app", "broadsheet_client", "install", "migrations", "tests"}
WITH_EXTRA = {"app/extract/spacy_model.py": "entities", "app/api/tracing.py": "otel"}
"""The modules that are imported only where the extra is installed."""
INSIDES = ("fastapi", "fastapi-offline", "uvicorn", "whoosh-reloaded")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> dict[str, str]:
    """Package -> the versions that are taken."""
    parts = (re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?(.*)", each) for each in requirements)
    return {normal(found[1]): found[2] for found in parts if found is not None}


BASE = declared(PROJECT["dependencies"])
EXTRAS = {name: declared(of) for name, of in PROJECT["optional-dependencies"].items()}
FUZZ = declared((ROOT / "requirements-fuzz.in").read_text(encoding="utf-8").splitlines()[-1:])


def imported(path: Path) -> set[str]:
    """The packages, neither ours nor Python's, that a file imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    since = {"compression"}  # of the standard library from 3.14 on
    return found - OURS - since - sys.stdlib_module_names


@cache
def providers() -> dict[str, set[str]]:
    return {name: set(map(normal, of)) for name, of in packages_distributions().items()}


def program() -> Iterator[Path]:
    for folder in ("app", "migrations"):
        yield from (ROOT / folder).rglob("*.py")


def test_the_program_imports_what_it_declares() -> None:
    undeclared = {}
    for path in program():
        name = str(path.relative_to(ROOT))
        allowed = {*BASE, *EXTRAS.get(WITH_EXTRA.get(name, ""), {})}
        for module in imported(path):
            if not providers().get(module, {module}) & allowed:
                undeclared[name] = module
    assert undeclared == {}


def test_the_tests_import_what_developers_get() -> None:
    given = {"pip", *BASE, *FUZZ}  # pip comes with the venv
    allowed = given.union(*EXTRAS.values())
    undeclared = {}
    for path in (ROOT / "tests").rglob("*.py"):
        for module in imported(path):
            if not providers().get(module, {module}) & allowed:
                undeclared[str(path.relative_to(ROOT))] = module
    assert undeclared == {}


@pytest.mark.parametrize("name", INSIDES)
def test_a_library_whose_insides_are_used_has_an_upper_bound(name: str) -> None:
    assert re.search(r"<|==", BASE[name])


def test_every_declared_package_is_locked() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", lock, re.MULTILINE)
    assert BASE.keys() <= set(map(normal, pinned))


def test_the_changelog_has_a_dated_section_for_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.findall(r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)[0]
    assert newest == PROJECT["version"]
