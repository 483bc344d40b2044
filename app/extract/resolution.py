"""From spans to mentions: the steps in their order, and what comes of them.

Each step is a function that changes a Reading. They can be left out one by one, which is how
their gain is measured. The last part is no step: spans get the entry of the authority file
and become Mentions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.extract import (
    acronyms,
    authority,
    casing,
    context,
    gazetteer,
    heads,
    names,
    people,
    spans,
    teams,
    titles,
)
from app.extract.base import Mention

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from app.extract.authority import Entry
    from app.extract.passages import Reading, Span

RULES = 2
"""Raise with every change of what the steps, the lexicon or the authority file yield."""

Step = tuple[str, "Callable[[Reading], None]"]

BEFORE: tuple[Step, ...] = (("casing", casing.mend),)
"""What is done to the text before names are looked for."""
STEPS: tuple[Step, ...] = (
    ("clean", spans.clean),
    ("titles", titles.titles),
    ("no_entities", spans.no_entities),
    ("organizations", heads.organizations),
    ("known_names", gazetteer.known_names),
    ("abbreviated_states", gazetteer.abbreviated_states),
    ("datelines", gazetteer.datelines),
    ("context", context.types),
    ("acronyms", acronyms.acronyms),
    ("teams", teams.teams),
    ("surnames_or_places", people.surnames_or_places),
    ("given_names", people.given_names),
    ("full_names", people.full_names),
    ("propagate", names.propagate),
    ("surnames", people.surnames),
    ("short_organizations", names.short_organizations),
)
"""What is done to the spans, in this order."""


def prepare(reading: Reading, *, without: Collection[str] = ()) -> None:
    """Take the steps that come before names are looked for."""
    for name, step in BEFORE:
        if name not in without:
            step(reading)


def resolve(reading: Reading, *, without: Collection[str] = ()) -> list[Mention]:
    """The mentions of an article; `without` names steps that are left out."""
    for name, step in STEPS:
        if name not in without:
            step(reading)
    mentions: list[Mention] = []
    meanings = gazetteer.Meanings(reading)
    end = (0, 0)
    for span in sorted(reading.spans, key=lambda each: (each.passage, each.start, -each.end)):
        if span.start >= span.end or (span.passage, span.start) < end:
            continue
        end = (span.passage, span.end)
        mentions.append(_mention(reading, span, meanings))
    return mentions


def _mention(reading: Reading, span: Span, meanings: gazetteer.Meanings) -> Mention:
    passage = reading.passages[span.passage]
    entry = _entry(reading, span, meanings)
    return Mention(
        type=span.type,
        name=entry.name if entry else reading.name(span),
        known=entry.key if entry else None,
        surface=passage.text[span.start : span.end],
        field=passage.field,
        index=passage.index,
        start=span.start,
        end=span.end,
    )


def _entry(reading: Reading, span: Span, meanings: gazetteer.Meanings) -> Entry | None:
    if span.entry is not None or span.type == "person":
        return span.entry
    name = reading.name(span)
    found = authority.lookup(name, span.type)
    if not found and span.type == "organization":
        found = authority.lookup(names.without_designators(name), span.type)
    return meanings.choose(span, found) if found else None
