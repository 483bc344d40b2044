"""Extraction: the people, organizations and places of articles, found and named.

In: an article's fields as a `Text`. Out: its `Mention`s, or a `Failure` with the reason. A finder,
spaCy's model or rules, marks spans that may be names; `pipeline` resolves them to mentions. In an
article in another language than English only names of the authority file are found. Nothing here
knows the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from app.errors import ExtractorMissing
from app.extract import pipeline, rules, spacy_model
from app.extract.base import Extractor, Failure, Mention, Text
from app.extract.document import Reading, reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

Choice = Literal["auto", "spacy", "rules", "none"]

_TOGETHER = 32  # articles that are read at once, so that the model's batches are full


class Finder(Protocol):
    """Marks the spans of a text that may be names."""

    name: str

    def find(self, readings: Sequence[Reading]) -> None:
        """Add spans to each reading."""
        ...


class Resolving:
    """An extractor: a finder, and the steps that resolve its spans to mentions."""

    def __init__(self, finder: Finder, *, without: Collection[str] = ()) -> None:
        self._finder = finder
        self._without = without
        self.version = f"{finder.name} {pipeline.RULES}"

    def extract(self, texts: Sequence[Text]) -> Iterator[list[Mention] | Failure]:
        """The mentions of each text, in the order of fields and offsets; never raises for one."""
        for start in range(0, len(texts), _TOGETHER):
            yield from self._extract(texts[start : start + _TOGETHER])

    def _extract(self, texts: Sequence[Text]) -> list[list[Mention] | Failure]:
        try:
            return [*self._mentions(texts)]
        except Exception as error:  # a model may raise anything; the other articles go on
            if len(texts) == 1:
                return [Failure(f"{type(error).__name__}: {error}")]
        return [found for text in texts for found in self._extract([text])]

    def _mentions(self, texts: Sequence[Text]) -> list[list[Mention]]:
        readings = [reading(text) for text in texts]
        english = [each for each, text in zip(readings, texts, strict=True) if _is_english(text)]
        for each in english:
            pipeline.prepare(each, without=self._without)
        self._finder.find(english)
        return [
            pipeline.resolve(each, without=self._without)
            if _is_english(text)
            else pipeline.known(each)
            for each, text in zip(readings, texts, strict=True)
        ]


def _is_english(text: Text) -> bool:
    """Whether a text is in English, the only language of finders and steps, or unknown."""
    return text.language in {None, "en"}


class NoExtractor:
    """Finds nothing."""

    version = "none"

    def extract(self, texts: Sequence[Text]) -> Iterator[list[Mention] | Failure]:
        """An empty list for each text."""
        return iter([[] for _ in texts])


def open_extractor(choice: Choice, model: Path | None = None) -> Extractor:
    """The extractor of a name; `auto` is spaCy if it and its model are installed, else rules.

    `model` is the folder of a spaCy model to use in place of the packaged one. Takes seconds
    for spaCy. Raises ExtractorMissing when `spacy`, or the given model, cannot be loaded.
    """
    if choice == "none":
        return NoExtractor()
    if choice == "rules":
        return Resolving(rules.RulesFinder())
    try:
        return Resolving(spacy_model.open_model(model))
    except ExtractorMissing:
        if choice == "spacy" or model is not None:
            raise
        return Resolving(rules.RulesFinder())
