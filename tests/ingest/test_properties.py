"""What holds for every input: no crash, no lost article, no furniture in a body, no long wait."""

from __future__ import annotations

import io
import json
import re
import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import ingest
from app.ingest import Draft, Reject
from app.ingest.cleaning import key
from tests.ingest.page_text.pages import FULL, FURTHER, Story, assert_reads, fields, page, read

HEAD = FULL.headline
PIECES = [
    *(
        "Short Url",
        "Updated 09 May 2020",
        "Updated 5 hours ago",
        "Updated at 5",
        "Follow",
        HEAD,
        HEAD,
    ),
    *(
        "• One",
        "•",
        "DUBAI: Text.",
        "DUBAI:",
        "(AFP)",
        "1 / 4",
        "Share",
        "Tweet",
        "",
        "",
        "",
        "World",
    ),
    *(
        "ARAB NEWS STAFF",
        "By John Smith",
        "Home > World",
        "AFP | Published — Tuesday 3 January 2017",
    ),
    *(
        "article author:",
        "article id: 7",
        "Author: x",
        "|",
        ">",
        "null",
        "About us",
        "https://x.yz/a",
    ),
    *(
        "A sentence that is long enough to be a paragraph of a story, " * 2,
        "9 May 2020",
        "\u200e",
        "/AFP",
    ),
    *("DUBAI/RIYADH, Jan 5 (Reuters) - Text.", "Photo: Omar", "(", ")", ":", "<b>", "â€™"),
]


@st.composite
def pieced(draw: st.DrawFn, pieces: list[str] = PIECES) -> str:
    ends = st.sampled_from(["\n", "\n", "\n\n", "\r\n", "\u00a0\n", "."])
    drawn = draw(st.lists(st.tuples(st.sampled_from(pieces), ends), max_size=16))
    return "".join(piece + end for piece, end in drawn)


def check(found: list[Draft | Reject]) -> None:
    assert found
    for one in found:
        if isinstance(one, Reject):
            assert one.reason
            continue
        assert one.headline == one.headline.strip() != ""
        assert "\n" not in one.headline
        paragraphs = one.body.split("\n\n")
        assert all(text == text.strip() != "" and "\n" not in text for text in paragraphs)
        assert not {"short url", "follow", "•", "1 / 4"} & {text.casefold() for text in paragraphs}
        assert (one.published_at is None) == (one.published_precision is None)
        assert one.published_at is None or one.published_at.utcoffset() is not None
        assert all(re.match(r"[a-z_]+: .", warning) for warning in one.warnings)


@given(st.one_of(pieced(), st.text()))
@settings(max_examples=600)
def test_no_text_crashes_the_page_reader(text: str) -> None:
    check(read(text.encode("utf-8", "surrogatepass")))


@given(st.binary(max_size=400))
def test_no_bytes_crash_any_reader(data: bytes) -> None:
    for name in ingest.FORMATS:
        stream: io.BufferedReader = io.BufferedReader(io.BytesIO(data))
        for found in ingest.read(stream, "a", ingest.Options(format=name)):
            assert isinstance(found, Draft | Reject)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
NAMES = st.sampled_from(
    ["headline", "body", "summary", "url", "published_at", "published_precision", "id", "x"]
)


@given(st.dictionaries(NAMES, VALUES))
def test_no_json_object_crashes_the_line_reader(value: dict[str, object]) -> None:
    stream: io.BufferedReader = io.BufferedReader(io.BytesIO(json.dumps(value).encode()))
    (found,) = ingest.read(stream, "a", ingest.Options(format="json_lines"))
    assert isinstance(found, Draft | Reject)


WORD = st.text(alphabet="abcdefghéüñ'’-0123456789$%&,", min_size=1, max_size=9)
WORDS = st.lists(WORD, min_size=3, max_size=9).map(" ".join)
SENTENCE = WORDS.map(lambda words: f"The {words} was so.")
HEADLINE = WORDS.map(lambda words: f"About {words}")
CITY = st.sampled_from([("DUBAI", "Dubai"), ("NEW YORK", "New York"), ("AL-MUKALLA", "Al-Mukalla")])
MONTHS = "January February March April May June July August September October November December"


@st.composite
def stories(draw: st.DrawFn) -> Story:
    cities = draw(st.lists(CITY, max_size=3, unique=True))
    day = draw(st.dates(date(2000, 1, 1), date(2024, 12, 31)))
    return Story(
        headline=draw(HEADLINE),
        summary=tuple(draw(st.lists(WORDS, max_size=3))),
        body=tuple(draw(st.lists(SENTENCE, min_size=1, max_size=6))),
        dateline="/".join(printed for printed, _ in cities) or None,
        places=tuple(name for _, name in cities),
        date=f"{day.day:02} {MONTHS.split()[day.month - 1]} {day.year}",
        published_at=datetime(day.year, day.month, day.day, tzinfo=UTC),
        gap=draw(st.sampled_from(["\n", "\n\n", "\n\u00a0\n\n"])),
    )


@st.composite
def pages(draw: st.DrawFn) -> list[Story]:
    unique = st.lists(
        stories(), min_size=1, max_size=4, unique_by=lambda story: key(story.headline)
    )
    main, *further = draw(unique)
    caption = draw(st.none() | SENTENCE)
    credit = draw(st.none() | st.sampled_from(["AFP", "Reuters/File", "Photo Courtesy: ISPR"]))
    return [
        replace(main, caption=caption, credit=credit, credited=" ({})" if caption else "({})"),
        *further,
    ]


@given(pages(), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["", "\ufeff"]))
@settings(max_examples=300)
def test_a_random_plain_page_gives_its_fields(made: list[Story], end: str, mark: str) -> None:
    assert_reads((mark + page(*made)).replace("\n", end).encode(), made)


@given(pieced([piece for piece in PIECES if piece != HEAD]), st.text(max_size=60))
@settings(max_examples=300)
def test_junk_around_a_page_loses_none_of_its_articles(junk: str, noise: str) -> None:
    safe = "".join(char for char in noise if char.isprintable())
    text = f"{junk}\n{safe}\n\n{page(FULL, FURTHER)}\n\n{safe}\n"
    if "<" in text:
        return
    found = [one for one in read(text) if isinstance(one, Draft)]
    bodies = {(one.headline, one.body.split("\n\n")[0]) for one in found}
    assert {(story.headline, story.body[0]) for story in (FULL, FURTHER)} <= bodies


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["Short Url", "Follow", "3 / 9", "•"])),
        max_size=6,
    )
)
def test_furniture_between_paragraphs_never_reaches_a_body(junk: list[tuple[int, str]]) -> None:
    sentences = [f"Sentence number {n} of the story." for n in range(6)]
    lines = list(sentences)
    for at, line in junk:
        lines.insert(lines.index(sentences[at]), line)
    made = replace(FULL, dateline=None, places=(), body=tuple(sentences))
    text = page(replace(made, body=tuple(lines)))
    assert [one.body for one in read(text) if isinstance(one, Draft)] == ["\n\n".join(sentences)]


N = 200_000
HOSTILE = [
    *(
        " ",
        "\u00a0",
        "(",
        ")",
        "()",
        "AB/",
        "AB ",
        "AB, ",
        ":",
        "•",
        "• ",
        "<a",
        "<",
        "”.",
        " - ",
        "jan.",
    ),
    *(
        "a |",
        "Home > ",
        "Updated ",
        "a",
        "A",
        "é",
        "A'",
        "\u200e",
        "\u200b",
        "9 May ",
        "http://",
        "/AFP ",
    ),
    *("\u0301\u0316", "AFP", "Photo: ", "By A ", "-", "—", "1 / ", "U.", "'", "AND "),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_line_takes_no_seconds(unit: str) -> None:
    line = (unit * N)[:N]
    plain = page(FULL)
    started = time.process_time()
    for text in (
        line,
        f"{line}\n{line}\n{line}",
        f"{line})\n{line}AFP",
        plain.replace("Cranes", line),
        plain.replace("(AFP)", f"{line})"),
        plain.replace("MUSCAT: ", line),
        plain.replace("MUSCAT: ", f"{line}: "),
        plain.replace("MUSCAT: ", f"MUSCAT{line}: "),
        plain.replace("Updated 09", f"Updated {line} 09"),
        plain.replace(HEAD, line),
        "\n".join(line[start : start + 60] for start in range(0, N, 60)),
    ):
        read(text)
    assert time.process_time() - started < 11 * 0.5


def test_fields_of_a_page_do_not_depend_on_its_path() -> None:
    one, other = read(page(FULL), "a.txt")[0], read(page(FULL), "b")[0]
    assert isinstance(one, Draft)
    assert isinstance(other, Draft)
    assert fields(one) == fields(other)
