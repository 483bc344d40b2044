"""Imports go one way: a contract a package holds it, circles through functions included."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LAYERS = [each for each in PROJECT["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
LATE = ("app.cli",)
"""Commands import what they do when they run: `--help` answers in a tenth of a second."""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    name_of(path): path
    for path in sorted((ROOT / "app").rglob("*.py"))
    if "migrations" not in path.parts
}


def imports(tree: ast.AST) -> Iterator[str]:
    """The modules of ours that a piece of code names in its imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in FILES)
        elif isinstance(node, ast.ImportFrom) and node.module in FILES:
            for each in node.names:
                inner = f"{node.module}.{each.name}"
                yield inner if inner in FILES else node.module


def test_every_package_has_an_exhaustive_contract_of_its_layers() -> None:
    packages = {
        name
        for name, path in FILES.items()
        if path.name == "__init__.py" and any(each.startswith(f"{name}.") for each in FILES)
    }
    assert {each for layer in LAYERS for each in layer["containers"]} == packages
    assert all(layer["exhaustive"] for layer in LAYERS)


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for name, path in FILES.items():
        graph[name].update(set(imports(ast.parse(path.read_text(encoding="utf-8")))) - {name})
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" <- ".join(error.args[1])) from None


def test_only_commands_import_inside_functions() -> None:
    late = {
        (name, inner)
        for name, path in FILES.items()
        if not name.startswith(LATE)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in imports(node)
    }
    assert late == set()
