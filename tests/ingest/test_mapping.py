"""The names and shapes of common sources, each with the fields that its records must give."""

from __future__ import annotations

import doctest
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app import ingest
from app.ingest import Draft, Options, draft, field_names, mapping, options, record_values

BODY = "The city council of Porto voted on Tuesday to bring back night trams."
MORE = "The last tram leaves the square at half past two."
URL = "https://estuary.example.org/trams"
AT = datetime(2021, 3, 2, 8, 15, tzinfo=UTC)
DAY = datetime(2021, 3, 2, tzinfo=UTC)

SOURCES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "NewsAPI": (
        {
            "source": {"id": None, "name": "Estuary Post"},
            "author": "Ines Calloway",
            "title": "Night trams return",
            "description": MORE,
            "url": URL,
            "urlToImage": "https://estuary.example.org/t.jpg",
            "publishedAt": "2021-03-02T08:15:00Z",
            "content": f"{BODY}… [+2345 chars]",
        },
        {
            "source": "Estuary Post",
            "authors": ("Ines Calloway",),
            "summary": (MORE,),
            "url": URL,
            "published_at": AT,
            "body": f"{BODY}…",
            "warnings": ("body: cut by its source, 2345 characters are missing",),
        },
    ),
    "Guardian": (
        {
            "id": "world/2021/mar/02/trams",
            "type": "article",
            "sectionName": "World news",
            "webPublicationDate": "2021-03-02T08:15:00Z",
            "webTitle": "Night trams return",
            "webUrl": URL,
            "fields": {
                "trailText": MORE,
                "byline": "Ines Calloway",
                "body": f"<p>{BODY}</p><p>{MORE}</p>",
                "lastModified": "2021-03-02T09:15:00Z",
            },
            "tags": [{"id": "a/b", "webTitle": "Portugal"}],
        },
        {
            "section": "World news",
            "published_at": AT,
            "updated_at": datetime(2021, 3, 2, 9, 15, tzinfo=UTC),
            "url": URL,
            "summary": (MORE,),
            "byline": "Ines Calloway",
            "body": f"{BODY}\n\n{MORE}",
            "keywords": ("Portugal",),
        },
    ),
    "trafilatura": (
        {
            "title": "Night trams return",
            "author": "Ines Calloway; Tomas Berg",
            "hostname": "example.org",
            "date": "2021-03-02",
            "raw_text": "raw",
            "text": f"{BODY}\n{MORE}",
            "language": "en",
            "source": URL,
            "source-hostname": "Estuary Post",
            "excerpt": MORE,
            "categories": "Traffic",
            "tags": "trams;night",
        },
        {
            "source": "Estuary Post",
            "url": URL,
            "authors": ("Ines Calloway", "Tomas Berg"),
            "published_at": DAY,
            "published_precision": "day",
            "body": f"{BODY}\n\n{MORE}",
            "summary": (MORE,),
            "keywords": ("trams", "night", "Traffic"),
            "language": "en",
        },
    ),
    "news-please": (
        {
            "authors": ["Ines Calloway"],
            "date_download": "2021-03-05 07:00:11",
            "date_modify": None,
            "date_publish": "2021-03-02 08:15:00",
            "description": MORE,
            "maintext": BODY,
            "source_domain": "estuary.example.org",
            "text": None,
            "title": "Night trams return",
            "title_page": None,
            "url": URL,
        },
        {
            "authors": ("Ines Calloway",),
            "published_at": DAY,
            "published_precision": "day",
            "body": BODY,
            "source": "estuary.example.org",
        },
    ),
    "fundus": (
        {
            "title": "Night trams return",
            "authors": ["Ines Calloway"],
            "publishing_date": "2021-03-02 09:15:00+01:00",
            "topics": ["Trams"],
            "body": {
                "summary": ["Buses end."],
                "sections": [
                    {"headline": [], "paragraphs": [BODY]},
                    {"headline": ["The timetable"], "paragraphs": [MORE]},
                ],
            },
        },
        {
            "summary": ("Buses end.",),
            "body": f"{BODY}\n\nThe timetable\n\n{MORE}",
            "keywords": ("Trams",),
            "published_at": AT,
        },
    ),
    "HuffPost": (
        {
            "link": URL,
            "headline": "Night trams return",
            "category": "WORLD NEWS",
            "short_description": MORE,
            "authors": "Ines Calloway and Tomas Berg, AP",
            "date": "2021-03-02",
        },
        {
            "url": URL,
            "summary": (MORE,),
            "body": "",
            "section": "WORLD NEWS",
            "keywords": ("WORLD NEWS",),
            "authors": ("Ines Calloway", "Tomas Berg"),
            "published_at": DAY,
        },
    ),
    "CC-News": (
        {
            "title": "Night trams return",
            "text": BODY,
            "domain": "estuary.example.org",
            "date": "2021-03-02 08:15:00",
            "description": MORE,
            "url": URL,
            "image_url": None,
        },
        {"source": "estuary.example.org", "summary": (MORE,), "published_at": DAY, "url": URL},
    ),
    "SaudiNewsNet": (
        {
            "source": "aawsat",
            "url": URL,
            "date_extracted": "2015-07-21 02:51:32",
            "title": "عودة الترام الليلي",
            "author": "لندن: هدى الصالح",
            "content": "صوت مجلس المدينة يوم الثلاثاء على إعادة الترام.",
        },
        {"source": "aawsat", "published_at": None, "headline": "عودة الترام الليلي"},
    ),
    "Media Cloud": (
        {
            "stories_id": 7,
            "title": "Night trams return",
            "publish_date": "2021-03-02 08:15:00",
            "url": URL,
            "language": "en",
            "media_name": "Estuary Post",
            "media_url": "https://estuary.example.org",
        },
        {"source": "Estuary Post", "url": URL, "body": "", "language": "en", "published_at": DAY},
    ),
    "GDELT": (
        {
            "url": URL,
            "url_mobile": "",
            "title": "Night trams return",
            "seendate": "20210302T081500Z",
            "socialimage": "",
            "domain": "estuary.example.org",
            "language": "English",
            "sourcecountry": "Portugal",
        },
        {"published_at": AT, "source": "estuary.example.org", "language": "en", "url": URL},
    ),
    "MongoDB": (
        {
            "_id": {"$oid": "603e1c2f9d1e8a0012ab34c1"},
            "title": "Night trams return",
            "text": BODY,
            "date": {"$date": {"$numberLong": "1614672900000"}},
        },
        {"published_at": AT, "body": BODY, "guid": None},
    ),
    "Elasticsearch": (
        {"_index": "news", "_id": "a1", "_source": {"title": "Night trams return", "text": BODY}},
        {"headline": "Night trams return", "body": BODY, "warnings": ()},
    ),
    "WordPress": (
        {
            "id": 9,
            "date": "2021-03-02T09:15:00",
            "date_gmt": "2021-03-02T08:15:00Z",
            "link": URL,
            "title": {"rendered": "Trams &amp; buses"},
            "content": {"rendered": f"<p>{BODY}</p>\n", "protected": False},
            "excerpt": {"rendered": f"<p>{MORE}</p>\n"},
        },
        {"headline": "Trams & buses", "body": BODY, "summary": (MORE,), "published_at": AT},
    ),
    "New York Times": (
        {
            "headline": {"main": "Night trams return", "kicker": None},
            "abstract": MORE,
            "lead_paragraph": BODY,
            "web_url": URL,
            "pub_date": "2021-03-02T08:15:00+0000",
            "byline": {"original": "By Ines Calloway"},
            "section_name": "World",
            "keywords": [{"name": "glocations", "value": "Porto"}],
        },
        {
            "headline": "Night trams return",
            "summary": (MORE,),
            "url": URL,
            "published_at": AT,
            "byline": "By Ines Calloway",
            "authors": ("Ines Calloway",),
            "section": "World",
            "keywords": ("Porto",),
        },
    ),
    "schema.org": (
        {
            "@type": "NewsArticle",
            "headline": "Night trams return",
            "articleBody": BODY,
            "datePublished": "2021-03-02T08:15:00Z",
            "author": {"@type": "Person", "name": "Ines Calloway"},
            "publisher": {"@type": "Organization", "name": "Estuary Post"},
            "mainEntityOfPage": {"@id": URL},
            "inLanguage": "en-GB",
            "articleSection": ["World", "Traffic"],
        },
        {
            "body": BODY,
            "source": "Estuary Post",
            "authors": ("Ines Calloway",),
            "url": URL,
            "language": "en",
            "section": "World",
            "keywords": ("Traffic",),
            "published_at": AT,
        },
    ),
}


def drafts(record: object, **given: Any) -> list[Draft]:
    line = json.dumps(record).encode()
    found = ingest.read(
        io.BufferedReader(io.BytesIO(line)),
        "a.jsonl",
        Options.mapped(given.pop("columns", ()), **given),
    )
    made = list(found)
    assert all(isinstance(each, Draft) for each in made), made
    return made  # type: ignore[return-value]


@pytest.mark.parametrize("source", SOURCES)
def test_the_fields_of_a_common_source_are_known(source: str) -> None:
    record, expected = SOURCES[source]
    (found,) = drafts(record)
    assert {name: getattr(found, name) for name in expected} == expected
    assert not any("unknown" in warning for warning in found.warnings)


@pytest.mark.parametrize("name", ["TITLE ", " Title", "ti_tle", "ti-tle", "\ufefftitle", '"title"'])
def test_names_ignore_case_and_blanks(name: str) -> None:
    assert drafts({name: "Oil up"})[0].headline == "Oil up"


@pytest.mark.parametrize(
    ("record", "columns", "expected"),
    [
        ({"Hed Line": "A", "x": "B"}, ["headline=hed line", "body=x"], ("A", "B")),
        ({"doc": {"h": "A", "c": {"m": "B"}}}, ["headline=doc.h", "body=doc.c.m"], ("A", "B")),
        ({"doc": [{"hed": "A"}, {"hed": "B"}], "text": "C"}, ["headline=doc.0.hed"], ("A", "C")),
        ({"a.b": "A", "text": "C"}, ["headline=a.b"], ("A", "C")),
        ({"title": "no", "text": "A", "x": "B"}, ["headline=text", "body=x"], ("A", "B")),
    ],
)  # fmt: skip
def test_a_column_that_is_named_holds_the_field(
    record: dict[str, Any], columns: list[str], expected: tuple[str, str]
) -> None:
    (found,) = drafts(record, columns=columns)
    assert (found.headline, found.body) == expected
    assert found.warnings == ()


@pytest.mark.parametrize("text", ["headline", "=x", "headline= ", "shoe=size"])
def test_a_wrong_column_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"^map: "):
        Options.mapped([text])


def test_what_the_caller_says_wins() -> None:
    record = {"title": "A", "text": "B", "publisher": "Post", "lang": "de"}
    (found,) = drafts(
        record | {"date": "2021-03-02 08:15"}, source="Tide", language="PT", time_zone="+01:00"
    )
    assert (found.source, found.language) == ("Tide", "pt")
    assert found.published_at == datetime(2021, 3, 2, 7, 15, tzinfo=UTC)
    assert found.published_precision == "minute"


@pytest.mark.parametrize(
    "given", [{"time_zone": "Mars"}, {"language": "english"}, {"encoding": "x"}]
)
def test_a_wrong_option_is_told(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"^(tz|language|encoding): "):
        Options.mapped(**given)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("['Ines Calloway', 'Tomas Berg']", ("Ines Calloway", "Tomas Berg")),
        ("['Ines Calloway' 'Tomas Berg']", ("Ines Calloway", "Tomas Berg")),
        ('["Siobhan O\'Dea"]', ("Siobhan O'Dea",)),
        ('{"Ines Calloway","Tomas Berg"}', ("Ines Calloway", "Tomas Berg")),
        ("[]", ()),
        ("[" * 1000 + "]", ()),
        ([{"first_name": "Ines", "last_name": "Calloway"}], ("Ines Calloway",)),
        ([{"name": "Ines Calloway", "mail": "i@example.org"}], ("Ines Calloway",)),
        ({"name": "Ines Calloway"}, ("Ines Calloway",)),
        (["Ines Calloway", "Reuters", None, "nan"], ("Ines Calloway",)),
        (["Estuary Post"], ()),
        ("By Ines Calloway | Tomas Berg", ("Ines Calloway", "Tomas Berg")),
        ("Calloway, Ines", ("Calloway, Ines",)),
        ("brenckman,m.", ("brenckman,m.",)),
        ("Reporting by Ines Calloway; Editing by Tomas Berg", ("Ines Calloway",)),
    ],
)  # fmt: skip
def test_authors_are_names_alone(value: object, expected: tuple[str, ...]) -> None:
    (found,) = drafts({"title": "A", "source": "Estuary Post", "authors": value})
    assert found.authors == expected


def test_the_kind_of_a_date_decides_and_a_single_one_is_of_publication() -> None:
    record = {"title": "A", "modified": "2021-03-01", "created": "2021-03-02"}
    (found,) = drafts(record)
    assert found.published_at == DAY
    assert found.updated_at == datetime(2021, 3, 1, tzinfo=UTC)
    (found,) = drafts({"title": "A", "modified": "2021-03-02"})
    assert (found.published_at, found.updated_at) == (DAY, None)
    (found,) = drafts({"title": "A", "updated_at": "2021-03-02"})
    assert (found.published_at, found.updated_at) == (None, DAY)


def test_a_dateline_is_split_off_the_body() -> None:
    (found,) = drafts({"title": "A", "text": "LISBON, May 9 2020 (Reuters) - It rained.\nIt fell."})
    assert (found.dateline, found.places, found.body) == (
        "LISBON",
        ("Lisbon",),
        "It rained.\n\nIt fell.",
    )
    assert found.published_at == datetime(2020, 5, 9, tzinfo=UTC)
    (found,) = drafts({"title": "A", "dateline": "SALVADOR, Feb 26 -", "text": "It rained."})
    assert (found.dateline, found.places) == ("SALVADOR", ("Salvador",))
    exported = {"headline": "A", "body": "DOHA: It rained.", "dateline": None}
    assert drafts(exported)[0].body == "DOHA: It rained."


def test_an_export_s_names_come_first() -> None:
    record = {
        "headline": "A",
        "title": "B",
        "body": "C",
        "text": "D",
        "byline": None,
        "author": "E F",
    }
    (found,) = drafts(record)
    assert (found.headline, found.body, found.byline, found.authors) == ("A", "C", None, ("E F",))


def test_tables_of_names_hold_each_once_a_field() -> None:
    for names in field_names.FIELDS.values():
        assert len(set(names)) == len(names)
        assert all(field_names.folded(name) == name for name in names)
    assert set(field_names.FIELDS) == set(draft.FIELDS)
    assert not field_names.PASSED_OVER & field_names.KNOWN


@pytest.mark.parametrize("module", [mapping, options, record_values, field_names])
def test_the_examples_hold(module: Any) -> None:
    result = doctest.testmod(module, extraglobs={"Options": Options})
    assert result.attempted > 0
    assert result.failed == 0
