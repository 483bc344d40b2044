"""HTML, references and wrapped lines become paragraphs; nothing else changes."""

from __future__ import annotations

import doctest
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ingest import markup


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>One.</p>\n<p>Two <a href='x'>three</a>.</p>", "One.\n\nTwo three."),
        ("<div>One.<br><br>Two.</div>", "One.\n\nTwo."),
        ("<p>One\nline.</p><!-- <p>no</p> --><p>Two.</p>", "One line.\n\nTwo."),
        ("<script>a < b</script><p>One.</p><style>p {}</style>", "One."),
        ("<ul><li>One</li><li>Two</li></ul>", "One\n\nTwo"),
        ("<b>One.</b> Two.\nThree.", "One. Two.\n\nThree."),
        ("<p title=\"a > b\" class='x'>One.</p>", "One."),
        ("&lt;p&gt;One &amp;amp; two.&lt;/p&gt;&lt;p&gt;Three.&lt;/p&gt;", "One & two.\n\nThree."),
        ("AT&amp;T&#8217;s caf&eacute; &amp;quot;x&amp;quot;", 'AT&T’s café "x"'),
        ("R&D, AT&T, ?a=1&copy=2 and &bogus;", "R&D, AT&T, ?a=1&copy=2 and &bogus;"),
        ("Oil <SRD> rose, a < b, x <y@z.org>", "Oil <SRD> rose, a < b, x <y@z.org>"),
        (r"One.\n\nTwo.\r\nThree.", "One.\n\nTwo.\n\nThree."),
        (r"The folder C:\new is full.", r"The folder C:\new is full."),
        ("<td>One</td><td>two</td>", "One two"),
        ("<ruby>漢<rt>kan</rt></ruby>", "漢"),
    ],
)  # fmt: skip
def test_a_text_comes_out_plain(text: str, expected: str) -> None:
    assert markup.paragraphs(text) == expected


WRAPPED = [
    ("The board chose a new\npilot on Friday after a\nvote.", ["new pilot", "a vote"]),
    (
        "The board chose a new\npilot on Friday.\n    He starts on Monday and\nwins.",
        ["a new pilot on Friday."],
    ),
    ("The board chose a well-\nknown pilot on Friday\nafter noon.", ["well-known", "Friday after"]),
    ("「市議会は火曜日に夜の路面電車を戻すことを決\n定した。", ["決定"]),
]


@pytest.mark.parametrize(("text", "expected"), WRAPPED)
def test_wrapped_lines_become_paragraphs(text: str, expected: list[str]) -> None:
    found = markup.paragraphs(text)
    assert all(words in found for words in expected)
    assert found.count("\n\n") == text.count("\n    ")
    assert markup.paragraphs(text.replace("\n", "\r\n")) == found


@pytest.mark.parametrize(
    "text",
    [
        "One sentence stands here.\nAnother stands there.\nA third one.",
        "Ports: Doha\nShips: 12\nWinners: none of them at all",
        "Shr 11 cts vs 21 cts\n    Net 563,000 vs 863,000\n    Revs 28.8 mln vs 32.5 mln",
        "Ayes     12     yes\nNoes      3     no\nabsent    1     none",
        "word " * 40 + "ends\nhere and there",
    ],
)
def test_lines_that_were_not_wrapped_stay_paragraphs(text: str) -> None:
    found = markup.paragraphs(text).split("\n\n")
    assert len(found) == text.count("\n") + 1


@given(st.text())
def test_no_text_crashes_and_plain_text_is_left(text: str) -> None:
    found = markup.paragraphs(text)
    assert markup.line(text) is not None
    assert "\n\n\n" not in found


@pytest.mark.parametrize(
    "unit",
    ["<", "<a ", '<a "', "<a '", "<!--", "<script>", "<rt>", "<svg ", "&amp;", "&#", "a\n", "\\n"],
)
def test_a_hostile_text_takes_no_seconds(unit: str) -> None:
    text = (unit * 200_000)[:400_000] + "<p>"
    started = time.process_time()
    markup.paragraphs(text)
    assert time.process_time() - started < 5


def test_the_examples_hold() -> None:
    assert doctest.testmod(markup).failed == 0


@pytest.mark.parametrize(
    "written",
    [
        "Sears <S> and Du Pont Co <DD> bought <B and R International Inc>.",
        "Phillips Petroleum <P> sued USAir <U>; <Li Ka-shing Foundations Ltd> did not.",
        "<Audio/Video Affiliates Inc> said Reuters <RT> rose.",
    ],
)
def test_companies_in_angle_brackets_are_no_markup(written: str) -> None:
    assert markup.paragraphs(written) == written


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("First.<P>Second.<P>Third", "First.\n\nSecond.\n\nThird"),
        ("<dl><dt>a<dd>b</dl>", "a\n\nb"),
        ("<td nowrap>a<td>b", "a b"),
        ("<font color=red>red, <iframe src='a'>", "red,"),
        ("<p>A <S> b <b>c</b></p>", "A <S> b c"),
    ],
)
def test_tags_that_nothing_ends_are_known_by_what_they_are(written: str, read: str) -> None:
    assert markup.paragraphs(written) == read
