"""A short game; `make check-long STEPS=2000` plays the whole of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.outside.play import Game

if TYPE_CHECKING:
    import random
    from pathlib import Path

pytestmark = pytest.mark.long
STEPS = int(os.environ.get("STEPS", "60"))


def test_whatever_is_done_and_killed_what_is_served_is_allowed(
    tmp_path: Path, chance: random.Random
) -> None:
    Game(tmp_path, chance).play(STEPS)
