from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app import text
from app.search.highlight.fragmenter import PASSAGE
from app.search.highlight.highlighter import MOST_BULLETS, MOST_PASSAGES, WHOLE, Highlight
from app.search.query import terms
from app.search.query.tree import (
    TEXT_FIELDS,
    And,
    Boost,
    Everything,
    Fuzzy,
    Named,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Within,
    Word,
)
from tests.search.highlight.highlighted import found, fuzzy, in_body, in_headline, phrase, word

if TYPE_CHECKING:
    from collections.abc import Iterator

Span = tuple[int, int]


@pytest.mark.parametrize(
    ("typed", "headline", "marked"),
    [
        ("b", '<b>"a\'s"</b>', "&lt;<mark>b</mark>&gt;&quot;a&#x27;s&quot;&lt;/<mark>b</mark>&gt;"),
        ("mark", "<mark>", "&lt;<mark>mark</mark>&gt;"),
        ("amp", "&amp;", "&amp;<mark>amp</mark>;"),
    ],
)
def test_everything_but_the_marks_is_escaped(typed: str, headline: str, marked: str) -> None:
    assert in_headline(word(typed), headline) == marked


def test_without_a_query_there_is_nothing() -> None:
    assert found(None, "a", ["a"], "a", "a") == []


# --- which fields


def test_fields_stand_in_order_with_the_number_of_the_bullet() -> None:
    highlights = found(
        Or((word("rain"), word("snow"))),
        "Rain falls",
        ["Dry", "More rain"],
        "Snow in Ghent",
        "It may rain.\n\nOr not.",
    )
    assert highlights == [
        Highlight("headline", None, "<mark>Rain</mark> falls", 0, 10),
        Highlight("summary", 1, "More <mark>rain</mark>", 0, 9),
        Highlight("caption", None, "<mark>Snow</mark> in Ghent", 0, 13),
        Highlight("body", None, "It may <mark>rain</mark>.", 0, 12),
    ]


def test_a_caption_that_adds_nothing_is_left_out() -> None:
    assert [h.field for h in found(word("rain"), caption="Rain", body="Rain")] == ["body"]
    assert [h.field for h in found(word("rain"), caption="Rain", body="Snow")] == ["caption"]
    assert found(word("rain"), caption=None, body="Snow") == []


def test_the_best_two_bullets_in_their_order() -> None:
    query = Or((word("a"), word("b"), word("c")))
    bullets = ["a", "a b", "x", "a a a", "c b a"]
    assert [h.index for h in found(query, summary=bullets)] == [1, 4]
    assert [h.index for h in found(query, summary=["a", "b", "c"])] == [0, 1]
    assert len(found(word("a"), summary=["a"] * 1000)) == MOST_BULLETS


def test_a_long_headline_or_caption_is_cut() -> None:
    long = "It was dry. " * 20 + "Then rain fell on the town. " + "It was dry. " * 20
    for highlights in (found(word("rain"), long), found(word("rain"), caption=long)):
        assert [h.text for h in highlights] == [
            "Then <mark>rain</mark> fell on the town." + " It was dry." * 14
        ]
    assert len(long) > WHOLE


def test_only_the_first_100_000_characters_are_looked_at() -> None:
    assert in_body(word("rain"), "dry " * 25_000 + "rain") == []
    assert in_body(word("rain"), "dry " * 24_000 + "rain " + "dry " * 200_000) != []
    assert in_body(word("rain"), "dry\n" * 24_000 + "rain\n" + "dry\n" * 200_000) != []
    assert in_body(Prefix(prefix="q"), "q" * 200_000) == []


# --- against a plain implementation


def _distance(a: str, b: str) -> int:
    """Optimal string alignment, from its definition."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]


def _phrase_spans(query: Phrase, source: str, words: list[text.Token]) -> Iterator[Span]:
    for start in range(len(words)):
        run: list[int] = []
        for token in query.tokens:
            after = range(run[-1] + 1, len(words)) if run else [start]
            run += [at for at in after if _is(words[at], token)][:1] or [-1]
            if run[-1] < 0:
                break
        else:
            if run[-1] - start >= len(run) + query.slop:
                continue
            begin, end = words[start].start, _end(words[run[-1]], query.tokens[-1])
            if query.slop or "\n\n" in source[begin:end]:
                pairs = zip(run, query.tokens, strict=True)
                yield from ((words[n].start, _end(words[n], token)) for n, token in pairs)
            else:
                yield begin, end


def _is(word: text.Token, token: str) -> bool:
    return token == word.text or token in word.others


def _end(word: text.Token, token: str) -> int:
    """Of a pair of characters the first may be what is looked for."""
    return word.end if token == word.text or len(token) > 1 else word.start + 1


def _spans(query: Query | None, zone: str, source: str) -> Iterator[Span]:
    words = list(text.tokens(source))
    match query:
        case Word():
            token = query.token
            yield from ((w.start, _end(w, token)) for w in words if _is(w, token))
        case Prefix():
            yield from ((w.start, w.end) for w in words if w.form.startswith(query.prefix))
        case Fuzzy():
            near = (w for w in words if _distance(w.form, query.form) <= query.distance)
            yield from ((w.start, w.end) for w in near)
        case Phrase():
            yield from _phrase_spans(query, source, words)
        case And() | Or():
            for clause in query.clauses:
                yield from _spans(clause, zone, source)
        case Boost():
            yield from _spans(query.node, zone, source)
        case Within() if query.field == zone:
            yield from _spans(query.node, zone, source)


def _expected(query: Query | None, zone: str, source: str) -> list[Span]:
    marks: list[Span] = []
    for start, end in sorted(_spans(query, zone, source)):
        if marks and start < marks[-1][1]:
            marks[-1] = marks[-1][0], max(end, marks[-1][1])
        else:
            marks.append((start, end))
    return marks


def _shown(highlight: Highlight) -> tuple[str, list[Span]]:
    """The text of a highlight as a reader sees it, and where its marks are in the field."""
    plain, marks, opened = "", [], 0
    for part in re.split("(</?mark>)", highlight.text):
        if part == "<mark>":
            opened = len(plain)
        elif part == "</mark>":
            marks.append((highlight.start + opened, highlight.start + len(plain)))
        else:
            assert not set("<>\"'") & set(part)
            plain += html.unescape(part)
    return plain, marks


VOCABULARY = [
    *("rain", "Rains", "rained", "rian", "train", "heavy", "HEAVILY", "snow", "die", "dying"),
    *("U.S.", "US", "u.s", "5,000", "5000", "1,000bn", "bn", "5.8", "army’s", "army", "armies"),
    *("São", "sao", "İstanbul", "istanbul", "ﬁle", "files", "\u212aelvin", "kelvin", "ſet", "set"),
    *(
        "東",
        "京",
        "東京",
        "ラーメン",
        "كِتَاب",
        "كتاب",
        "हिन्दी",
        "C++",
        "c",
        "a",
        "as",
        "don't",
        "dont",
    ),
    *("Covid-19", "covid", "skies", "sky", "x\u0301", "\ufe00", "雨\ufe00", "𝐫ain", "Straße"),
]
SEPARATORS = [
    " ",
    " ",
    " ",
    " ",
    ", ",
    ". ",
    ".",
    "-",
    "\n",
    "\n\n",
    " — ",
    "",
    "\xa0",
    "<",
    "&",
    "  ",
]

words = st.sampled_from(VOCABULARY)
texts = st.lists(st.tuples(words, st.sampled_from(SEPARATORS)), max_size=60).map(
    lambda pairs: "".join(map("".join, pairs))
) | st.text(max_size=100)
forms = (
    words.map(lambda typed: list(text.tokens(typed or "a"))).filter(bool).map(lambda t: t[0].form)
)
phrases = st.lists(words, min_size=1, max_size=3).map(" ".join)
leaves = (
    words.map(lambda typed: terms.words(typed, 0, 0)).filter(bool)  # as the parser reads them
    | st.builds(phrase, phrases.filter(text.terms), st.integers(0, 3))
    | st.builds(lambda form, n: Prefix(prefix=form[:n]), forms, st.integers(1, 6))
    | st.builds(fuzzy, forms, st.integers(1, 2))
    | st.sampled_from([Everything(), Named(name="place", text="rain", key="rain")])
)  # fmt: skip
queries = st.recursive(
    leaves,
    lambda inner: (
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Not, inner)
        | st.builds(Boost, inner, st.just(2.0))
    ),
    max_leaves=4,
)
zoned = queries | st.builds(Within, st.sampled_from(TEXT_FIELDS), queries)


@given(zoned | st.builds(Or, st.tuples(zoned, zoned)), st.lists(texts, min_size=4, max_size=4))
@example(phrase("a b"), ["a\n\nb", "1,000b.c", "a b.c", "b"])
@example(word("c"), ["1,000b.c", "x", "x", "x"])
def test_highlights_are_those_of_a_plain_implementation(query: Query, fields: list[str]) -> None:
    headline, bullet, caption, body = fields
    highlights = found(query, headline, ["x", bullet], caption, body)
    sources = {"headline": headline, "summary": bullet, "caption": caption, "body": body}
    for zone, source in sources.items():
        marks = _expected(query, zone, source)
        here = [h for h in highlights if h.field == zone]
        if zone == "summary":
            here = [h for h in here if h.index == 1]
        assert not here or marks
        assert here or not marks or zone == "caption"
        assert len(here) <= (MOST_PASSAGES if zone == "body" else 1)
        end = 0
        for h in here:
            assert 0 <= end <= h.start < h.end <= len(source)
            end = h.end
            plain, shown = _shown(h)
            assert plain == source[h.start : h.end]
            assert shown
            assert shown == [m for m in marks if h.start <= m[0] and m[1] <= h.end]
            if zone == "body":
                assert "\n\n" not in plain
                assert plain == plain.strip()
                assert len(plain) <= PASSAGE + 30
                assert not any(m[0] < edge < m[1] for m in marks for edge in (h.start, h.end))
                for token in text.tokens(source):
                    assert not token.start < h.start < token.end
                    assert not token.start < h.end < token.end


@given(st.text(), st.text(max_size=4), st.text(max_size=4))
def test_any_text_and_words_are_safe(source: str, one: str, two: str) -> None:
    wanted = text.terms(f"{one} {two}") + text.terms(source)[:2]
    query = Or((Everything(), *(Word(text=t, token=t) for t in wanted)))
    for h in found(query, source, [source], source, source):
        plain, shown = _shown(h)
        assert plain == source[h.start : h.end]
        for start, end in shown:
            assert text.terms(source[start:end])[0] in wanted


def test_every_kind_of_node_is_known() -> None:
    assert {kind.__name__ for kind in get_args(Query)} == {
        *("Word", "Spelt", "Phrase", "Prefix", "Fuzzy", "Named", "Published"),
        *("Everything", "Within", "Boost", "Favoring", "Not", "And", "Or", "Near", "Wildcard"),
    }
