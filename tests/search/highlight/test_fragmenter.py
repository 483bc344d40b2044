from __future__ import annotations

from app.search.highlight.fragmenter import PASSAGE
from app.search.highlight.highlighter import Highlight
from app.search.query.tree import Or
from tests.search.highlight.highlighted import found, in_body, phrase, word


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
