"""What no article has is told, or rejects it, whatever the reader."""

from __future__ import annotations

import doctest
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.ingest import Draft, Options, Reject, bounds, records
from tests import factories
from tests.ingest.page_text.pages import FULL, page
from tests.ingest.page_text.pages import read as read_page

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
FAR = "3024-01-01"


def read(**fields: Any) -> Draft | Reject:
    line = json.dumps({"headline": "Rain", "body": "It rained.", **fields}).encode()
    (found,) = records.JsonLines("a.jsonl", Options()).feed(line + b"\n")
    return found


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "is before 1450"),
        (datetime(1449, 12, 31, 23, 59, tzinfo=UTC), "is before 1450"),
        (datetime(1450, 1, 1, tzinfo=UTC), None),
        (NOW, None),
        (NOW + timedelta(days=2), None),
        (NOW + timedelta(days=2, seconds=1), "is over 2 days ahead"),
        (datetime(9999, 12, 31, tzinfo=UTC), "is over 2 days ahead"),
    ],
)
def test_a_date_may_be_from_the_first_press_to_two_days_ahead(
    at: datetime, reason: str | None
) -> None:
    assert bounds.implausible(at, now=NOW) == reason


@pytest.mark.parametrize("printed", ["0001-01-01T00:00:00Z", "1449-12-31", FAR])
def test_a_line_with_an_implausible_date_keeps_it_in_a_warning(printed: str) -> None:
    found = read(published_at=printed)
    assert isinstance(found, Draft)
    assert (found.published_at, found.published_precision) == (None, None)
    (told,) = found.warnings
    assert told.startswith(f'published_at: "{printed}" is ')
    assert told.endswith(": left out")


def test_an_implausible_update_is_left_out_with_a_warning() -> None:
    found = read(updated_at="0900-01-01T00:00:00Z")
    assert isinstance(found, Draft)
    assert found.updated_at is None
    assert found.warnings == ('updated_at: "0900-01-01T00:00:00Z" is before 1450: left out',)


def test_a_page_with_an_implausible_date_keeps_it_in_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (plain,) = read_page(page(FULL))
    assert isinstance(plain, Draft)
    assert plain.published_at is not None
    assert plain.warnings == ()
    monkeypatch.setattr(bounds, "FIRST_YEAR", plain.published_at.year + 1)
    (found,) = read_page(page(FULL))
    assert isinstance(found, Draft)
    assert (found.published_at, found.published_precision) == (None, None)
    (told,) = found.warnings
    assert told.startswith('published_at: "')
    assert told.endswith(f"is before {plain.published_at.year + 1}: left out")


LONG: dict[str, tuple[int, Callable[[int], Any]]] = {
    "headline": (bounds.HEADLINE_CHARS, lambda n: "h" * n),
    "url": (bounds.URL_CHARS, lambda n: "https://example.org/".ljust(n, "x")),
    "guid": (bounds.URL_CHARS, lambda n: "g" * n),
    "source": (bounds.TEXT_CHARS, lambda n: "s" * n),
    "byline": (bounds.TEXT_CHARS, lambda n: "s" * n),
    "caption": (bounds.TEXT_CHARS, lambda n: "s" * n),
    "summary": (bounds.LIST_TEXTS, lambda n: [f"s{k}" for k in range(n)]),
    "places": (bounds.LIST_TEXTS, lambda n: [f"s{k}" for k in range(n)]),
    "warnings": (bounds.LIST_TEXTS, lambda n: [f"s{k}" for k in range(n)]),
}


@pytest.mark.parametrize("name", LONG)
def test_a_field_of_the_limit_is_read_and_of_a_longer_one_the_article_is_kept(name: str) -> None:
    most, made = LONG[name]
    at_limit = read(**{name: made(most)})
    assert isinstance(at_limit, Draft)
    assert at_limit.warnings == (tuple(made(most)) if name == "warnings" else ())
    found = read(**{name: made(most + 1)})
    if name == "headline":
        assert found == Reject("a.jsonl", 1, "headline: 1,001 characters, more than 1,000")
        return
    assert isinstance(found, Draft)
    if name != "warnings":
        (told,) = found.warnings
        assert told.startswith(f"{name}: {most + 1:,} ")
    assert len(getattr(found, name) or ()) <= most


def test_one_long_text_of_a_list_is_left_out() -> None:
    found = read(summary=["short", "s" * (bounds.TEXT_CHARS + 1)])
    assert isinstance(found, Draft)
    assert found.summary == ("short",)
    assert found.warnings == ("summary: a text of more than 10,000 characters left out",)


def test_every_field_but_the_body_is_bounded() -> None:
    draft = factories.draft(body="word " * 1_000_000)
    assert bounds.excess(draft) is None
    for name in ("caption", "credit", "byline", "dateline", "source", "section"):
        longer: dict[str, Any] = {name: "s" * 10_001}
        assert bounds.excess(replace(draft, **longer)) is not None


def test_a_page_with_a_long_headline_is_rejected() -> None:
    (found,) = read_page(page(replace(FULL, headline="Rain " * 300)))
    assert isinstance(found, Reject)
    assert found.reason.startswith("headline: ")


def test_the_example_in_the_docstring_runs() -> None:
    assert doctest.testmod(bounds).failed == 0
