"""Pages of another make than the plain layout: read as far as they tell, with warnings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.ingest.page_text import parse
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
    rejected,
)

UNREPEATED = "headline: taken from the first line; the page does not repeat it"
NO_DATE = "published_at: the page prints no date"


def expected(story: Story, **others: object) -> dict[str, object]:
    return {**story.fields(), **others}


def undated(story: Story, *warnings: str, **others: object) -> dict[str, object]:
    return expected(story, published_at=None, published_precision=None, warnings=warnings, **others)


def story_of(size: str) -> Story:
    return replace(FULL, body=body(size))


@pytest.fixture(params=SIZES)
def full(request: pytest.FixtureRequest) -> Story:
    """A main article with everything, in each size."""
    return story_of(request.param)


@pytest.mark.parametrize("size", SIZES)
def test_an_amp_page_is_read_without_a_date(size: str) -> None:
    story = story_of(size)
    text = page(story).replace("Short Url\nUpdated 09 May 2020\nFollow\n", "")
    assert fields(draft(text)) == undated(story, NO_DATE)


@pytest.mark.parametrize("size", SIZES)
def test_an_amp_page_without_the_repeated_headline_warns_of_it(size: str) -> None:
    story = replace(story_of(size), summary=())
    photo = "Cranes at the port of Salalah on Friday. (AFP)"
    text = f"{story.headline}\n\n{photo}\n\nMUSCAT: " + "\n\n".join(story.body)
    assert fields(draft(text)) == undated(story, UNREPEATED, NO_DATE)


def test_an_amp_page_may_precede_further_articles(full: Story) -> None:
    text = page(full, FURTHER).replace("Short Url\nUpdated 09 May 2020\nFollow\n", "", 1)
    first, second = drafts(text)
    assert fields(first) == undated(full, NO_DATE)
    assert fields(second) == FURTHER.fields()
    assert (first.origin.position, second.origin.position) == (0, 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "top",
    [
        "World\nPorts reopen after the storm\nAFP | Published — Tuesday 3 January 2017\n",
        "Ports reopen after the storm\nAFP | Published — Tuesday 3 January 2017\n",
        "Home > World\nPorts reopen after the storm\nAFP |\nPublished — Tuesday 3 January 2017\n",
        "World\nPorts reopen after the storm\nAFP\nPublished: 3 January 2017\n",
    ],
)
def test_the_template_of_2017_tells_section_byline_and_day(top: str, size: str) -> None:
    story = replace(story_of(size), summary=(), caption=None, credit=None)
    text = f"{top}MUSCAT: " + "\n".join(story.body)
    assert fields(draft(text)) == expected(
        story,
        byline="AFP",
        section="World" if "World" in top else None,
        published_at=datetime(2017, 1, 3, tzinfo=UTC),
        published_precision="day",
        warnings=(UNREPEATED,),
    )


def test_a_gallery_has_its_counters_removed(full: Story) -> None:
    text = page(full).replace(
        "Cranes at the port of Salalah on Friday. (AFP)",
        "1 / 3\nA boat. (AFP)\n2 / 3\nA ship. (SPA)\n3 / 3\nA crane. (AFP)",
    )
    found = draft(text)
    assert (found.caption, found.credit) == ("A boat. A ship. A crane.", "AFP; SPA")
    assert found.body == "\n\n".join(full.body)


@pytest.mark.parametrize(
    ("date", "doubt"),
    [
        ("2 min 59 sec ago", "is relative to an unknown time"),
        ("5 hours ago", "is relative to an unknown time"),
        ("31 February 2020", "is not a day of the calendar"),
        ("09 May 0000", "has a year out of range"),
        ("09 May 9999", "has a year out of range"),
        ("09 Foo 2020", "names no month that is known"),
        ("at 5 this morning", "is not a date"),
        ("09/05/2020", "may have the day or the month first"),
    ],
)
@pytest.mark.parametrize("story", [FULL, replace(FURTHER, headline="Another")])
def test_what_is_no_date_gives_none_and_a_warning(story: Story, date: str, doubt: str) -> None:
    text = page(FURTHER, story) if story is not FULL else page(story)
    *_, found = drafts(text.replace(f"Updated {story.date}", f"Updated {date}"))
    warning = f'published_at: "Updated {date}" {doubt}'
    last = replace(story, date=date)
    assert fields(found)["warnings"] == (warning,)
    assert found.published_at is None
    assert found.published_precision is None
    assert found.body == "\n\n".join(last.body)


def test_a_line_that_says_updated_counts_beside_follow_or_short_url_only(full: Story) -> None:
    story = replace(full, body=("One.", "Updated 5 of the piers", "Two."))
    assert_reads(page(story, FURTHER), [story, FURTHER])


def test_breadcrumbs_and_search_forms_are_passed_over(full: Story) -> None:
    top = "Skip to main content\nSearch form\nSearch\nYou are here\nHome > Saudi Arabia\n\n"
    assert fields(draft(top + page(full))) == expected(full, section="Saudi Arabia")


def test_a_breadcrumb_that_repeats_the_headline_is_no_section() -> None:
    text = "Home > Ports reopen\nPorts reopen\n\nBy Omar Haddad\n\n" + "\n".join(body("medium"))
    found = draft(text)
    assert (found.headline, found.section, found.byline) == ("Ports reopen", None, "Omar Haddad")
    assert found.body == "\n\n".join(body("medium"))


@pytest.mark.parametrize(
    ("line", "byline"),
    [
        ("ARAB NEWS STAFF", "ARAB NEWS STAFF"),
        ("By John Smith", "John Smith"),
        ("Arab News", "Arab News"),
    ],
)
def test_a_byline_may_stand_before_the_headline(line: str, byline: str, full: Story) -> None:
    assert fields(draft(f"{line}\n\n{page(full)}")) == expected(full, byline=byline)


@pytest.mark.parametrize(
    ("line", "byline"),
    [("By John Smith", "John Smith"), ("ARAB NEWS PAKISTAN", "ARAB NEWS PAKISTAN")],
)
def test_a_byline_may_stand_above_or_below_the_photo_line(
    line: str, byline: str, full: Story
) -> None:
    above = page(full).replace("\n\nCranes", f"\n\n{line}\nCranes")
    below = page(full).replace("MUSCAT: ", f"{line}\n\nMUSCAT: ")
    assert fields(draft(above)) == expected(full, byline=byline)
    assert fields(draft(below)) == expected(full, byline=byline)


def test_a_name_in_capitals_above_a_photo_is_a_byline(full: Story) -> None:
    text = page(full).replace("\n\nCranes", "\n\nOMAR HADDAD\nCranes")
    warning = 'byline: "OMAR HADDAD" is only a line in capitals'
    assert fields(draft(text)) == expected(full, byline="OMAR HADDAD", warnings=(warning,))


def test_a_day_above_the_photo_dates_a_page_without_an_updated_line(full: Story) -> None:
    text = (
        page(full)
        .replace("Updated 09 May 2020\n", "")
        .replace("\n\nCranes", "\n\nMay 9, 2020\nCranes")
    )
    assert fields(draft(text)) == full.fields()


def test_a_byline_and_a_time_may_stand_inside_the_block(full: Story) -> None:
    text = page(full).replace("2020\nFollow", "2020\nAFP\nMay 08, 202022:15\nFollow")
    assert fields(draft(text)) == expected(full, byline="AFP")


def test_a_byline_inside_the_block_of_a_further_article_does_not_hide_it(full: Story) -> None:
    text = page(full, FURTHER).replace("December 2025\n", "December 2025\nBy Omar Haddad\n")
    first, second = drafts(text)
    assert fields(first) == full.fields()
    assert fields(second) == expected(FURTHER, byline="Omar Haddad")


def test_a_published_line_and_an_updated_line_tell_both_days(full: Story) -> None:
    text = page(full).replace("\n\nCranes", "\n\nPublished: May 2, 2020\nCranes")
    found = draft(text)
    assert fields(found) == expected(full, published_at=datetime(2020, 5, 2, tzinfo=UTC))
    assert found.updated_at == full.published_at


def test_a_page_without_any_day_says_so(full: Story) -> None:
    text = page(full).replace("Updated 09 May 2020\n", "")
    assert fields(draft(text)) == undated(full, NO_DATE)


def test_a_day_in_the_dateline_is_the_last_resort(full: Story) -> None:
    text = page(full).replace("Updated 09 May 2020\n", "")
    found = draft(text.replace("MUSCAT: ", "MUSCAT, 9 May 2020: "))
    warning = 'published_at: taken from the dateline, "9 May 2020"'
    assert fields(found) == expected(full, warnings=(warning,))
    found = draft(text.replace("MUSCAT: ", "MUSCAT, 31 April 2020: "))
    assert fields(found) == undated(full, NO_DATE)


def test_a_dateline_before_a_dash_is_read_with_a_warning(full: Story) -> None:
    found = draft(page(full).replace("MUSCAT: ", "MUSCAT — "))
    warning = 'dateline: "MUSCAT" is set off by a dash, not by a colon'
    assert fields(found) == expected(full, warnings=(warning,))


@pytest.mark.parametrize("size", SIZES)
def test_the_fields_of_a_feed_are_no_text(size: str) -> None:
    story = replace(story_of(size), summary=(), caption=None, credit=None)
    text = (
        f"article id: 123\narticle author:\nAFP\n{story.headline}\nMUSCAT: "
        + "\n".join(story.body)
        + "\narticle section: World\nTags: ports\nID: 77\n"
    )
    assert fields(draft(text)) == undated(story, UNREPEATED, NO_DATE, byline="AFP")


def test_the_address_that_a_page_prints_is_its_url(full: Story) -> None:
    text = page(full).replace("Short Url\n", "Short Url\nhttps://arab.news/abc12\n")
    assert fields(draft(text)) == full.fields()
    text = "https://www.example.com/node/7\n" + page(full)
    assert draft(text).url == "https://www.example.com/node/7"


def test_an_address_may_stand_above_the_photo_or_an_amp_page_s_text(full: Story) -> None:
    short = page(full).replace("\n\nCranes", "\n\nhttps://arab.news/abc12\nCranes")
    assert fields(draft(short)) == full.fields()
    whole = short.replace("https://arab.news/abc12", "https://www.example.com/node/7")
    assert fields(draft(whole)) == expected(full, url="https://www.example.com/node/7")
    amp = whole.replace("Short Url\nUpdated 09 May 2020\nFollow\n", "")
    assert fields(draft(amp)) == undated(full, NO_DATE, url="https://www.example.com/node/7")


def test_lines_above_a_further_article_that_are_no_story_are_left_out() -> None:
    warning = "body: one line before the headline left out"
    found = draft("A few words" + FURTHER.further())
    assert fields(found) == expected(FURTHER, warnings=(warning,))


def test_a_paragraph_above_a_further_article_is_rejected_not_dropped() -> None:
    reject, found = parse((body("short")[0] + FURTHER.further()).encode(), "page.txt")
    assert (reject.line, reject.reason) == (1, "text above a headline that is of no article")  # type: ignore[union-attr]
    assert fields(found) == FURTHER.fields()  # type: ignore[arg-type]


def test_wrongly_decoded_text_is_kept_and_told(full: Story) -> None:
    story = replace(
        full, headline="The kingâ€™s port", body=("CafÃ© and more.",), summary=("Fine",)
    )
    assert fields(draft(page(story))) == expected(
        story,
        warnings=(
            'headline: holds "â€™", which looks wrongly decoded',
            'body: holds "Ã©", which looks wrongly decoded',
        ),
    )


def test_bytes_that_are_not_utf_8_are_told_by_line_and_offset() -> None:
    data = page(FULL, FURTHER).encode()
    at = data.rindex(b"One of us") if b"One of us" in data else len(data) - 5
    broken = data[:at] + b"\xff\xfe" + data[at:]
    line = data[:at].count(b"\n") + 1
    first, second = drafts(broken)
    assert fields(first) == FULL.fields()
    assert second.warnings == (
        f"text: line {line} has bytes that are not UTF-8, the first at byte {at}",
    )
    assert second.body.count("\ufffd") == 2


def test_many_undecodable_lines_are_counted() -> None:
    lines = [*body("long")]
    story = replace(FULL, body=tuple(lines))
    data = page(story).encode()
    for line in set(lines):
        data = data.replace(line.encode(), line.encode() + b"\xff")
    found = draft(data)
    assert len(found.warnings) == 11
    assert found.warnings[-1] == "text: 50 more lines have bytes that are not UTF-8"


def test_garbage_above_the_headline_is_left_out_with_a_warning(full: Story) -> None:
    found = draft(f"@@##\nxj1 q\nundefined\n{page(full)}")
    assert fields(found) == expected(full, warnings=("body: 3 lines before the headline left out",))
    found = draft(f"Some other words\n{page(full)}")
    assert fields(found) == expected(
        full, warnings=("body: one line before the headline left out",)
    )


def test_garbage_above_an_unmarked_headline_is_told(full: Story) -> None:
    text = f"qq zz\n{page(full)}".replace("Short Url\nUpdated 09 May 2020\nFollow\n", "")
    warning = 'headline: "qq zz" above it was left out'
    assert fields(draft(text)) == undated(full, warning, NO_DATE)


def test_a_body_before_the_headline_is_taken_with_a_warning(full: Story) -> None:
    text = "\n".join(body("medium")) + "\n\n" + page(replace(full, dateline=None, body=("",)))
    found = draft(text)
    assert found.body == "\n\n".join(body("medium"))
    assert found.warnings == ("body: stands before the headline",)


def test_a_headline_that_is_repeated_in_other_words_is_told(full: Story) -> None:
    text = page(full, FURTHER)
    above, below = text.split("Follow", maxsplit=1)
    text = f"{above}Follow" + below.replace(full.headline, "Ports reopen late after the storm", 1)
    first, second = drafts(text)
    warning = 'headline: the page repeats it as "Ports reopen late after the storm"'
    assert fields(first) == expected(full, warnings=(warning,))
    assert fields(second) == FURTHER.fields()


def test_a_headline_that_is_not_repeated_is_told(full: Story) -> None:
    text = page(full, FURTHER)
    for story in (full, FURTHER):
        text = text.replace(f"Follow\n\n{story.headline}\n", "Follow\n")
    warning = "headline: the page does not repeat it"
    first, second = drafts(text)
    assert fields(first) == expected(full, warnings=(warning,))
    assert fields(second) == expected(FURTHER, warnings=(warning,))


def test_a_further_headline_that_stands_only_below_is_told(full: Story) -> None:
    text = page(full, FURTHER).replace(f"\n\n{FURTHER.headline}\n\nUpdated", "\nUpdated")
    first, second = drafts(text)
    assert fields(first) == full.fields()
    assert fields(second) == expected(FURTHER, warnings=("headline: the page does not repeat it",))


def test_a_headline_that_stands_only_below_on_a_page_of_its_own(full: Story) -> None:
    text = page(replace(full, caption=None, credit=None)).removeprefix(f"{full.headline}\n\n")
    found = draft(text)
    assert found.headline == full.headline
    assert found.warnings == ("headline: the page does not repeat it",)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "empty"),
        (" \n\u00a0\n\ufeff", None, "empty"),
        ("Short Url\nUpdated 09 May 2020\nFollow\nShare\n", None, "nothing but page furniture"),
        ("Updated at 5\nFollow\n", None, "nothing but page furniture"),
        ("a\0b", None, "binary, not text"),
        ("\x01\x02\x03 abc", None, "binary, not text"),
        ("%PDF-1.4\n1 0 obj\nendobj\n", None, "binary, not text"),
        ("Arab News\nShort Url\nFollow\n", None, "nothing but page furniture"),
        (
            "Search\nSaudi Arabia\nMiddle East\nWorld\nSport\n",
            None,
            "nothing but page furniture",
        ),
        (
            page(replace(FULL, body=tuple(f"<p>{line}</p>" for line in body("long")), summary=())),
            None,
            "HTML, not the text of a page",
        ),
        (
            page(replace(FULL, headline="About us", caption=None, credit=None)),
            None,
            'a static page ("About us"), not an article',
        ),
        ("  <!DOCTYPE html><p>Text.</p>", None, "HTML, not the text of a page"),
        ("\n<html><body>Text.</body></html>", None, "HTML, not the text of a page"),
        ("<p>Some text</p>\n<b>in tags</b>", None, "HTML, not the text of a page"),
        (
            "About us\n\nWe are a newspaper.\n\nWe print.",
            None,
            'a static page ("About us"), not an article',
        ),
        (
            "Terms of use\n\nUpdated 09 May 2020\n\nBe nice.\n",
            None,
            'a static page ("Terms of use"), not an article',
        ),
        (
            "Privacy Policy\n\nWe keep all.\n",
            None,
            'a static page ("Privacy Policy"), not an article',
        ),
        ("Contact Us\n\nBy mail.\n", None, 'a static page ("Contact Us"), not an article'),
        ("Only a headline", 1, "no body"),
        ("MUSCAT: A text that has no headline.\n\nAnd goes on.", 1, "no headline"),
        ("x" * 400 + "\nShort.", 1, "no headline"),
    ],
)
def test_what_is_no_article_is_rejected_with_the_reason(
    text: str, line: int | None, reason: str
) -> None:
    assert rejected(text) == [(line, reason)]


def test_bytes_that_are_no_text_of_their_encoding_are_told(full: Story) -> None:
    broken = page(full).encode("utf-16") + b"\0"
    line, byte = page(full).count("\n") + 1, len(broken) - 1
    warning = f"text: line {line} has bytes that are not UTF-16, the first at byte {byte}"
    assert draft(broken).warnings == (warning,)


@pytest.mark.parametrize("count", [3, 12, 60])
def test_a_listing_is_rejected(count: int) -> None:
    listing = (None, "a listing of headlines, not an article")
    dated = "Tag: ports\n\n" + "".join(
        f"Story number {n}\n\nUpdated 0{n % 9 + 1} May 2020\n\n" for n in range(count)
    )
    teasers = dated.replace("2020\n", "2020\nA short line of the story, no more than that.\n")
    blocks = dated.replace("2020\n", "2020\nFollow\n")
    repeated = "".join(
        replace(FURTHER, headline=f"Story {n}", body=("",), dateline=None).further()
        for n in range(count)
    )
    for text in (dated, teasers, blocks, repeated):
        assert rejected(text) == [listing]
    titles = "".join(f"Story number {n} of many\n" for n in range(2 * count))
    assert rejected(titles) == [listing]


def test_tags_in_a_text_do_not_make_it_markup(full: Story) -> None:
    assert_reads(
        page(full, replace(FURTHER, body=("<3 percent.", "A <b>bold</b> plan."))),
        [full, replace(FURTHER, body=("<3 percent.", "A <b>bold</b> plan."))],
    )


@pytest.mark.parametrize(
    ("tail", "warnings"),
    [
        ("Related", ()),
        ("© 2020 A PUBLISHER, All Rights Reserved.", ()),
        ("Most Popular\nA storm\nIs it over?", ('body: 3 lines from "Most Popular" on left out',)),
        (
            "Main category:\nWorld\nTags:\nPorts",
            ('body: 4 lines from "Main category:" on left out',),
        ),
        ("Topics: Ports\nSearch form", ('body: 2 lines from "Topics: Ports" on left out',)),
    ],
)
def test_what_a_page_prints_after_a_story_is_left_out(
    tail: str, warnings: tuple[str, ...], full: Story
) -> None:
    for story in (full, replace(full, summary=())):
        first, second = drafts(f"{story.main()}{tail}\n{FURTHER.further()}{tail}\n")
        assert fields(first) == expected(story, warnings=warnings)
        assert fields(second) == expected(FURTHER, warnings=warnings)


def test_a_short_url_at_the_end_starts_no_story(full: Story) -> None:
    for tail in ("Short Url\n", "Related\nShort Url\nhttps://arab.news/abc12\n"):
        assert_reads(page(full, FURTHER) + tail, [full, FURTHER])


def test_the_same_story_twice_on_a_page_is_one(full: Story) -> None:
    assert_reads(page(full, FURTHER, FURTHER), [full, FURTHER])
    later = replace(FURTHER, date="06 December 2025")
    first, *_, last = drafts(page(FURTHER, later, FURTHER, later))
    assert [one.origin.position for one in (first, last)] == [0, 1]


def test_a_section_or_a_menu_above_an_unrepeated_headline_is_no_headline() -> None:
    story = replace(FULL, summary=())
    text = page(story).replace(f"Follow\n\n{story.headline}\n", "Follow\n")
    warning = "headline: the page does not repeat it"
    found = draft("World\n\n" + text)
    assert fields(found) == expected(story, section="World", warnings=(warning,))
    found = draft("Home\nSaudi Arabia\nWorld\nSport\n\n" + text)
    assert fields(found) == expected(story, warnings=(warning,))


def test_a_menu_of_sections_names_no_section(full: Story) -> None:
    assert_reads("Home\nSaudi Arabia\nMiddle East\nWorld\n\n" + page(full), [full])
    text = f"Saudi Arabia\nWorld\n{full.headline}\nAFP | 9 May 2020\n" + "\n".join(full.body)
    assert draft(text).section is None


def test_a_credited_line_above_a_headline_that_stands_only_below_is_the_photo_s() -> None:
    text = page(FULL).removeprefix(f"{FULL.headline}\n\n")
    warning = "headline: the page does not repeat it"
    assert fields(draft(text)) == expected(FULL, warnings=(warning,))


def test_of_two_versions_of_a_headline_the_one_decoded_rightly_counts(full: Story) -> None:
    for wrong in ("ï»¿" + full.headline, full.headline.replace("the", "theâ€™s")):
        warning = f'headline: the page repeats it as "{wrong}"'
        text = page(full).replace(full.headline, wrong, 1)
        assert fields(draft(text)) == expected(full, warnings=(warning,))


def test_a_photo_may_follow_the_repeated_headline_of_an_unmarked_page() -> None:
    story = replace(FULL, summary=())
    text = (
        f"{story.headline}\n{story.headline}\nAFP | Published — Saturday 9 May 2020\n"
        "Cranes at the port of Salalah on Friday. (AFP)\nMUSCAT: " + "\n".join(story.body)
    )
    assert fields(draft(text)) == expected(story, byline="AFP")
    credited = text.replace("Cranes at the port of Salalah on Friday. (AFP)\n", "")
    assert draft(credited + " (AFP)").caption is None
    assert draft(credited.split("MUSCAT")[0] + "MUSCAT: It rained. (AFP)\nA lot.").caption is None


def test_an_author_and_a_day_may_have_a_bar_between_them() -> None:
    story = replace(FULL, summary=(), caption=None, credit=None)
    text = f"World\n{story.headline}\nJANE DOE\n|\nMay 09, 2020\nMUSCAT: " + "\n".join(story.body)
    assert fields(draft(text)) == expected(
        story, byline="JANE DOE", section="World", warnings=(UNREPEATED,)
    )


@pytest.mark.parametrize(
    "feed",
    [
        "author: Reuters\nid: 1689352467\nDate: Sat, 2020-05-09 12:33\n",
        "article author:\nReuters\n1588970000\nSat, 2020-05-09 23:33\n",
    ],
)
def test_the_fields_of_a_feed_may_follow_the_headline(feed: str) -> None:
    story = replace(FULL, summary=(), caption=None, credit=None)
    text = f"{story.headline}\n{feed}MUSCAT: " + "\n".join(story.body)
    assert fields(draft(text)) == expected(story, byline="Reuters", warnings=(UNREPEATED,))


def test_an_unlabelled_field_is_a_feed_s_only_beside_an_id() -> None:
    text = f"{FULL.headline}\nAuthor: Jane Doe\nTitle: The Book\n" + "\n".join(body("medium"))
    assert draft(text).body.startswith("Author: Jane Doe\n\nTitle: The Book\n\n")


def test_a_date_line_that_says_no_more_than_updated_gives_none(full: Story) -> None:
    warning = 'published_at: "Updated" is not a date'
    for story in (full, replace(full, caption=None, credit=None)):
        found = draft(page(story).replace("Updated 09 May 2020", "Updated"))
        assert fields(found) == undated(story, warning)
    _, second = drafts(page(full, FURTHER).replace("Updated 5 December 2025", "Updated"))
    assert fields(second) == undated(FURTHER, warning)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("Jane Doe", 'byline: "Jane Doe" is only a line beside the day'),
        ("JANE DOE", 'byline: "JANE DOE" is only a line in capitals'),
    ],
)
def test_a_name_between_short_url_and_the_day_is_a_byline(
    name: str, warning: str, full: Story
) -> None:
    text = page(full).replace("Short Url\n", f"Short Url\n{name}\n")
    assert fields(draft(text)) == expected(full, byline=name, warnings=(warning,))


def test_a_name_after_short_url_that_no_day_follows_is_no_byline(full: Story) -> None:
    story = replace(full, credit=None)
    for text in (page(story).replace("Url\n", "Url\nJane Doe\nAnd more\n"), "Short Url\nJane Doe"):
        assert all(getattr(one, "byline", None) is None for one in parse(text.encode(), "a.txt"))


def test_a_name_after_the_photo_s_line_is_a_byline(full: Story) -> None:
    text = page(full).replace("(AFP)\n", "(AFP)\nJane Doe\n")
    warning = 'byline: "Jane Doe" is only a line after the photo\'s'
    assert fields(draft(text)) == expected(full, byline="Jane Doe", warnings=(warning,))


def test_a_name_in_capitals_before_the_headline_is_a_byline(full: Story) -> None:
    warning = 'byline: "JANE DOE" is only a line in capitals'
    found = draft(f"JANE DOE\n\n{page(full)}")
    assert fields(found) == expected(full, byline="JANE DOE", warnings=(warning,))


@pytest.mark.parametrize("line", ["BREAKING NEWS", "LIVE UPDATES", "NEW ZEALAND"])
def test_other_words_in_capitals_before_the_headline_are_no_byline(line: str, full: Story) -> None:
    warning = "body: one line before the headline left out"
    assert fields(draft(f"{line}\n\n{page(full)}")) == expected(full, warnings=(warning,))


@pytest.mark.parametrize("line", ["Search", "Share\nTweet", "https://arab.news/abc12"])
def test_other_furniture_may_follow_the_block_that_dates_a_story(line: str, full: Story) -> None:
    assert_reads(page(full, FURTHER).replace("Follow\n", f"Follow\n{line}\n"), [full, FURTHER])


def test_a_body_before_an_unrepeated_headline_is_taken_with_warnings(full: Story) -> None:
    photo = "Cranes at the port of Salalah on Friday. (AFP)"
    text = (
        "MUSCAT: "
        + "\n".join(full.body)
        + f"\n\n{full.headline}\n\n{photo}\nShort Url\nUpdated 09 May 2020\nFollow\n"
    )
    warnings = ("headline: the page does not repeat it", "body: stands before the headline")
    assert fields(draft(text)) == expected(full, summary=(), warnings=warnings)
    first, second = drafts(text + FURTHER.further())
    assert fields(first) == expected(full, summary=(), warnings=warnings)
    assert fields(second) == FURTHER.fields()


def test_a_headline_with_the_name_of_the_site_is_the_one_without(full: Story) -> None:
    wrong = f"{full.headline} | Arab News"
    warning = f'headline: the page repeats it as "{wrong}"'
    text = page(full).replace(full.headline, wrong, 1)
    assert fields(draft(text)) == expected(full, warnings=(warning,))


def test_a_photo_and_a_section_may_follow_an_unmarked_headline() -> None:
    story = replace(FULL, summary=())
    photo = "Cranes at the port of Salalah on Friday. (AFP)"
    text = f"{story.headline}\n{photo}\nWorld\nAFP | 9 May 2020\nMUSCAT: " + "\n".join(story.body)
    assert fields(draft(text)) == expected(
        story, byline="AFP", section="World", warnings=(UNREPEATED,)
    )


def test_the_value_of_a_feed_s_field_may_stand_on_the_next_line(full: Story) -> None:
    text = page(full) + "article author:\nOmar Haddad\narticle source:\nA paper\n"
    assert fields(draft(text)) == expected(full, byline="Omar Haddad")


def test_a_feed_s_title_is_the_headline() -> None:
    text = "article title: Ports reopen\narticle id: 7\n" + "\n".join(body("medium"))
    found = draft(text)
    assert (found.headline, found.body) == ("Ports reopen", "\n\n".join(body("medium")))
