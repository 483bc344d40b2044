"""Search: one small Engine interface and its engines; this is the face of the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.search.whoosh_engine import WhooshEngine

if TYPE_CHECKING:
    from app.search.base import Engine
    from app.settings import Settings


def open_engine(settings: Settings) -> Engine:
    """The engine that the settings name; its index may not exist yet."""
    return WhooshEngine(settings.index_dir)
