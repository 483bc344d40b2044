from __future__ import annotations

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import pytest

from app import identity

OLD = datetime(2024, 1, 1, tzinfo=UTC)
NEW = datetime(2024, 1, 2, tzinfo=UTC)


def _id(**more: str | None) -> object:
    story = {"url": None, "source": "S", "headline": "Rain", "body": "It rained in the north."}
    return identity.article_id(**{**story, **more})  # type: ignore[arg-type]


def test_an_article_with_a_url_is_its_url() -> None:
    url = "https://example.org/a"
    assert _id(url=url) == _id(url=url, headline="Other") == uuid5(NAMESPACE_URL, url)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://Example.ORG/a", "https://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:80/", "http://example.org/"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("https://example.org/a?utm_source=x&id=7#top", "https://example.org/a?id=7"),
        ("https://example.org/x?to=:443/", "https://example.org/x?to=%3A443%2F"),
        ("https://example.org/a?tag=1&tag=2", "https://example.org/a?tag=1&tag=2"),
    ],
)
def test_urls_of_one_page_are_one(url: str, canonical: str) -> None:
    assert identity.canonical_url(url) == canonical


def test_case_accents_and_spacing_make_no_other_article() -> None:
    assert _id() == _id(headline="  RAIN ", body="it rained  in the NORTH.", source="s")


def test_a_revision_that_keeps_its_lead_keeps_its_id() -> None:
    lead = "One two three four five six seven eight"
    assert _id(body=f"{lead} nine.") == _id(body=f"{lead} ten.\n\nMore.")


@pytest.mark.parametrize("other", [{"body": "It snowed."}, {"headline": "Snow"}, {"source": "T"}])
def test_another_story_of_the_same_headline_stays_another(other: dict[str, str]) -> None:
    assert _id() != _id(**other)


@pytest.mark.parametrize(
    ("new", "old", "same_input", "wins"),
    [
        ((NEW, 1), (OLD, 9), False, True),
        ((OLD, 9), (NEW, 1), True, False),
        ((OLD, 1), (None, 9), False, True),
        ((None, 9), (OLD, 1), True, False),
        ((OLD, 9), (OLD, 1), False, True),
        ((OLD, 1), (OLD, 9), False, False),
        ((OLD, 1), (OLD, 9), True, True),
        ((None, 9), (None, 1), False, True),
        ((None, 1), (None, 9), False, False),
    ],
)
def test_which_version_is_kept(
    new: tuple[datetime | None, int],
    old: tuple[datetime | None, int],
    same_input: bool,
    wins: bool,
) -> None:
    assert identity.supersedes(new, old, same_input=same_input) is wins
