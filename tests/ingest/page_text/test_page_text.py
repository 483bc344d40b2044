"""The plain layout of a page: every field exactly, in every variant and size."""

from __future__ import annotations

import doctest
import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.ingest import Draft, Reject, page_text
from tests.ingest.page_text.pages import (
    FULL,
    FURTHER,
    SIZES,
    Story,
    assert_reads,
    body,
    draft,
    drafts,
    fields,
    page,
    read,
    rejected,
)

TRICKY = (
    "Follow the money, he said.",
    "Updated figures show a rise of 3 percent.",
    "Short Url is a service that nobody uses.",
    "BACKGROUND",
    "Updated 09 May 2020",
    "WARNING: do not swim near the pier.",
    "• Two tugs",
    "• One crane",
    "Print",
    "RIYADH: a postscript that stands in the text.",
    "It ended on 5 May 2020",
    "9/11 was mentioned (AFP)",
)

MAINS = {
    "everything": FULL,
    "no caption": replace(FULL, caption=None, credit=None),
    "caption without credit": replace(FULL, credit=None),
    "credit without caption": replace(FULL, caption=None, credited="({})"),
    "no bullets": replace(FULL, summary=()),
    "opinion": Story(headline="Why the sea should worry us all"),
    "opinion with bullets": replace(FULL, dateline=None, places=(), caption=None, credit=None),
    "two cities": replace(FULL, dateline="DUBAI/RIYADH", places=("Dubai", "Riyadh")),
    "three cities": replace(
        FULL, dateline="ISLAMABAD/KABUL/DOHA", places=("Islamabad", "Kabul", "Doha")
    ),
    "two words": replace(FULL, dateline="NEW YORK", places=("New York",)),
    "three words": replace(FULL, dateline="RIO DE JANEIRO", places=("Rio de Janeiro",)),
    "with country": replace(FULL, dateline="KARACHI, Pakistan", places=("Karachi",)),
    "quotes": replace(FULL, headline='‘No’ to “storms”: minister\'s "plan" of 2020'),
    "digits": replace(FULL, headline="$1 billion, 5,000 jobs & 20% more: 7 things to know"),
    "accents": replace(FULL, headline="São Paulo’s café Émile wins — à la mode"),
    "one word": replace(FULL, headline="Storm"),
    "like a dateline": replace(FULL, headline="LONDON: A city in flux"),
    "like the Updated line": replace(FULL, headline="Updated guidance issued for sailors"),
    "like Updated and a number": replace(FULL, headline="Updated: 5 ways to cook rice"),
    "like Follow": replace(FULL, headline="Follow the leader: a tale of two ports"),
    "like Short Url": replace(FULL, headline="Short Url services fall out of fashion"),
    "ends in a period": replace(FULL, headline="The storm, explained by A.J. Smith of the U.S."),
    "a question": replace(FULL, headline="Who pays for the storm?"),
    "one bullet": replace(FULL, summary=("Only one thing is known",)),
    "six bullets": replace(FULL, summary=tuple(f"Thing {n}: known • so far" for n in range(6))),
    "caption like the headline": replace(FULL, caption="Ports reopen after the storm in Oman."),
    "long caption": replace(FULL, caption=" ".join(body("medium"))),
    "brackets in caption": replace(
        FULL, caption="Omar Haddad (left), with a guest (2nd R) and crew (AFP) on Friday."
    ),
}


def of_size(story: Story, size: str, start: int = 0) -> Story:
    return replace(story, body=body(size, start))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n \u00a0\n\n"], ids=["lines", "blanks", "mixed"])
@pytest.mark.parametrize("name", MAINS)
def test_a_main_article_comes_out_exactly(name: str, gap: str, size: str) -> None:
    story = replace(of_size(MAINS[name], size), gap=gap)
    assert_reads(page(story), [story])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", [name for name, story in MAINS.items() if not story.caption])
def test_a_further_article_comes_out_exactly(name: str, size: str) -> None:
    further = replace(of_size(MAINS[name], size, 2), caption=None, credit=None)
    main = replace(FULL, headline="Another story altogether")
    assert_reads(page(main, further), [main, further])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", range(1, 7))
def test_a_page_holds_up_to_six_further_articles(count: int, size: str) -> None:
    variants = [
        FURTHER,
        replace(FURTHER, summary=()),
        replace(FURTHER, dateline=None, places=()),
        replace(FURTHER, summary=(), dateline=None, places=(), gap="\n"),
        replace(FURTHER, headline="Ports reopen after the storm, but slowly"),
        replace(FURTHER, headline="Ports reopen"),
    ]
    further = [
        replace(of_size(story, size, number), date=f"{number + 1} June 2021")
        for number, story in enumerate(variants[:count])
    ]
    further = [
        replace(story, published_at=datetime(2021, 6, number + 1, tzinfo=UTC))
        for number, story in enumerate(further)
    ]
    assert_reads(page(FULL, *further), [FULL, *further])


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
@pytest.mark.parametrize("size", SIZES)
def test_lines_of_the_body_that_look_like_furniture_stay(size: str, gap: str) -> None:
    text = body(size)
    story = replace(FULL, body=(text[0], *TRICKY, *text[1:], "The end."), gap=gap)
    further = replace(FURTHER, body=(text[0], *TRICKY, *text[1:], "The end."), gap=gap)
    assert_reads(
        page(story, further, story), [story, further, replace(story, caption=None, credit=None)]
    )


def test_a_quoted_date_line_may_close_a_body_or_open_it() -> None:
    story = Story(body=("Updated 08 May 2020", "He read it out.", "Updated 09 May 2020"))
    assert_reads(page(story, FURTHER), [story, FURTHER])


def test_the_same_headline_twice_on_a_page_is_two_stories() -> None:
    again = replace(FURTHER, headline=FULL.headline)
    assert_reads(page(FULL, again), [FULL, again])


def test_a_link_to_the_next_story_at_the_end_of_a_body_is_not_lost() -> None:
    story = replace(FULL, body=("First.", "Read: Fishermen ask for credit"))
    assert_reads(page(story, FURTHER), [story, FURTHER])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_any_kind_give_the_same(end: str, size: str) -> None:
    main, further = of_size(FULL, size), of_size(FURTHER, size)
    assert_reads(page(main, further).replace("\n", end), [main, further])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_vanishes(encoding: str, size: str) -> None:
    main, further = of_size(FULL, size), of_size(FURTHER, size)
    assert_reads(page(main, further).encode(encoding), [main, further])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "space", ["\u00a0", "\u2009", "\u3000", "\u202f", "\t", " \u200b ", "\u00a0\ufeff"]
)
def test_spaces_of_any_kind_are_plain_ones(space: str, size: str) -> None:
    main, further = of_size(FULL, size), of_size(FURTHER, size)
    text = page(main, further).replace(" ", space).replace(":", f"{space}:", 0)
    text = "\n".join(f"{space}{line}{space}" if line else "" for line in text.split("\n"))
    assert_reads(text, [main, further])


@pytest.mark.parametrize("size", SIZES)
def test_spaces_around_the_colon_of_a_dateline_do_not_matter(size: str) -> None:
    story = of_size(FULL, size)
    for colon in (":\u00a0", "\u00a0: ", "\u200f: ", " :", ":  ", ":", "\u00a0:\u00a0\u00a0"):
        assert_reads(page(story).replace("MUSCAT: ", f"MUSCAT{colon}"), [story])


def test_text_comes_out_composed() -> None:
    story = replace(FULL, headline="Cafe\u0301 e\u0301lan", body=("Te\u0301xt.",))
    found = draft(page(story))
    assert (found.headline, found.body) == ("Café élan", "Téxt.")


def test_the_repeated_headline_may_differ_in_spaces_and_quotes() -> None:
    text = page(replace(FULL, headline="‘No’ to “storms” - says  he"), FURTHER)
    above, below = text.split("Follow", maxsplit=1)
    below = below.replace("‘No’ to “storms” - says  he", "'No' to\u00a0\"storms\" – says he")
    expected = replace(FULL, headline="‘No’ to “storms” - says he")
    assert_reads(f"{above}Follow{below}", [expected, FURTHER])


def test_blank_lines_anywhere_change_nothing() -> None:
    text = page(FULL, FURTHER)
    doubled = text.replace("\n", "\n\n\n")
    assert_reads(doubled, [FULL, FURTHER])


def test_no_blank_lines_at_all_change_nothing() -> None:
    text = "\n".join(line for line in page(FULL, FURTHER).split("\n") if line.strip())
    assert_reads(text, [FULL, FURTHER])


def test_blank_lines_in_a_page_of_single_lines_glue_nothing() -> None:
    story = replace(FULL, body=("One.", "Two.", "Three.", "Four."))
    text = page(story).replace("One.\nTwo.\nThree.", "One.\nTwo.\n\nThree.")
    assert_reads(text, [story])


def test_a_caption_of_several_lines_is_joined() -> None:
    text = page(FULL).replace("on Friday. (AFP)", "on Friday.\nTwo of them\nwork again. (AFP)")
    found = draft(text)
    assert found.caption == "Cranes at the port of Salalah on Friday. Two of them work again."
    assert found.credit == "AFP"


def test_a_credit_on_its_own_line_is_no_caption() -> None:
    found = draft(page(FULL).replace("on Friday. (AFP)", "on Friday.\nAFP"))
    assert (found.caption, found.credit) == ("Cranes at the port of Salalah on Friday.", "AFP")


def test_the_alt_text_of_the_photo_is_no_caption() -> None:
    story = replace(FULL, caption=None, credit=None)
    text = page(replace(story, caption=story.headline), FURTHER)
    assert_reads(text, [story, FURTHER])
    assert_reads(text.replace("Short Url\n", ""), [story, FURTHER])
    credited = replace(story, caption=story.headline, credit="SPA")
    assert_reads(page(credited), [replace(story, credit="SPA")])


def test_the_fields_of_a_feed_in_a_text_are_no_text() -> None:
    text = page(FULL) + "article author: Omar Haddad\narticle id: 7\n"
    assert_reads(text, [replace(FULL, byline="Omar Haddad")])


def test_a_photo_without_short_url_is_still_a_photo() -> None:
    assert_reads(page(FULL, FURTHER).replace("Short Url\n", ""), [FULL, FURTHER])


def test_a_bullet_may_stand_on_a_line_of_its_own() -> None:
    text = page(FULL, FURTHER).replace("• ", "•\n")
    assert_reads(text, [FULL, FURTHER])
    assert_reads(text.replace("\n\nMUSCAT", "\n  •\n\nMUSCAT"), [FULL, FURTHER])
    assert_reads(text.replace("\n\nMUSCAT", "\n  •\nMUSCAT"), [FULL, FURTHER])


def test_a_bullet_as_the_first_line_belongs_to_the_next() -> None:
    found = draft("•\nA headline here\n\n" + "It is a page with a long enough text in it. " * 3)
    assert found.headline == "• A headline here"


def test_a_dateline_may_stand_on_a_line_of_its_own() -> None:
    story = replace(FULL, body=("One.", "Two."))
    assert_reads(page(story).replace("MUSCAT: One.", "MUSCAT:\n\nOne."), [story])


@pytest.mark.parametrize(
    ("printed", "place", "agency"),
    [
        ("DUBAI, Jan 5 (Reuters) - ", "Dubai", "Reuters"),
        ("DUBAI (AP) — ", "Dubai", "AP"),
        ("DUBAI, 5 May (Xinhua) -- ", "Dubai", "Xinhua"),
        ("DUBAI, Sept. 9: ", "Dubai", None),
    ],
)
def test_an_agency_style_dateline_gives_place_and_byline(
    printed: str, place: str, agency: str | None
) -> None:
    story = replace(FULL, dateline="DUBAI", places=(place,), byline=agency)
    assert_reads(page(story).replace("DUBAI: ", printed), [story])


def test_furniture_never_reaches_a_body() -> None:
    story = replace(FULL, body=("One.", "Two.", "Three."))
    for junk in (
        "Short Url",
        "Follow",
        "1 / 4",
        "•",
        "Share\nTweet\nPrint\nEmail",
        "FOLLOW\nShare",
    ):
        text = page(story)
        for where in ("One.\n", "Two.\n", "Three.\n"):
            text = text.replace(where, f"{where}{junk}\n")
        assert_reads(text.replace("MUSCAT: One", f"{junk}\nMUSCAT: One"), [story])


def test_a_block_of_furniture_within_a_body_goes() -> None:
    text = body("medium")
    story = replace(FULL, body=text)
    block = "\nShort Url\nUpdated 09 May 2020\nFollow\n"
    assert_reads(page(story).replace(f"{text[1]}\n", f"{text[1]}{block}"), [story])


def test_the_origin_tells_path_hash_position_and_page() -> None:
    data = page(FULL, FURTHER).encode()
    digest = hashlib.sha256(data).hexdigest()
    for position, found in enumerate(page_text.parse(data, "pages/a.txt")):
        assert not isinstance(found, Reject)
        origin = found.origin
        assert (origin.path, origin.sha256, origin.position) == ("pages/a.txt", digest, position)
        assert (origin.reader, origin.reader_version) == ("page_text", page_text.VERSION)
        assert origin.page == digest


def test_an_article_without_text_is_rejected_and_the_others_are_not() -> None:
    empty = "\n\nNothing here\n\nUpdated 09 May 2020\nFollow\n\nNothing here\n\n  • But this\n"
    text = page(FULL) + empty + FURTHER.further()
    first, second, third = read(text, "a.txt")
    line = text[: text.index("Nothing here")].count("\n") + 1
    assert second == Reject("a.txt", line, "no body")
    assert isinstance(first, Draft)
    assert isinstance(third, Draft)
    assert fields(first) == FULL.fields()
    assert fields(third) == FURTHER.fields()
    assert third.origin.position == 2


def test_an_article_of_a_dateline_only_has_no_body() -> None:
    assert rejected(page(replace(FULL, body=("",)))) == [(1, "no body")]


def test_the_example_in_the_docstring_runs() -> None:
    assert doctest.testmod(page_text).attempted > 5
    assert doctest.testmod(page_text).failed == 0


def test_a_page_of_a_thousand_articles_is_read_whole() -> None:
    further = [replace(FURTHER, headline=f"Story number {n} of many") for n in range(1000)]
    assert len(drafts(page(FULL, *further))) == 1001


def test_ticker_symbols_in_brackets_are_no_markup() -> None:
    body = "Standard Oil <SRD> may buy <BP>, <XYZ> and <GHI>.\n\n<ABC> rose.\n\n<DEF> fell <JKL>."
    page = (
        "Standard Oil <SRD> to form unit\n\nUpdated 09 May 2020\nFollow\n\n"
        f"Standard Oil <SRD> to form unit\n\nLONDON: {body}\n"
    )
    (found,) = page_text.parse(page.encode(), "oil.txt")
    assert isinstance(found, Draft)
    assert found.body == body
