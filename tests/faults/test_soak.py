"""A short soak; `make soak` is the long one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.faults import soak, victims

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", victims.VICTIMS)
def test_a_command_killed_at_random_moments_loses_nothing(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(victims, "ARTICLES", 300)
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    soak.soak(tmp_path, name, kills=2, chance=random.Random(f"{seed} {name}"))
