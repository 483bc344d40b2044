"""A short soak; `make soak` is the long one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.faults import soak, victims

if TYPE_CHECKING:
    import random
    from pathlib import Path

pytestmark = pytest.mark.long
KILLS = int(os.environ.get("KILLS", "2"))


@pytest.mark.parametrize("name", victims.VICTIMS)
def test_a_command_killed_at_random_moments_loses_nothing(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, chance: random.Random
) -> None:
    monkeypatch.setattr(victims, "ARTICLES", 300)
    soak.soak(tmp_path, name, kills=KILLS, chance=chance)
