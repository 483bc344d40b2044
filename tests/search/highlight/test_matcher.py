from __future__ import annotations

import html

import pytest

from app.search.query.tree import (
    And,
    Boost,
    Everything,
    Named,
    Near,
    Not,
    Or,
    Prefix,
    Published,
    Query,
    Wildcard,
    Within,
)
from tests.search.highlight.highlighted import (
    found,
    fuzzy,
    in_body,
    in_headline,
    phrase,
    quoted,
    word,
)


@pytest.mark.parametrize(
    ("query", "headline", "marked"),
    [
        (word("rain"), "Rain, RAINS & rained", "[Rain], [RAINS] & [rained]"),
        (word("rain"), "A train in Bahrain", None),
        (word("die"), "He is dying; they died", "He is [dying]; they [died]"),
        (word("army"), "The armies' and the army’s", "The [armies]' and the [army’s]"),
        (word("US"), "The U.S. and the US told us", "The [U.S.] and the [US] told us"),
        (word("us"), "The U.S. and the US told us", "The U.S. and the [US] told [us]"),
        (word("5000"), "Some 5,000 or 5000", "Some [5,000] or [5000]"),
        (word("bn"), "$1,000bn", "$1,000[bn]"),
        (word("c"), "C++ or C", "C++ or [C]"),
        (word("sao"), "São and Sa\u0303o", "[São] and [Sa\u0303o]"),
        (word("são"), "SAO PAULO", "[SAO] PAULO"),
        (word("ist"), "İst ıst", "[İst] [ıst]"),
        (word("京"), "東京の", "東[京]の"),
        (phrase("東京"), "東京の東 京", "[東京]の東 京"),
        (word("كتاب"), "هذا كِتَاب", "هذا [كِتَاب]"),
        (phrase("heavy rain"), "Heavy -- rains, rain", "[Heavy -- rains], rain"),
        (phrase("heavy rain"), "Rain heavy", None),
        (phrase("heavy rain"), "Heavy, but no", None),
        (phrase("a a"), "a a a", "[a a a]"),
        (phrase("covid 19"), "Covid-19", "[Covid-19]"),
        (phrase("covid 19"), "Covid-x-19", None),
        (phrase("a b"), "a c-b a-b c", "a c-b [a-b] c"),
        (phrase("rain and snow"), "rain and snow", "[rain and snow]"),
        (phrase("heavy rain", 1), "heavy cold rain", "[heavy] cold [rain]"),
        (phrase("heavy rain", 1), "heavy very cold rain", None),
        (phrase("heavy rain", 2), "heavy very-cold rain", "[heavy] very-cold [rain]"),
        (phrase("heavy rain", 1), "heavy rain", "[heavy] [rain]"),
        (phrase("rain"), "rain", "[rain]"),
        (Prefix(prefix="ra"), "Rain rather, rât ‘ran’ bra", "[Rain] [rather], [rât] ‘[ran]’ bra"),
        (Prefix(prefix="raine"), "rain rained", "rain [rained]"),
        (Prefix(prefix="500"), "5,000 and 50", "[5,000] and 50"),
        (Prefix(prefix="東"), "東京", "[東京]"),
        (Prefix(prefix="d'a"), "Jeanne d’Arc", "Jeanne [d’Arc]"),
        (fuzzy("rain"), "Rian, ran train ruin runs", "[Rian], [ran] [train] [ruin] runs"),
        (fuzzy("kabul", 2), "Kabull Kubal Kbl Kandahar", "[Kabull] [Kubal] [Kbl] Kandahar"),
        (fuzzy("armys"), "army’s 19", "[army’s] 19"),
        (fuzzy("sao"), "São", "[São]"),
        (quoted("rain"), "Rain, rains; rain’s", "[Rain], rains; [rain’s]"),
        (quoted("heavy rains"), "heavy rain, Heavy rains", "heavy rain, [Heavy rains]"),
        (quoted("heavy rai*"), "heavy snow, heavy rainfall", "heavy snow, [heavy rainfall]"),
        (quoted("*vy rain"), "wavy hair, wavy rain", "wavy hair, [wavy rain]"),
        (Wildcard("*stan"), "Stan in Pakistan’s Tajikistani", "[Stan] in [Pakistan’s] Tajikistani"),
        (Wildcard("r?in"), "ruin Rhein rain", "[ruin] Rhein [rain]"),
        (Near((word("oil"), Prefix(prefix="co")), 3), "coal, oil", "[coal], [oil]"),
        (And((word("a"), Not(word("b")), word("c"))), "a b c", "[a] b [c]"),
        (Or((word("a"), Boost(word("b"), 2.0))), "a b c", "[a] [b] c"),
        (Or((word("b"), phrase("a b"), phrase("b c"))), "x a b c, b", "x [a b c], [b]"),
        (Or((word("heavy"), word("rain"))), "heavy rain", "[heavy] [rain]"),
        (Within("headline", word("a")), "a", "[a]"),
        (Within("body", word("a")), "a", None),
        (Not(Not(word("a"))), "a", None),
        (Everything(), "a", None),
        (Named(name="place", text="A", key="a"), "a", None),
        (Published(text="2020", since=None, until=None), "2020", None),
    ],
)  # fmt: skip
def test_marks_in_a_headline(query: Query, headline: str, marked: str | None) -> None:
    """`marked` has brackets for the marks and is not escaped."""
    shown = in_headline(query, headline)
    if shown is not None:
        shown = html.unescape(shown.replace("<mark>", "[").replace("</mark>", "]"))
    assert shown == marked


def test_a_word_in_one_zone_only_and_another_anywhere() -> None:
    query = And((Within("body", word("a")), word("b")))
    assert [h.text for h in found(query, "a b", body="a b")] == [
        "a <mark>b</mark>",
        "<mark>a</mark> <mark>b</mark>",
    ]


def test_a_query_of_very_many_words_marks_them_all() -> None:
    words = [f"{a}{b}{c}" for a in "xyz" for b in "aeiou" for c in "bcdfg"]
    query = Or(tuple(map(word, words)))
    assert in_headline(query, "Xab, zug!") == "<mark>Xab</mark>, <mark>zug</mark>!"
    query = Or(tuple(Prefix(prefix=f"w{n}") for n in range(100)))
    assert in_headline(query, "w5x w100 v") == "<mark>w5x</mark> <mark>w100</mark> v"


def test_a_phrase_over_a_paragraph_is_marked_word_by_word() -> None:
    assert in_body(phrase("heavy rain"), "It was heavy.\n\nRain fell.") == [
        "It was <mark>heavy</mark>.",
        "<mark>Rain</mark> fell.",
    ]


# --- very long input


def test_a_word_longer_than_a_passage_is_not_marked() -> None:
    body = "qq " + "q" * 10_000 + " q"
    assert in_body(Prefix(prefix="q"), body) == ["<mark>qq</mark>", "<mark>q</mark>"]


def test_thousands_of_matches_are_cut_short() -> None:
    first, second = found(Or((word("a"), word("b"))), body="a " * 40_000 + "b")
    assert first.text == " ".join(["<mark>a</mark>"] * 100)
    assert first.end < second.start
    query = phrase(" ".join(["a"] * 400 + ["b"]))
    assert in_body(query, "a " * 900 + "b") == []
    assert in_body(phrase("a b"), "a" + "-" * 300 + "b") == []
    assert in_body(phrase("a b"), "a" + "- " * 90 + "b") != []
    misspelt = Or((*(fuzzy(f"rain{n:03}") for n in range(1000)), fuzzy("storm")))
    assert in_headline(misspelt, "rain001 storm") == "<mark>rain001</mark> storm"
    assert in_body(phrase("a " * 20), "a " * 300)[0].count("<mark>") == 1
