from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

import pytest

from app.articles import identity


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
        ("https://example.org/a?CMP=share_btn&id=7", "https://example.org/a?id=7"),
        ("https://example.org/a?UTM_SOURCE=rss&at_medium=RSS", "https://example.org/a"),
        ("https://example.org/a?smid=tw&xtor=RSS-1&wt_mc=x", "https://example.org/a"),
        ("https://example.org/a?gad_source=1&ref=front", "https://example.org/a"),
        ("https://example.org/a?ref=4711", "https://example.org/a?ref=4711"),
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
    "url",
    [
        "http://example.org/dam",
        "https://www.example.org/dam/",
        "https://example.org/amp/dam",
        "https://amp.example.org/dam",
        "https://example.org/dam/amp",
        "https://example.org/dam.amp",
        "https://example.org/dam?amp=1",
    ],
)
def test_addresses_of_one_page_are_one(url: str) -> None:
    assert identity.address(identity.canonical_url(url)) == ("example.org", "/dam")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "https://www.example.org",
        "https://example.org/?utm_source=x",
        "https://example.org/#top",
    ],
)
def test_a_front_page_identifies_nothing(url: str) -> None:
    assert identity.address(identity.canonical_url(url)) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/a", "https://example.org/a.html"),
        ("https://example.org/?id=1", "https://example.org/?id=2"),
        ("https://example.org/camp", "https://example.org/c"),
        ("https://news.example.org/a", "https://example.org/a"),
    ],
)
def test_other_pages_stay_others(one: str, other: str) -> None:
    places = {identity.address(identity.canonical_url(url)) for url in (one, other)}
    assert len(places) == 2


@pytest.mark.parametrize(
    ("body", "is_teaser"),
    [
        ("", True),
        ("The board chose …", True),
        ("The board chose...", True),
        ("The board chose [+912 chars]", True),
        ("The board chose.", False),
        ("word " * 100 + "…", False),
    ],
)
def test_what_a_teaser_is(body: str, is_teaser: bool) -> None:
    assert identity.is_teaser(body) is is_teaser
