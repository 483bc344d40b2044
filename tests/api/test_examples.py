"""The examples of the OpenAPI document are answers: see `tests.api.examples`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from app.api.openapi import _ID, EXAMPLES
from tests.api.examples import made, written

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def test_the_examples_are_what_is_answered(tmp_path: Path) -> None:
    """Where an answer has changed, `make goldens` writes them anew."""
    assert written(await made(tmp_path)).decode() == EXAMPLES.read_text(encoding="utf-8")


def test_problems_name_the_article_of_the_examples() -> None:
    assert orjson.loads(EXAMPLES.read_bytes())["article"]["id"] == _ID
