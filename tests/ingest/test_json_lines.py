"""JSON Lines: each line an article or a reject that names what is wrong."""

from __future__ import annotations

import doctest
import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.ingest import json_lines, normal
from app.ingest.draft import Draft, Reject

LEAST = {"headline": "Ports reopen", "body": "One."}


def read(data: bytes | str) -> list[Draft | Reject]:
    raw = data.encode() if isinstance(data, str) else data
    return list(json_lines.read(io.BufferedReader(io.BytesIO(raw)), "a.jsonl"))


def draft(**fields: Any) -> Draft:
    (found,) = read(json.dumps(LEAST | fields))
    assert isinstance(found, Draft), found
    return found


def reason(line: bytes | str) -> str:
    (found,) = read(line)
    assert isinstance(found, Reject), found
    assert (found.path, found.line) == ("a.jsonl", 1)
    return found.reason


def test_every_field_is_taken_over() -> None:
    given = {
        "summary": ["One thing", "Two"],
        "caption": "A boat.",
        "credit": "AFP",
        "byline": "Omar Haddad",
        "dateline": "DUBAI/RIYADH",
        "places": ["Dubai", "Riyadh"],
        "source": "The Tide",
        "url": "https://example.com/a?b=c",
        "language": "EN",
        "section": "World",
        "warnings": ["caption: doubtful"],
    }
    found = draft(**given, published_at="2020-05-09T12:30:00+03:00")
    for name, value in given.items():
        expected = tuple(value) if isinstance(value, list) else value
        assert getattr(found, name) == ("en" if name == "language" else expected)
    assert found.published_at == datetime(2020, 5, 9, 9, 30, tzinfo=UTC)
    assert found.published_precision == "second"


def test_the_least_line_gives_empty_fields() -> None:
    found = draft()
    assert (found.headline, found.body) == ("Ports reopen", "One.")
    for name in ("caption", "credit", "byline", "dateline", "published_at", "published_precision"):
        assert getattr(found, name) is None
    for name in ("source", "url", "language", "section"):
        assert getattr(found, name) is None
    assert found.summary == found.places == found.warnings == ()


def test_null_and_blank_are_absent() -> None:
    names = (
        "summary",
        "caption",
        "places",
        "published_at",
        "published_precision",
        "url",
        "language",
        "warnings",
    )
    assert draft(**dict.fromkeys(names)) == draft_like(draft(**dict.fromkeys(names)))
    found = draft(caption=" \u00a0", summary=["", "One"], url="")
    assert (found.caption, found.summary, found.url) == (None, ("One",), None)


def draft_like(found: Draft) -> Draft:
    return Draft(headline="Ports reopen", body="One.", origin=found.origin)


def test_the_origin_is_the_line() -> None:
    line = json.dumps(LEAST).encode()
    first, second = read(b"\n" + line + b"\r\n \n" + line)
    assert isinstance(first, Draft)
    assert isinstance(second, Draft)
    assert (first.origin.position, second.origin.position) == (2, 4)
    for found in (first, second):
        assert found.origin.sha256 == hashlib.sha256(line).hexdigest()
        assert (found.origin.path, found.origin.reader) == ("a.jsonl", "json_lines")
        assert found.origin.reader_version == json_lines.VERSION
        assert found.origin.page is None


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ("One.\nTwo.", "One.\n\nTwo."),
        ("One.\r\nTwo.\rThree.", "One.\n\nTwo.\n\nThree."),
        ("  One. \n\n\n \u00a0\nTwo.\n", "One.\n\nTwo."),
        ("One.\n\nTwo.", "One.\n\nTwo."),
        ("Cafe\u0301", "Café"),
        ("A " + "e\u0301" * 3000, "A " + "é" * 3000),
    ],
)
def test_a_body_has_one_blank_line_between_paragraphs(given: str, body: str) -> None:
    assert draft(body=given).body == body


def test_a_headline_is_one_line() -> None:
    assert draft(headline=" Ports\r\nreopen\u00a0 soon ").headline == "Ports reopen soon"


@pytest.mark.parametrize(
    ("at", "precision", "expected", "told"),
    [
        ("2020-05-09", None, datetime(2020, 5, 9, tzinfo=UTC), "day"),
        ("2020-05-09", "day", datetime(2020, 5, 9, tzinfo=UTC), "day"),
        ("2020-05-09T12:30Z", None, datetime(2020, 5, 9, 12, 30, tzinfo=UTC), "minute"),
        ("2020-05-09t12:30:15z", None, datetime(2020, 5, 9, 12, 30, 15, tzinfo=UTC), "second"),
        (
            "2020-05-09 12:30:15.75+0300",
            None,
            datetime(2020, 5, 9, 9, 30, 15, tzinfo=UTC),
            "second",
        ),
        ("2020-05-09T12:30:15Z", "minute", datetime(2020, 5, 9, 12, 30, tzinfo=UTC), "minute"),
        ("2020-05-09T01:30:15+03:00", "day", datetime(2020, 5, 8, tzinfo=UTC), "day"),
        ("2020-05-09T12:30:15", "day", datetime(2020, 5, 9, tzinfo=UTC), "day"),
        ("2020-05-09T12:30Z", "second", datetime(2020, 5, 9, 12, 30, tzinfo=UTC), "second"),
    ],
)
def test_instants_come_out_in_utc_with_their_precision(
    at: str, precision: str | None, expected: datetime, told: str
) -> None:
    found = draft(published_at=at, published_precision=precision)
    assert (found.published_at, found.published_precision) == (expected, told)


def test_what_the_sender_says_of_the_story_is_kept() -> None:
    found = draft(
        guid=" urn:x:1 ",
        sender_version=3,
        updated_at="2020-05-11T12:01:00+03:00",
        embargoed_until="2020-05-12",
    )
    assert (found.guid, found.sender_version) == ("urn:x:1", 3)
    assert found.updated_at == datetime(2020, 5, 11, 9, 1, tzinfo=UTC)
    assert found.embargoed_until == datetime(2020, 5, 12, tzinfo=UTC)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("body", "headline"),
    [
        ("The board chose a pilot. He starts soon.", "The board chose a pilot."),
        ("Mr. Roe of the U.S. board chose. He won.", "Mr. Roe of the U.S. board chose."),
        ("“It is full,” he said. Rain fell.", "“It is full,” he said."),
        ("Shares rose 3.5 pct\n\nThey fell later.", "Shares rose 3.5 pct"),
        ("word " * 60, "word " * 40 + "…"),
    ],
)
def test_a_text_without_a_headline_gets_its_first_sentence(body: str, headline: str) -> None:
    found = draft(headline=None, body=body)
    assert found.headline == headline
    assert found.body == normal.paragraphs(body)
    assert found.warnings == ("headline: missing, the first sentence of the text",)


def test_a_headline_alone_is_an_article() -> None:
    assert draft(headline="DAM HOLDS", body=None).body == ""
    found = draft(headline=None, body=None, summary=["It held. It rained."])
    assert (found.headline, found.body) == ("It held.", "")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"headline": None, "body": " "}, "neither headline nor body"),
        ({"headline": " \u200b", "body": "\n \n"}, "neither headline nor body"),
        ({"headline": 7}, "headline: must be text, not a number"),
        ({"body": ["One."]}, "body: must be text, not a list"),
        ({"body": "One.\0"}, "body: holds a NUL character"),
        ({"caption": {}}, "caption: must be text, not an object"),
        ({"credit": True}, "credit: must be text, not true or false"),
        ({"summary": "One"}, "summary: must be a list of texts, not text"),
        ({"summary": ["One", 2.5]}, "summary: must be text, not a number"),
        ({"guid": 7}, "guid: must be text, not a number"),
        (
            {"sender_version": "2"},
            "sender_version: must be a whole number from 0 to 2^63-1",
        ),
        (
            {"sender_version": 2**63},
            "sender_version: must be a whole number from 0 to 2^63-1",
        ),
        (
            {"updated_at": "2020-05-09T12:30"},
            'updated_at: "2020-05-09T12:30" has no time zone',
        ),
        (
            {"embargoed_until": "soon"},
            'embargoed_until: "soon" is not an ISO 8601 date and time',
        ),
        ({"places": [None]}, "places: must be text, not null"),
        ({"language": "eng"}, 'language: must be a code of two letters, not "eng"'),
        (
            {"url": "ftp://example.com"},
            'url: must be an http or https address, not "ftp://example.com"',
        ),
        ({"url": "https://"}, 'url: must be an http or https address, not "https://"'),
        ({"url": "http://[x"}, 'url: must be an http or https address, not "http://[x"'),
        (
            {"url": "http://a:99999/"},
            'url: must be an http or https address, not "http://a:99999/"',
        ),
        ({"url": "http://a/b c"}, 'url: must be an http or https address, not "http://a/b c"'),
        ({"published_at": 1589}, "published_at: must be text, not a number"),
        (
            {"published_at": "yesterday"},
            'published_at: "yesterday" is not an ISO 8601 date and time',
        ),
        (
            {"published_at": "2020-02-31"},
            'published_at: "2020-02-31" is not an ISO 8601 date and time',
        ),
        (
            {"published_at": "2020-W19-6"},
            'published_at: "2020-W19-6" is not an ISO 8601 date and time',
        ),
        (
            {"published_at": "2020-05-09T25:00Z"},
            'published_at: "2020-05-09T25:00Z" is not an ISO 8601 date and time',
        ),
        (
            {"published_at": "0001-01-01T00:00+05:00"},
            'published_at: "0001-01-01T00:00+05:00" is not an ISO 8601 date and time',
        ),
        ({"published_at": "2020-05-09T12:30"}, 'published_at: "2020-05-09T12:30" has no time zone'),
        ({"published_precision": "hour"}, "published_precision: must be day, minute or second"),
        ({"published_precision": ["day"]}, "published_precision: must be day, minute or second"),
        (
            {"published_at": "2020-05-09", "published_precision": "second"},
            'published_precision: "second", but published_at is only a day',
        ),
    ],
)
def test_a_bad_value_is_rejected_by_its_name(fields: dict[str, Any], expected: str) -> None:
    assert reason(json.dumps(LEAST | fields)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "nonsense",
        '{"headline": NaN}',
        '{"headline": "a", "body": "\\ud800"}',
        '{"a":' * 3000 + "1" + "}" * 3000,
        b'{"headline": "\xff"}',
        '{"headline": "a" "body": "b"}',
        '{"headline": "a\tb"}',
    ],
)
def test_a_line_that_is_no_json_is_rejected(line: bytes | str) -> None:
    assert reason(line).startswith("not JSON: ")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[]", "a list"),
        ("7", "a number"),
        ('"x"', "text"),
        ("null", "null"),
        ("true", "true or false"),
    ],
)
def test_a_line_that_is_no_object_is_rejected(line: str, kind: str) -> None:
    assert reason(line) == f"not an object but {kind}"


def test_an_export_s_own_fields_are_passed_over() -> None:
    extras: dict[str, Any] = {name: [{"any": 1}] for name in json_lines.DERIVED}
    assert draft(**extras).warnings == ()


def test_unknown_fields_are_told() -> None:
    assert draft(tags=[], author="x").warnings == (
        '"author": an unknown field, left out',
        '"tags": an unknown field, left out',
    )
    assert (
        draft(**{f"x{n}": 1 for n in range(14)}).warnings[-1] == "4 more unknown fields, left out"
    )


def test_a_precision_without_a_date_is_told() -> None:
    found = draft(published_precision="day")
    assert found.published_precision is None
    assert found.warnings == ("published_precision: left out, there is no published_at",)


def test_a_duplicate_key_is_no_error() -> None:
    (found,) = read('{"headline": "a", "body": "b", "headline": "c"}')
    assert isinstance(found, Draft)
    assert found.headline == "c"


def test_a_byte_order_mark_and_a_missing_last_line_end_do_not_matter() -> None:
    line = json.dumps(LEAST).encode()
    first, second = read(b"\xef\xbb\xbf" + line + b"\n" + line)
    assert isinstance(first, Draft)
    assert isinstance(second, Draft)
    assert first.origin.sha256 == second.origin.sha256


def test_a_bad_line_does_not_stop_the_next() -> None:
    line = json.dumps(LEAST)
    first, second, third = read(f"{line}\nnonsense\n{line}\n")
    assert isinstance(first, Draft)
    assert isinstance(second, Reject)
    assert second.line == 2
    assert isinstance(third, Draft)
    assert third.origin.position == 3


@pytest.mark.parametrize("over", [1, 2, 3, 100_000])
def test_a_line_over_the_limit_is_passed_by(over: int) -> None:
    line = json.dumps(LEAST).encode()
    long = b"x" * (json_lines.LIMIT_BYTES + over)
    first, second = read(long + b"\n" + line)
    assert first == Reject("a.jsonl", 1, "longer than 8 MiB, the limit of a line")
    assert isinstance(second, Draft)
    assert second.origin.position == 2
    assert read(long) == [first]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_of_the_limit_is_read(end: bytes) -> None:
    line = json.dumps(LEAST).encode()
    (found,) = read(line.ljust(json_lines.LIMIT_BYTES) + end)
    assert isinstance(found, Draft)


def test_no_lines_are_no_articles() -> None:
    assert read(b"") == read(b"\n \n\r\n") == []


def test_the_example_in_the_docstring_runs() -> None:
    result = doctest.testmod(json_lines)
    assert result.attempted == 4
    assert result.failed == 0
