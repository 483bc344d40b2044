"""Pages of many layouts: a floor, which rises freely and falls only in a commit that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.ingest.page_text import layouts

if TYPE_CHECKING:
    import pytest

ALL, UNSEEN = 93.0, 88.0


def test_pages_of_other_sites_are_read_as_a_reader_would(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shares = layouts.shares()
    with capsys.disabled():
        print(", ".join(f"{name} {right} of {total}" for name, (right, total) in shares.items()))
    floors = {"all": ALL, "unseen": UNSEEN}
    percent = {name: 100 * right / total for name, (right, total) in shares.items()}
    assert all(percent[name] >= floor for name, floor in floors.items()), percent


def test_the_set_is_broad_and_half_of_it_was_unseen() -> None:
    unseen = [page for page in layouts.PAGES if page.get("unseen")]
    assert len(layouts.PAGES) >= 60
    assert 30 <= len(unseen) <= len(layouts.PAGES) // 2
    assert len({page["name"] for page in layouts.PAGES}) == len(layouts.PAGES)
