"""The highlighter: the best passages of an article for a query, as HTML with marks.

Chooses the fields to show and writes their passages as escaped HTML whose only tag is
`<mark>`; the offsets cut the same passage out of the field. `matcher` finds the marks,
`fragmenter` cuts the passages. Every highlight has a mark: a search without words, such as one
by place alone, has no highlights.

    >>> from app.search.query.tree import Word
    >>> marker = Marker(Word(text="fills", token="fill"))
    >>> marker.highlights("Rain fills <all>", [], None, "")[0].text
    'Rain <mark>fills</mark> &lt;all&gt;'
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from app.search.highlight import fragmenter, matcher
from app.search.highlight.matcher import FieldMatcher, Mark
from app.search.query.tree import Query
from app.text.stems import LANGUAGES

WHOLE = 300
"""A headline, bullet or caption of up to this many characters is shown whole."""
MOST_BULLETS = 2
MOST_PASSAGES = 2

LOOKED_AT = 100_000
"""Characters of a field that are matched, cut at a space."""
_MOST_BULLETS_LOOKED_AT = 100


HighlightField = Literal["headline", "summary", "caption", "body"]


@dataclass(frozen=True, slots=True)
class Highlight:
    """A passage of a field with what matched marked."""

    field: HighlightField
    index: Annotated[int | None, Field(description="Which bullet of the summary, from 0.")]
    text: Annotated[str, Field(description="Escaped HTML with `<mark>`.")]
    start: Annotated[int, Field(description="Where it starts in the field, in characters.")]
    end: Annotated[int, Field(description="Where it ends in the field, in characters.")]


class _Passage(NamedTuple):
    highlight: Highlight
    clauses: frozenset[int]
    marks: int


class Marker:
    """Marks the words of one query in articles; caches the words it has seen.

    Make it once a search. Not thread-safe.
    """

    def __init__(self, query: Query | None) -> None:
        self._query = query
        self._by_language: dict[str | None, dict[str, FieldMatcher]] = {}
        self._matchers: dict[str, FieldMatcher] = {}

    def highlights(
        self,
        headline: str,
        summary: Sequence[str],
        caption: str | None,
        body: str,
        *,
        language: str | None = None,
    ) -> list[Highlight]:
        """The passages that match, in the order headline, summary, caption, body.

        At most the headline, 2 bullets and 2 passages of the body: those with the most distinct
        clauses, then the most marks. The caption only if it matches a clause that no other
        passage does. A headline, bullet or caption of up to 300 characters is whole. Passages of
        longer ones and of the body have up to 200 and never cross a blank line.
        """
        self._matchers = self._in(language)
        headlines = self._passages("headline", None, headline, 1)
        bullets: list[_Passage] = []
        for index, bullet in enumerate(summary[:_MOST_BULLETS_LOOKED_AT]):
            bullets += self._passages("summary", index, bullet, 1)
        if len(bullets) > MOST_BULLETS:
            best = sorted(bullets, key=lambda found: (-len(found.clauses), -found.marks))
            bullets = [found for found in bullets if found in best[:MOST_BULLETS]]
        bodies = self._passages("body", None, body, MOST_PASSAGES)
        captions = self._passages("caption", None, caption or "", 1)
        shown = {clause for found in (*headlines, *bullets, *bodies) for clause in found.clauses}
        if captions and captions[0].clauses <= shown:
            captions = []
        return [found.highlight for found in (*headlines, *bullets, *captions, *bodies)]

    def _in(self, language: str | None) -> dict[str, FieldMatcher]:
        language = language if language in LANGUAGES else None
        if language not in self._by_language:
            self._by_language[language] = matcher.field_matchers(self._query, language)
        return self._by_language[language]

    def _passages(
        self, field: HighlightField, index: int | None, text: str, most: int
    ) -> list[_Passage]:
        """The best passages of a text, in text order."""
        if len(text) > LOOKED_AT:
            text = text[: max(text.rfind(" ", 0, LOOKED_AT), text.rfind("\n", 0, LOOKED_AT), 0)]
        marks = self._matchers[field].marks(text)
        if not marks:
            return []
        whole = field != "body" and len(text) <= WHOLE
        cuts = [(0, len(text))] if whole else fragmenter.cut(text, marks, most)
        found = []
        for start, end in cuts:
            inside = [mark for mark in marks if start <= mark.start and mark.end <= end]
            highlight = Highlight(field, index, _marked(text, inside, start, end), start, end)
            clauses = frozenset[int]().union(*(mark.clauses for mark in inside))
            found.append(_Passage(highlight, clauses, len(inside)))
        return found


def _marked(text: str, marks: Iterable[Mark], start: int, end: int) -> str:
    parts = []
    for mark in marks:
        before, marked = text[start : mark.start], text[mark.start : mark.end]
        parts.append(f"{html.escape(before)}<mark>{html.escape(marked)}</mark>")
        start = mark.end
    return "".join(parts) + html.escape(text[start:end])
