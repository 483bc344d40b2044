"""Records: each an article, with warnings for what it could not take, or a reject."""

from __future__ import annotations

import csv
import doctest
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.ingest import cleaning, records
from app.ingest.draft import Draft, NoText, Reject
from app.ingest.field_names import DERIVED
from app.ingest.options import Options

LEAST = {"headline": "Ports reopen", "body": "One."}


def read(data: bytes | str, options: Options = Options()) -> list[Draft | Reject]:  # noqa: B008
    raw = data.encode() if isinstance(data, str) else data
    reader = records.JsonLines("a.jsonl", options)
    return reader.feed(raw) + reader.end()


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
        "authors": ["Omar Haddad", "Jane Roe"],
        "keywords": ["ports", "rain"],
        "usage_terms": "Not for resale.",
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
        assert found.origin.reader_version == records.VERSION
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
    assert found.body == cleaning.paragraphs(body)
    assert found.warnings == ("headline: missing, the first sentence of the text",)


def test_a_headline_alone_is_an_article() -> None:
    assert draft(headline="DAM HOLDS", body=None).body == ""
    found = draft(headline=None, body=None, summary=["It held. It rained."])
    assert (found.headline, found.body) == ("It held.", "")


@pytest.mark.parametrize(
    "fields", [{"headline": None, "body": " "}, {"headline": " \u200b", "body": "\n \n"}]
)
def test_a_record_without_a_text_is_rejected(fields: dict[str, Any]) -> None:
    assert reason(json.dumps(LEAST | fields)) == "neither headline nor body"


def test_a_record_without_known_names_tells_them() -> None:
    (found,) = read('{"price": 3, "day": "Monday"}')
    assert found == NoText("a.jsonl", 1, "neither headline nor body", ("price", "day"))


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"caption": True}, "caption: must be text, not true or false: left out"),
        ({"credit": {"x": 1}}, "credit: must be text, not an object: left out"),
        ({"places": [{"x": 1}]}, "places: must be text, not an object: left out"),
        (
            {"sender_version": "two"},
            "sender_version: must be a whole number from 0 to 2^63-1: left out",
        ),
        (
            {"sender_version": 2**63},
            "sender_version: must be a whole number from 0 to 2^63-1: left out",
        ),
        ({"urgency": 0}, "urgency: must be a whole number from 1 to 9: left out"),
        ({"urgency": 2.5}, "urgency: must be a whole number from 1 to 9: left out"),
        (
            {"updated_at": "2020-05-09T12:30"},
            'updated_at: "2020-05-09T12:30" has no time zone: only its day is kept',
        ),
        ({"language": "elvish"}, 'language: "elvish" is not a language tag: left out'),
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
        ({"published_at": 1589}, 'published_at: "1589" is not a date'),
        ({"published_at": "yesterday"}, 'published_at: "yesterday" is not a date'),
        ({"published_at": "2020-02-31"}, 'published_at: "2020-02-31" is not a date'),
        ({"published_at": "2020-05-09T25:00Z"}, 'published_at: "2020-05-09T25:00Z" is not a date'),
        (
            {"published_at": "0001-01-01T00:00+05:00"},
            'published_at: "0001-01-01T00:00+05:00" is not a date',
        ),
        (
            {"published_at": "2020-05-09", "published_precision": "hour"},
            "published_precision: must be day, minute or second: left out",
        ),
        (
            {"published_at": "2020-05-09", "published_precision": "second"},
            'published_precision: "second", but published_at is only a day',
        ),
        ({"guid": "g" * 3_000}, "guid: 3,000 characters, more than 2,048: left out"),
        ({"section": "s" * 10_001}, "section: 10,001 characters, more than 10,000: left out"),
        (
            {"keywords": [f"word {n}" for n in range(300)]},
            "keywords: 300 texts, of which 200 are kept",
        ),
    ],
)
def test_an_optional_field_that_cannot_be_read_is_left_out_and_told(
    fields: dict[str, Any], warning: str
) -> None:
    assert draft(**fields).warnings == (warning,)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("soon", 'embargoed_until: "soon" is not a date'),
        (
            "2020-05-09T12:30",
            'embargoed_until: "2020-05-09T12:30" has no time zone (see --tz)',
        ),
        ("03/02/2021", 'embargoed_until: "03/02/2021" is not a date'),
    ],
)
def test_an_embargo_that_cannot_be_read_keeps_the_article_out(until: str, expected: str) -> None:
    assert reason(json.dumps(LEAST | {"embargoed_until": until})) == expected


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"headline": 1984}, "headline", "1984"),
        ({"body": ["One.", "Two."]}, "body", "One.\n\nTwo."),
        ({"body": "One.\0"}, "body", "One."),
        ({"summary": "One"}, "summary", ("One",)),
        ({"guid": 7}, "guid", "7"),
        ({"sender_version": "2"}, "sender_version", 2),
        ({"sender_version": 2.0}, "sender_version", 2),
        ({"places": "DUBAI; riyadh"}, "places", ("Dubai", "Riyadh")),
        ({"places": [None, "Dubai"]}, "places", ("Dubai",)),
        ({"language": "eng"}, "language", "en"),
        ({"language": "zh-Hans"}, "language", "zh"),
        ({"language": "English"}, "language", "en"),
        ({"url": "http://a/b c|d"}, "url", "http://a/b%20c%7Cd"),
        ({"url": "//example.org/a"}, "url", "https://example.org/a"),
        ({"byline": ["Jane Roe", "John Doe"]}, "byline", "Jane Roe, John Doe"),
        ({"urgency": "3"}, "urgency", 3),
        ({"subjects": ["Ports"]}, "keywords", ("Ports",)),
        ({"headline": "NaN", "body": "It rained."}, "headline", "It rained."),
    ],
)
def test_a_value_of_another_type_is_taken(
    fields: dict[str, Any], name: str, expected: object
) -> None:
    assert getattr(draft(**fields), name) == expected


@pytest.mark.parametrize(
    "line",
    ["{", "nonsense", '{"a":' * 3000 + "1" + "}" * 3000, '{"headline": "a" "body": "b"}'],
)
def test_a_line_that_is_no_json_is_rejected(line: bytes | str) -> None:
    assert reason(line).startswith("not JSON: ")


@pytest.mark.parametrize(
    ("line", "headline"),
    [
        (b'{"headline": "a", "byline": NaN}', "a"),
        (b'{"headline": "a \\ud800 b"}', "a \ufffd b"),
        (b'{"headline": "a\tb"}', "a b"),
    ],
)
def test_json_that_is_written_loosely_is_read(line: bytes, headline: str) -> None:
    (found,) = read(line)
    assert isinstance(found, Draft)
    assert found.headline == headline


def test_half_a_character_costs_one_and_is_told() -> None:
    (found,) = read('{"headline": "a \\ud800 b", "body": "It rained \\udc00."}')
    assert isinstance(found, Draft)
    assert found.body == "It rained \ufffd."
    assert found.warnings == (
        "headline: holds half a character, which is left out",
        "body: holds half a character, which is left out",
    )


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
    extras: dict[str, Any] = {name: [{"any": 1}] for name in DERIVED}
    assert draft(**extras).warnings == ()


def test_unknown_fields_are_told_once() -> None:
    line = json.dumps(LEAST | {"shelf": 1, "rack": [2], "bay": None})
    first, second = read(f"{line}\n{line}")
    assert isinstance(first, Draft)
    assert isinstance(second, Draft)
    assert first.warnings == (
        '"rack": an unknown field, left out',
        '"shelf": an unknown field, left out',
    )
    assert second.warnings == ()
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
    long = b"x" * (records.LIMIT_BYTES + over)
    first, second = read(long + b"\n" + line)
    assert first == Reject("a.jsonl", 1, "longer than 8 MiB, the limit of a record")
    assert isinstance(second, Draft)
    assert second.origin.position == 2
    assert read(long) == [first]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_of_the_limit_is_read(end: bytes) -> None:
    line = json.dumps(LEAST).encode()
    (found,) = read(line.ljust(records.LIMIT_BYTES) + end)
    assert isinstance(found, Draft)


def test_no_lines_are_no_articles() -> None:
    assert read(b"") == read(b"\n \n\r\n") == []


def test_the_example_in_the_docstring_runs() -> None:
    result = doctest.testmod(records)
    assert result.attempted == 4
    assert result.failed == 0


def test_reading_a_table_leaves_the_process_as_it_is() -> None:
    before = csv.field_size_limit(1_000)
    try:
        reader = records.Csv("a.csv", Options())
        (found,) = reader.feed(f"headline,body\nRain,{'x' * 1_001}\n".encode()) + reader.end()
        assert isinstance(found, Reject)
        assert "field limit" in found.reason
        assert csv.field_size_limit() == 1_000
    finally:
        csv.field_size_limit(before)
