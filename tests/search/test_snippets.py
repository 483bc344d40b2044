from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app import text
from app.search import snippets
from app.search.query import (
    ZONES,
    And,
    Boost,
    Everything,
    Fuzzy,
    Named,
    Not,
    Or,
    Phrase,
    Prefix,
    Published,
    Query,
    Within,
    Word,
)
from app.search.snippets import MOST_BULLETS, MOST_PASSAGES, PASSAGE, WHOLE, Highlight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Span = tuple[int, int]


def word(typed: str) -> Word:
    return Word(text=typed, token=text.terms(typed)[0])


def phrase(typed: str, slop: int = 0) -> Phrase:
    return Phrase(text=typed, tokens=tuple(text.terms(typed)), slop=slop)


def fuzzy(form: str, distance: int = 1) -> Fuzzy:
    return Fuzzy(form=form, distance=2 if distance == 2 else 1)


def found(
    query: Query | None,
    headline: str = "",
    summary: Sequence[str] = (),
    caption: str | None = None,
    body: str = "",
) -> list[Highlight]:
    return snippets.compile(query).highlights(headline, summary, caption, body)


def in_headline(query: Query, headline: str) -> str | None:
    highlights = found(query, headline)
    return highlights[0].text if highlights else None


def in_body(query: Query, body: str) -> list[str]:
    return [highlight.text for highlight in found(query, body=body)]


# --- what is marked


@pytest.mark.parametrize(
    ("query", "headline", "marked"),
    [
        (word("rain"), "Rain, RAINS & rained", "[Rain], [RAINS] & [rained]"),
        (word("rain"), "A train in Bahrain", None),
        (word("die"), "He is dying; they died", "He is [dying]; they [died]"),
        (word("army"), "The armies' and the army’s", "The [armies]' and the [army’s]"),
        (word("US"), "The U.S., the US", "The [U.S.], the [US]"),
        (word("5000"), "Some 5,000 or 5000", "Some [5,000] or [5000]"),
        (word("bn"), "$1,000bn", "$1,000[bn]"),
        (word("c"), "C++ or C", "C++ or [C]"),
        (word("sao"), "São and Sa\u0303o", "[São] and [Sa\u0303o]"),
        (word("são"), "SAO PAULO", "[SAO] PAULO"),
        (word("ist"), "İst ıst", "[İst] ıst"),
        (word("京"), "東京の", "東[京]の"),
        (phrase("東京"), "東京の東 京", "[東京]の[東 京]"),
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
        (Prefix(prefix="東"), "東京", "[東]京"),
        (Prefix(prefix="d'a"), "Jeanne d’Arc", "Jeanne [d’Arc]"),
        (fuzzy("rain"), "Rian, ran train ruin runs", "[Rian], [ran] [train] [ruin] runs"),
        (fuzzy("kabul", 2), "Kabull Kubal Kbl Kandahar", "[Kabull] [Kubal] [Kbl] Kandahar"),
        (fuzzy("armys"), "army’s 19", "[army’s] 19"),
        (fuzzy("sao"), "São", "[São]"),
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


# --- which passages


def test_a_passage_is_a_paragraph_where_it_fits() -> None:
    body = "Dry.\n\nAt dawn it began. Rain fell on Dr. Jones.\n\nDry again."
    assert found(word("rain"), body=body) == [
        Highlight("body", None, "At dawn it began. <mark>Rain</mark> fell on Dr. Jones.", 6, 47)
    ]


def test_a_passage_begins_with_a_sentence_and_ends_with_one() -> None:
    before = "The weather of the northern plain has been calm for a long time now. " * 4
    after = "Nobody was hurt, said the mayor of the town of Ypres on Monday. " * 4
    assert in_body(word("rain"), f"{before}Gen. Smith saw rain fall at 5 p.m. today. {after}") == [
        "Gen. Smith saw <mark>rain</mark> fall at 5 p.m. today."
        + " Nobody was hurt, said the mayor of the town of Ypres on Monday." * 2
    ]


def test_a_passage_of_a_long_sentence_begins_and_ends_with_words() -> None:
    body = (
        "many grey and heavy clouds came " * 20 + "with rain " + "and wind and hail and snow " * 20
    )
    [highlight] = found(word("rain"), body=body)
    assert highlight.text == (
        "and heavy clouds came many grey and heavy clouds came with <mark>rain</mark> and wind and "
        "hail and snow and wind and hail and snow and wind and hail and snow and wind and hail and "
        "snow and wind and hail and snow"
    )


def test_the_last_sentence_of_a_paragraph_has_what_comes_before() -> None:
    body = "Some words that stand before. " * 20 + "Then came rain.\n\nDry."
    [highlight] = found(word("rain"), body=body)
    assert highlight.text == "Some words that stand before. " * 6 + "Then came <mark>rain</mark>."


def test_the_passage_with_most_different_clauses_comes_first() -> None:
    fill = "\n\n" + "Nothing of note was said about it here. " * 5 + "\n\n"
    body = fill.join(["rain rain rain rain", "Rain one", "Rain and snow", "Rain two"])
    assert in_body(Or((word("rain"), word("snow"))), body) == [
        " ".join(["<mark>rain</mark>"] * 4),
        "<mark>Rain</mark> and <mark>snow</mark>",
    ]


def test_the_second_passage_shows_the_clause_that_the_first_does_not() -> None:
    body = "\n\n".join(["Rain and snow", "rain rain rain", "Rain and snow once more", "hail"])
    assert in_body(Or((word("rain"), word("snow"), word("hail"))), body) == [
        "<mark>Rain</mark> and <mark>snow</mark>",
        "<mark>hail</mark>",
    ]


def test_two_passages_of_one_paragraph_do_not_overlap() -> None:
    body = "rain and more words than fit " * 30
    first, second = found(word("rain"), body=body)
    assert first.end <= second.start
    first, second = found(Or((word("rain"), word("b"), word("c"))), body=f"{body} c b {body}")
    assert first.end <= second.start
    body = "x " * 30 + "rain " + "x " * 94 + "b c rain rain " + "x " * 20
    first, second = found(Or((word("rain"), word("b"), word("c"))), body=body)
    assert first.end <= second.start


def test_a_phrase_over_a_paragraph_is_marked_word_by_word() -> None:
    assert in_body(phrase("heavy rain"), "It was heavy.\n\nRain fell.") == [
        "It was <mark>heavy</mark>.",
        "<mark>Rain</mark> fell.",
    ]


def test_a_phrase_at_the_edge_of_a_passage_is_whole_or_not_there() -> None:
    for n in range(30):
        body = "Hail fell on " + "the town and " * 12 + "x" * n + " heavy rain " + "came on " * 40
        [shown, *_] = in_body(Or((word("hail"), phrase("heavy rain"))), body)
        assert ("heavy" in shown) == ("<mark>heavy rain</mark>" in shown)
    long = "there is a phrase of very many words " * 4
    for n in range(45, 60):
        body = f"{long}{'x' * n} hail hail {'came on ' * 40}"
        shown = in_body(Or((word("hail"), phrase(long))), body)[-1]
        assert shown.startswith(("x", "<mark>hail"))


def test_text_without_spaces_is_cut_between_characters() -> None:
    body = "東京都は雨が降っています。" * 50 + "今年大雪" + "東京都は雨が降っています" * 50
    [highlight] = found(phrase("大雪"), body=body)
    assert highlight.text.startswith("今年<mark>大雪</mark>東京都")
    assert len(body[highlight.start : highlight.end]) == PASSAGE
    [highlight] = found(phrase("大雪"), body=(body := "雨" * 500 + "大雪" + "雨\ufe00" * 500))
    assert 150 < highlight.end - highlight.start <= PASSAGE + 1
    assert body[highlight.end : highlight.end + 1] != "\ufe00"


def test_a_cut_is_never_inside_a_word() -> None:
    assert in_body(word("rain"), "q" * 500 + "-rain-" + "q" * 500) == ["<mark>rain</mark>"]
    assert in_body(word("rain"), "q" * 500 + "/u-rain/v-" + "q" * 500) == ["u-<mark>rain</mark>/v"]
    assert in_body(word("雨"), "雨" + "\u0301" * 500) == ["<mark>雨</mark>" + "\u0301" * 30]


# --- very long input


def test_only_the_first_100_000_characters_are_looked_at() -> None:
    assert in_body(word("rain"), "dry " * 25_000 + "rain") == []
    assert in_body(word("rain"), "dry " * 24_000 + "rain " + "dry " * 200_000) != []
    assert in_body(word("rain"), "dry\n" * 24_000 + "rain\n" + "dry\n" * 200_000) != []
    assert in_body(Prefix(prefix="q"), "q" * 200_000) == []


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
            run += [at for at in after if words[at].text == token][:1] or [-1]
            if run[-1] < 0:
                break
        else:
            if run[-1] - start >= len(run) + query.slop:
                continue
            begin, end = words[start].start, words[run[-1]].end
            if query.slop or "\n\n" in source[begin:end]:
                yield from ((words[n].start, words[n].end) for n in run)
            else:
                yield begin, end


def _spans(query: Query | None, zone: str, source: str) -> Iterator[Span]:
    words = list(text.tokens(source))
    match query:
        case Word():
            yield from ((w.start, w.end) for w in words if w.text == query.token)
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
        case Within() if query.zone == zone:
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
    words.filter(text.terms).map(word)
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
zoned = queries | st.builds(Within, st.sampled_from(ZONES), queries)


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
        *("Word", "Phrase", "Prefix", "Fuzzy", "Named", "Published"),
        *("Everything", "Within", "Boost", "Not", "And", "Or"),
    }
