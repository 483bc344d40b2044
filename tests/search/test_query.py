from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import QueryError
from app.search.query import LONGEST_QUERY, And, Phrase, Query, Word, parse


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("rain", Word("rain")),
        ("RAINS", Word("rain")),
        ("rain falls", And((Word("rain"), Word("fall")))),
        ("rain rain rains", Word("rain")),
        ('"rain falls"', Phrase(("rain", "fall"))),
        ("“rain falls”", Phrase(("rain", "fall"))),
        ("«rain falls» here", And((Phrase(("rain", "fall")), Word("here")))),
        ('"rain"', Word("rain")),
        ('"rain" ""', Word("rain")),
        ("Covid-19", Phrase(("covid", "19"))),
        ("intra-Afghan", Phrase(("intra", "afghan"))),
        ("U.S. army’s", And((Word("us"), Word("armi")))),
        ("$1 billion", And((Word("1"), Word("billion")))),
        ("a@example.org", Phrase(("a", "exampl", "org"))),
        ('rain"heavy fall"', And((Word("rain"), Phrase(("heavi", "fall"))))),
        ("東京", Phrase(("東", "京"))),
        ("rain — !", Word("rain")),
    ],
)
def test_queries_and_their_trees(source: str, tree: Query) -> None:
    assert parse(source) == tree


@pytest.mark.parametrize(
    ("source", "position", "reason"),
    [
        ('"rain', 0, "never closed"),
        ('rain "falls', 5, "never closed"),
        ('"a" "b', 4, "never closed"),
        ("?!", 0, "no word"),
        ('""', 0, "no word"),
        ("x" * (LONGEST_QUERY + 1), LONGEST_QUERY, "longer"),
    ],
)
def test_a_malformed_query_names_its_position(source: str, position: int, reason: str) -> None:
    with pytest.raises(QueryError, match=reason) as caught:
        parse(source)
    assert caught.value.position == position


@given(st.text())
def test_any_text_is_a_tree_or_an_error(source: str) -> None:
    try:
        tree = parse(source)
    except QueryError as error:
        assert 0 <= error.position <= len(source)
    else:
        assert str(tree)


def test_a_tree_is_printed_as_its_tokens() -> None:
    assert str(parse('peace "Intra-Afghan dialogue" Covid-19')) == (
        'peac "intra afghan dialogu" "covid 19"'
    )
