"""A name of a class or module means one thing."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

APP = Path(__file__).parent.parent / "app"
FILES = [path for path in sorted(APP.rglob("*.py")) if "migrations" not in path.parts]
ONE_NOUN = {
    *("articles", "changes", "entities", "keys", "reconcile", "removal", "search"),
    *("engine", "read", "dates", "suggest"),
    *("dictionary", "schema", "searcher", "snapshots"),
}
"""Modules of one noun in several packages: its store, its routes, its commands; an interface and
what implements it; what each package of a noun does; the same part of each engine."""


def test_no_class_has_the_name_of_two_others() -> None:
    """A row, what is read of it and its JSON may share a name, as Article does: two at most."""
    names = Counter(
        node.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert {name: count for name, count in names.items() if count > 2} == {}


def test_no_two_modules_share_a_name_with_two_meanings() -> None:
    names = Counter(path.parent.name if path.stem == "__init__" else path.stem for path in FILES)
    assert {name for name, count in names.items() if count > 1} - ONE_NOUN == set()
