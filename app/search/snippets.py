"""Highlights: the passages of an article that show why a query found it, with marks.

Chooses the fields to show and writes their passages as escaped HTML with nothing but
`<mark>` in it; the offsets cut the same passage out of the field. What is marked is for
`marking` to say, where a text is cut for `passages`. Every highlight holds a mark: where no
word matched, as in a search by place alone, there is none.

    >>> from app.search.query import Word
    >>> marker = compile(Word(text="fills", token="fill"))
    >>> marker.highlights("Rain fills <all>", [], None, "")[0].text
    'Rain <mark>fills</mark> &lt;all&gt;'
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from app.search import marking, passages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.search.marking import Mark, Wanted
    from app.search.query import Query

WHOLE = 300
"""A headline, bullet or caption of at most so many characters is shown whole."""
MOST_BULLETS = 2
MOST_PASSAGES = 2

LOOKED_AT = 100_000
"""Characters of a field that are looked at, cut at a space."""
_MOST_BULLETS_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Highlight:
    """A passage of a field: `text` is escaped HTML with marks.

    `start` and `end` cut the same passage out of the field, in characters. `index` is the
    number of the summary's bullet, from 0; None in another field.
    """

    field: str
    index: int | None
    text: str
    start: int
    end: int


class _Passage(NamedTuple):
    highlight: Highlight
    clauses: frozenset[int]
    marks: int


def compile(query: Query | None) -> Marker:  # noqa: A001 as re.compile: once for many texts
    """What marks the words of `query`; make it once for a search."""
    return Marker(marking.wanted(query))


class Marker:
    """Marks the words of one query in articles; it remembers the words it has seen.

    Not for two threads at once.
    """

    def __init__(self, wanted: dict[str, Wanted]) -> None:
        self._wanted = wanted

    def highlights(
        self, headline: str, summary: Sequence[str], caption: str | None, body: str
    ) -> list[Highlight]:
        """The passages that match, in the order headline, summary, caption, body.

        The headline, at most 2 bullets and at most 2 passages of the body: those with the
        most different clauses, then with the most marks. The caption only if it matches a
        clause that nothing else here does. A headline, bullet or caption of up to 300
        characters is whole; of a longer one, and of the body, a passage has up to 200 and
        never goes over a blank line.
        """
        heads = self._passages("headline", None, headline, 1)
        bullets: list[_Passage] = []
        for index, bullet in enumerate(summary[:_MOST_BULLETS_LOOKED_AT]):
            bullets += self._passages("summary", index, bullet, 1)
        if len(bullets) > MOST_BULLETS:
            best = sorted(bullets, key=lambda found: (-len(found.clauses), -found.marks))
            bullets = [found for found in bullets if found in best[:MOST_BULLETS]]
        bodies = self._passages("body", None, body, MOST_PASSAGES)
        captions = self._passages("caption", None, caption or "", 1)
        shown = {clause for found in (*heads, *bullets, *bodies) for clause in found.clauses}
        if captions and captions[0].clauses <= shown:
            captions = []
        return [found.highlight for found in (*heads, *bullets, *captions, *bodies)]

    def _passages(self, field: str, index: int | None, text: str, most: int) -> list[_Passage]:
        """The best passages of a text, in their order in it."""
        if len(text) > LOOKED_AT:
            text = text[: max(text.rfind(" ", 0, LOOKED_AT), text.rfind("\n", 0, LOOKED_AT), 0)]
        marks = self._wanted[field].marks(text)
        if not marks:
            return []
        whole = field != "body" and len(text) <= WHOLE
        cuts = [(0, len(text))] if whole else passages.cut(text, marks, most)
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
        parts += [
            html.escape(text[start : mark.start]),
            "<mark>",
            html.escape(text[mark.start : mark.end]),
            "</mark>",
        ]
        start = mark.end
    parts.append(html.escape(text[start:end]))
    return "".join(parts)
