"""Search: the Engine interface, its engines, the query language and highlights."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import cast

from app.search.engine import Engine
from app.settings import Settings

_ENGINES = {
    "whoosh": ("app.search.whoosh.engine", "WhooshEngine"),
    "tantivy": ("app.search.tantivy.engine", "TantivyEngine"),
}
"""The module and class of each engine; the library of another one is not loaded."""


def open_engine(settings: Settings) -> Engine:
    """The engine that the settings name; its index may not exist yet."""
    module, name = _ENGINES[settings.search_engine]
    folder: Path = settings.index_dir
    return cast("Engine", getattr(import_module(module), name)(folder))
