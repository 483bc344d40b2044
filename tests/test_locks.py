"""The lock files: one version of each package in all, so that any of them go together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXTRAS = ("entities", "otel", "dev")


def locked(name: str) -> dict[str, str]:
    """Package -> its version and hashes."""
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.findall(r"^([\w.-]+)==(.+?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    return {name: re.sub(r"^ +#.*\n?", "", rest, flags=re.MULTILINE) for name, rest in entries}


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_locks_what_goes_without_it_and_more(extra: str) -> None:
    bare, more = locked("requirements.txt"), locked(f"requirements-{extra}.txt")
    assert bare.items() < more.items()
    assert more.items() <= locked("requirements-dev.txt").items()


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_package_is_pinned_by_hash_and_from_anywhere(extra: str) -> None:
    name = f"requirements-{extra}.txt"
    assert all("--hash=sha256:" in each for each in locked(name).values())
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")
