"""What the tests of highlights ask: queries made of typed words, and what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import text
from app.search.highlight import highlighter
from app.search.query import parse
from app.search.query.tree import Fuzzy, Phrase, Query, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.search.highlight.highlighter import Highlight


def word(typed: str) -> Word:
    return Word(text=typed, token=text.terms(typed)[0])


def phrase(typed: str, slop: int = 0) -> Phrase:
    return Phrase(text=typed, tokens=tuple(text.terms(typed)), slop=slop)


def quoted(typed: str) -> Query:
    return parse(f'"{typed}"')


def fuzzy(form: str, distance: int = 1) -> Fuzzy:
    return Fuzzy(form=form, distance=2 if distance == 2 else 1)


def found(
    query: Query | None,
    headline: str = "",
    summary: Sequence[str] = (),
    caption: str | None = None,
    body: str = "",
) -> list[Highlight]:
    return highlighter.Marker(query).highlights(headline, summary, caption, body)


def in_headline(query: Query, headline: str) -> str | None:
    highlights = found(query, headline)
    return highlights[0].text if highlights else None


def in_body(query: Query, body: str) -> list[str]:
    return [highlight.text for highlight in found(query, body=body)]
