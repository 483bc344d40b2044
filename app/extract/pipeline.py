"""The pipeline: the steps in their order, from spans to mentions.

Each step is a function that changes a Reading. Steps can be left out one by one, to measure their
gain. After them, spans get their entries of the authority file and become Mentions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.extract import authority
from app.extract.base import Mention
from app.extract.steps import (
    acronyms,
    context_rules,
    gazetteer,
    head_nouns,
    people,
    propagation,
    spans,
    teams,
    titles,
    truecase,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from app.extract.authority import Entry
    from app.extract.base import Type
    from app.extract.document import Reading, Span

RULES = 6
"""Raise with every change of what the steps, the lexicon or the authority file yield."""

_INITIALS = re.compile(r"\b([A-Z]\.) (?=[A-Z]\.)")

Step = tuple[str, "Callable[[Reading], None]"]

BEFORE: tuple[Step, ...] = (
    ("bylines", spans.bylines),
    ("slugs", spans.slugs),
    ("casing", truecase.mend),
)
"""Steps on the text, before the finder runs."""
STEPS: tuple[Step, ...] = (
    ("clean", spans.clean),
    ("particles", people.particles),
    ("titles", titles.titles),
    ("no_entities", spans.no_entities),
    ("organizations", head_nouns.organizations),
    ("known_names", gazetteer.known_names),
    ("abbreviated_states", gazetteer.abbreviated_states),
    ("datelines", gazetteer.datelines),
    ("context", context_rules.types),
    ("acronyms", acronyms.acronyms),
    ("teams", teams.teams),
    ("surnames_or_places", people.surnames_or_places),
    ("given_names", people.given_names),
    ("full_names", people.full_names),
    ("propagate", propagation.propagate),
    ("surnames", people.surnames),
    ("short_organizations", propagation.short_organizations),
)
"""Steps on the spans, in this order."""


def prepare(reading: Reading, *, without: Collection[str] = ()) -> None:
    """Run the steps before the finder; `without` names steps that are left out."""
    for name, step in BEFORE:
        if name not in without:
            step(reading)


def resolve(reading: Reading, *, without: Collection[str] = ()) -> list[Mention]:
    """The mentions of an article; `without` names steps that are left out."""
    for name, step in STEPS:
        if name not in without:
            step(reading)
    return _mentions(reading)


def known(reading: Reading) -> list[Mention]:
    """The mentions of an article in another language: places and organizations of the file.

    Names that are words, names of people or several entities are left out.
    """
    gazetteer.sure_names(reading)
    gazetteer.datelines(reading)
    return _mentions(reading)


def _mentions(reading: Reading) -> list[Mention]:
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
        name=entry.name if entry else _spelt(reading.name(span), span.type),
        known=entry.key if entry else None,
        surface=passage.text[span.start : span.end],
        field=passage.field,
        index=passage.index,
        start=span.start,
        end=span.end,
    )


def _spelt(name: str, type_: Type) -> str:
    """The name without spaces between a person's initials, since ids depend on names."""
    return _INITIALS.sub(r"\1", name) if type_ == "person" else name


def _entry(reading: Reading, span: Span, meanings: gazetteer.Meanings) -> Entry | None:
    if span.entry is not None or span.type == "person":
        return span.entry
    name = reading.name(span)
    found = authority.lookup(name, span.type)
    if not found and span.type == "organization":
        found = authority.lookup(propagation.without_designators(name), span.type)
    return meanings.choose(span, found) if found else None
