"""Fixtures that more than one module uses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

from app.search import open_engine
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.database import Database
    from app.search.base import Engine

# An example that takes long on a busy machine is no fault.
hypothesis.settings.register_profile("untimed", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("BROADSHEET_"):
            monkeypatch.delenv(name)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty store."""
    with factories.store(tmp_path) as opened:
        yield opened


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The engine beside the store of `database`; it has no index yet."""
    opened = open_engine(factories.settings(tmp_path))
    yield opened
    opened.close()
