from __future__ import annotations

import doctest
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import QueryError, SynonymsUnusable
from app.search import synonyms
from app.search.query import parse
from app.search.query.rewrite import auto
from app.search.query.tree import Or, Phrase, Query, Spelt, Word, walk
from app.search.synonyms import Synonyms

if TYPE_CHECKING:
    from pathlib import Path

OURS = synonyms.load(None)
RULES = """
lift, elevator
EU, European Union
NHS => National Health Service  # one way
organise, organize
"""
MINE = Synonyms(synonyms.read(RULES, "mine.txt"))


def tokens(tree: Query) -> list[tuple[str, ...]]:
    """The tokens of each leaf, in the order of the tree."""
    found: list[tuple[str, ...]] = []
    for node in walk(tree):
        if isinstance(node, Word):
            found.append((node.token,))
        elif isinstance(node, Spelt | Phrase):
            found.append(node.tokens)
    return found


@pytest.mark.parametrize(
    ("source", "leaves"),
    [
        ("lift", [("lift", "elev")]),
        ("LIFTS", [("lift", "elev")]),
        ("-lift", [("lift", "elev")]),
        ("headline:lift", [("lift", "elev")]),
        ("lift^2", [("lift", "elev")]),
        ("lift OR snow", [("lift", "elev"), ("snow",)]),
        ('"lift"', [("lift",)]),
        ('"lift shaft"', [("lift", "shaft")]),
        ("lift*", []),
        ("EU", [("eu",), ("european", "union")]),
        ("European Union", [("european",), ("union",), ("eu",)]),
        ("the European Union law", [("the",), ("european",), ("union",), ("eu",), ("law",)]),
        ("European -Union", [("european",), ("union",)]),
        ('European "Union"', [("european",), ("union",)]),
        ("NHS", [("nhs",), ("nation", "health", "servic")]),
        ("National Health Service", [("nation",), ("health",), ("servic",)]),
        ("organisation", [("organis", "organiz")]),
        ("organizations", [("organiz", "organis")]),
        ("organ", [("organ",)]),
    ],
)
def test_what_words_stand_for(source: str, leaves: list[tuple[str, ...]]) -> None:
    assert tokens(MINE.widened(parse(source))) == leaves


@pytest.mark.parametrize(
    ("source", "leaves"),
    [
        ("colour", [("colour", "color")]),
        ("Neighboring", [("neighbor", "neighbour")]),
        ("healthcare", [("healthcar",), ("health", "care")]),
        ("health-care", [("health", "care"), ("healthcar",)]),
        ("health care", [("health",), ("care",), ("healthcar",)]),
        ("email", [("email",), ("e", "mail")]),
        ("e-mail", [("e", "mail"), ("email",)]),
        ("re-zoning", [("re", "zone"), ("rezon",)]),
        ("nationalise", [("nationalis",)]),
        ("nationalize", [("nation", "nationalis")]),
        ("the rapist", [("the",), ("rapist",)]),
        ("national", [("nation",)]),
    ],
)
def test_spellings_that_come_along(source: str, leaves: list[tuple[str, ...]]) -> None:
    assert tokens(OURS.widened(parse(source))) == leaves


@pytest.mark.parametrize(
    ("source", "leaves"),
    [
        ('"J. R. R. Tolkien"', [("j", "r", "r", "tolkien"), ("jrr", "tolkien")]),
        ('"J.R.R. Tolkien"', [("jrr", "tolkien"), ("j", "r", "r", "tolkien")]),
        ('"the U.S. army"', [("the", "u.s.", "army")]),
        ("organise w/3 lift", [("organis", "organiz"), ("lift", "elev")]),
    ],
)
def test_initials_and_words_near_others_are_widened(
    source: str, leaves: list[tuple[str, ...]]
) -> None:
    assert tokens(MINE.widened(parse(source))) == leaves


def test_a_rule_holds_for_what_is_left_of_its_term_without_function_words() -> None:
    rules = Synonyms(synonyms.read("ECHR, European Court of Human Rights", "mine.txt"))
    tree = auto(parse(source := "European Court of Human Rights"), source, ()).strict
    assert ("echr",) in tokens(rules.widened(tree))


def test_in_a_question_of_any_words_runs_stand_beside_them() -> None:
    tree = OURS.widened(parse("health care reform", match="any"))
    assert tokens(tree) == [("health",), ("care",), ("reform",), ("healthcar",)]
    assert isinstance(tree, Or)
    assert not any(isinstance(clause, Or) for clause in tree.clauses)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("lift, elevator\nlift", 2, "has one term"),
        ("lift", 1, "has one term"),
        ("# fine\n\nlift => a => b", 3, "more than one =>"),
        ("lift, ", 1, "without a letter or digit: ''"),
        ("=> lift", 1, "without a letter or digit"),
        ("lift, a b c d e f", 1, "more than 5 words"),
        (",".join(f"a{n}" for n in range(21)), 1, "more than 20 terms"),
        ("a, b\n" * (synonyms.MOST_RULES + 1), synonyms.MOST_RULES + 1, "more than 10,000 rules"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(SynonymsUnusable) as caught:
        synonyms.load(path)
    assert (caught.value.path, caught.value.line) == (str(path), line)
    assert f"line {line} of {path} " in str(caught.value)
    assert reason in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    with pytest.raises(SynonymsUnusable, match=r"mine\.txt No such file"):
        synonyms.load(path)
    path.write_bytes(b"a, b\nc, \xff")
    with pytest.raises(SynonymsUnusable, match=r"line 2 of .* is not UTF-8"):
        synonyms.load(path)
    path.write_bytes(b"a, b\n" * 200_001)
    with pytest.raises(SynonymsUnusable, match="larger than"):
        synonyms.load(path)


def test_rules_of_the_operator_stand_beside_ours(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(b"\xef\xbb\xbflift, elevator\n")
    both = synonyms.load(path)
    assert tokens(both.widened(parse("lift colour"))) == [("lift", "elev"), ("colour", "color")]
    assert both.version != OURS.version == synonyms.load(None).version


@given(st.text(st.sampled_from('lift eu colour health-care "()|*~-'), max_size=30))
def test_no_query_breaks_and_each_finds_what_it_found(source: str) -> None:
    try:
        tree = parse(source)
    except QueryError:
        return
    wide = OURS.widened(tree)
    assert {leaf[0] for leaf in tokens(tree)} <= {t for leaf in tokens(wide) for t in leaf}


def test_the_examples_hold() -> None:
    assert doctest.testmod(synonyms) == (0, 5)
