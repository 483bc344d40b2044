"""The lock files: complete, pinned by hash, and one version of each package in all."""

from __future__ import annotations

import pytest

from tests.setup import locks

EXTRAS = ("entities", "otel", "dev")
OF_THE_PROJECT = ["requirements.txt", *(f"requirements-{extra}.txt" for extra in EXTRAS)]


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_locks_what_goes_without_it_and_more(extra: str) -> None:
    bare, more = (set(locks.entries(f"requirements{each}.txt")) for each in ("", f"-{extra}"))
    assert bare < more
    assert more <= set(locks.entries("requirements-dev.txt"))


def test_the_build_lock_has_the_setuptools_of_developers() -> None:
    (build,) = locks.entries("requirements-build.txt")
    assert build[0] == "setuptools"
    assert build in locks.entries("requirements-dev.txt")


@pytest.mark.parametrize("lock", locks.locks())
def test_every_package_is_pinned_by_hash_and_from_anywhere(lock: str) -> None:
    assert all(entry.hashes for _name, _marker, entry in locks.entries(lock))
    assert "://" not in (locks.ROOT / lock).read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", OF_THE_PROJECT)
def test_a_lock_has_all_that_its_packages_need(lock: str) -> None:
    assert locks.missing(lock, locks.wanted(lock)) == []


def test_the_lock_of_the_audit_has_the_extra_that_pip_audit_needs() -> None:
    extras = {
        name: entry.extras for name, _marker, entry in locks.entries("requirements-audit.txt")
    }
    assert extras["cachecontrol"] == {"filecache"}


def test_what_a_lock_lacks_is_told() -> None:
    needs = ["fastapi==0.1", "spacy", "uvicorn[no-such]"]
    (fastapi,) = (e for n, _m, e in locks.entries("requirements.txt") if n == "fastapi")
    assert locks.missing("requirements.txt", needs) == [
        f"requirements.txt needs fastapi==0.1: {fastapi.version} is locked",
        "requirements.txt needs spacy: not locked",
        "requirements.txt needs uvicorn[no-such]: locked without the extra",
    ]
