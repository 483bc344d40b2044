"""Whole files as common sources and programs write them, each with what it must give."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from app import ingest
from app.ingest import Draft, Reject, records

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = "The city council of Porto voted on Tuesday to bring back night trams."
MORE = "The last tram leaves the square at half past two."
URL = "https://estuary.example.org/trams"
AT = datetime(2021, 3, 2, 8, 15, tzinfo=UTC)
DAY = datetime(2021, 3, 2, tzinfo=UTC)
LEAST = {"title": "Trams", "text": BODY}
NEWSAPI = {
    "source": {"id": "estuary-post", "name": "Estuary Post"},
    "author": "Ines Calloway",
    "title": "Trams",
    "description": MORE,
    "url": URL,
    "urlToImage": None,
    "publishedAt": "2021-03-02T08:15:00Z",
    "content": BODY,
}
GUARDIAN: dict[str, Any] = {
    "id": "world/2021/mar/02/trams",
    "type": "article",
    "sectionId": "world",
    "sectionName": "World news",
    "webPublicationDate": "2021-03-02T08:15:00Z",
    "webTitle": "Trams",
    "webUrl": URL,
    "apiUrl": "https://content.example.org/world/2021/mar/02/trams",
    "fields": {"bodyText": BODY, "standfirst": f"<p>{MORE}</p>", "thumbnail": "x.jpg"},
    "tags": [
        {"id": "profile/ines", "type": "contributor", "webTitle": "Ines Calloway"},
        {"id": "world/portugal", "type": "keyword", "webTitle": "Portugal"},
    ],
    "isHosted": False,
    "pillarId": "pillar/news",
    "pillarName": "News",
}
OF_GUARDIAN = {
    "headline": "Trams",
    "body": BODY,
    "summary": (MORE,),
    "authors": ("Ines Calloway",),
    "keywords": ("Portugal",),
    "section": "World news",
    "published_at": AT,
    "url": URL,
}
FUNDUS = {
    "title": "Trams",
    "body": {
        "summary": [MORE],
        "sections": [
            {"headline": [], "paragraphs": [BODY]},
            {"headline": ["The timetable"], "paragraphs": [MORE]},
        ],
    },
    "authors": ["Ines Calloway"],
    "publishing_date": "2021-03-02 09:15:00+01:00",
    "topics": ["Porto"],
    "free_access": True,
    "images": [{"versions": [{"url": "x.jpg"}], "caption": "A tram.", "authors": ["AFP"]}],
    "html": {
        "requested_url": f"{URL}?ref=front",
        "responded_url": URL,
        "crawl_date": "2021-03-05 07:00:11",
        "source_info": {"publisher": "Estuary Post"},
    },
}
MEDIA_CLOUD = {
    "stories_id": 7,
    "processed_stories_id": 8,
    "title": "Trams",
    "publish_date": "2021-03-02 08:15:00.000000",
    "collect_date": "2021-03-02 09:15:00",
    "url": URL,
    "guid": URL,
    "language": "en",
    "media_id": 1,
    "media_name": "Estuary Post",
    "media_url": "https://estuary.example.org",
    "ap_syndicated": 0,
    "themes": "",
    "story_tags": [{"tags_id": 3, "tag_set": "labels", "tag": "portugal"}],
    "feeds": [{"feeds_id": 2, "name": "World"}],
}
MONGO: dict[str, Any] = {
    "_id": {"$oid": "603e1c2f9d1e8a0012ab34c1"},
    "title": "Trams",
    "text": BODY,
    "date": {"$date": "2021-03-02T08:15:00Z"},
    "tags": ["Porto"],
}
OF_MONGO = {"headline": "Trams", "body": BODY, "published_at": AT, "keywords": ("Porto",)}
ROWS: list[dict[str, Any]] = [
    {"title": "Trams", "text": BODY, "date": "2021-03-02"},
    {"title": "Buses", "text": MORE, "date": None},
]
OF_ROWS: list[dict[str, Any]] = [
    {"headline": "Trams", "body": BODY, "published_at": DAY},
    {"headline": "Buses", "body": MORE, "published_at": None},
]
NAMES = [*ROWS[0]]
CELLS = [list(row.values()) for row in ROWS]


def in_lines(*records: object) -> str:
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records)


Expected = list[dict[str, Any]]
FILES: dict[str, tuple[str, str, Expected]] = {
    "NewsAPI: an answer": (
        "everything.json",
        json.dumps({"status": "ok", "totalResults": 1, "articles": [NEWSAPI]}),
        [{"source": "Estuary Post", "body": BODY, "published_at": AT, "summary": (MORE,)}],
    ),
    "NewsAPI: a table with objects as Python writes them": (
        "articles.csv",
        ("source,author,title,publishedAt,content\n"
        "\"{'id': None, 'name': 'Estuary Post'}\",Ines Calloway,Trams,2021-03-02T08:15:00Z,"
        f"{BODY}\n"),
        [{"source": "Estuary Post", "authors": ("Ines Calloway",), "published_at": AT}],
    ),
    "NewsAPI: a table of flat names": (
        "articles.csv",
        f"source.id,source.name,title,publishedAt,content\n,Estuary Post,Trams,,{BODY}\n",
        [{"source": "Estuary Post", "headline": "Trams", "body": BODY, "published_at": None}],
    ),
    "Guardian: a search": (
        "search.json",
        json.dumps({"response": {"status": "ok", "userTier": "developer", "total": 1,
                                 "pages": 1, "results": [GUARDIAN]}}),
        [OF_GUARDIAN],
    ),
    "Guardian: an article": (
        "article.json",
        json.dumps({"response": {"status": "ok", "userTier": "developer", "total": 1,
                                 "content": GUARDIAN}}),
        [OF_GUARDIAN],
    ),
    "trafilatura: CSV": (
        "corpus.csv",
        ("url\tid\tfingerprint\thostname\ttitle\timage\tdate\ttext\tcomments\tlicense\tpagetype\n"
        f"{URL}\tnull\tb0c1\testuary.example.org\tTrams\tnull\t2021-03-02\t{BODY}\\n{MORE}"
        "\tnull\tnull\tarticle\n"),
        [{"url": URL, "source": "estuary.example.org", "body": f"{BODY}\n\n{MORE}",
          "published_at": DAY, "usage_terms": None}],
    ),
    "trafilatura: JSON": (
        "corpus.json",
        in_lines(*[{"title": "Trams", "author": None, "date": "2021-03-02", "id": None,
                    "license": None, "comments": "", "raw_text": BODY, "text": BODY,
                    "source": URL, "source-hostname": "Estuary Post", "tags": "", "categories": "",
                    "filedate": "2021-03-05", "pagetype": "article"}] * 2),
        [{"url": URL, "source": "Estuary Post", "authors": (), "keywords": ()}] * 2,
    ),
    "news-please": (
        "trams.html.json",
        json.dumps({"authors": ["Ines Calloway", "Tomas Berg"],
                    "date_download": "2021-03-05 07:00:11+00:00",
                    "date_modify": "2021-03-02 10:15:00+00:00",
                    "date_publish": "2021-03-02 08:15:00+00:00", "description": MORE,
                    "filename": "trams.html.json", "image_url": "x.jpg", "language": "en",
                    "localpath": None, "maintext": f"{BODY}\n{MORE}",
                    "source_domain": "estuary.example.org", "title": "Trams", "title_page": None,
                    "title_rss": None, "url": URL}, indent=4),
        [{"authors": ("Ines Calloway", "Tomas Berg"), "published_at": AT,
          "updated_at": datetime(2021, 3, 2, 10, 15, tzinfo=UTC), "body": f"{BODY}\n\n{MORE}",
          "source": "estuary.example.org", "language": "en", "summary": (MORE,)}],
    ),
    "fundus": (
        "articles.json",
        json.dumps([FUNDUS], indent=4),
        [{"body": f"{BODY}\n\nThe timetable\n\n{MORE}", "summary": (MORE,), "url": URL,
          "source": "Estuary Post", "published_at": AT, "keywords": ("Porto",), "caption": None}],
    ),
    "HuffPost": (
        "News_Category_Dataset_v3.json",
        in_lines(
            {"link": URL, "headline": "Trams", "category": "WORLD NEWS", "short_description": MORE,
             "authors": "Ines Calloway, AP", "date": "2021-03-02"},
            {"link": URL, "headline": "Buses", "category": "TRAVEL", "short_description": "",
             "authors": "", "date": "2021-03-02"},
        ),
        [{"summary": (MORE,), "authors": ("Ines Calloway",), "section": "WORLD NEWS"},
         {"summary": (), "authors": (), "section": "TRAVEL", "published_at": DAY}],
    ),
    "HuffPost: dates in milliseconds": (
        "News_Category_Dataset.json",
        json.dumps([{"link": URL, "headline": "Trams", "date": 1614672900000}]),
        [{"url": URL, "published_at": AT}],
    ),
    "CC-News": (
        "cc_news.jsonl",
        in_lines(
            {"title": "Trams", "text": BODY, "domain": "estuary.example.org", "date": "",
             "description": MORE, "url": URL, "image_url": None},
            {"requested_url": f"{URL}?a", "responded_url": URL, "plain_text": BODY,
             "published_date": "2021-03-02", "title": "Buses", "tags": [], "categories": [],
             "author": "Ines Calloway", "sitename": "Estuary Post", "image_url": None,
             "language": "en", "language_score": 0.98},
        ),
        [{"source": "estuary.example.org", "published_at": None, "summary": (MORE,)},
         {"source": "Estuary Post", "body": BODY, "url": URL, "published_at": DAY}],
    ),
    "SaudiNewsNet": (
        "2015-07-21.json",
        json.dumps([{"source": "aawsat", "url": URL, "date_extracted": "2015-07-21 02:51:32",
                     "title": "عودة الترام", "author": "هدى الصالح",
                     "content": "صوت مجلس المدينة يوم الثلاثاء."}], ensure_ascii=False, indent=1),
        [{"source": "aawsat", "authors": ("هدى الصالح",), "headline": "عودة الترام",
          "body": "صوت مجلس المدينة يوم الثلاثاء.", "published_at": None}],
    ),
    "Media Cloud: stories": (
        "stories.json",
        json.dumps([MEDIA_CLOUD]),
        [{"source": "Estuary Post", "url": URL, "published_at": DAY, "keywords": ()}],
    ),
    "Media Cloud: a table": (
        "mc-onlinenews-content.csv",
        ("id,indexed_date,language,media_name,media_url,publish_date,title,url\n"
        f"ab12,2021-03-03 10:11:12.123,en,estuary.example.org,estuary.example.org,2021-03-02,"
        f"Trams,{URL}\n"),
        [{"source": "estuary.example.org", "published_at": DAY, "url": URL, "language": "en"}],
    ),
    "GDELT: a list as JSON": (
        "artlist.json",
        json.dumps({"articles": [{"url": URL, "url_mobile": "", "title": "Trams",
                                  "seendate": "20210302T081500Z", "socialimage": "",
                                  "domain": "estuary.example.org", "language": "Portuguese",
                                  "sourcecountry": "Portugal"}]}),
        [{"headline": "Trams", "published_at": AT, "language": "pt", "url": URL}],
    ),
    "GDELT: a list as CSV": (
        "artlist.csv",
        f"\ufeffURL,MobileURL,Date,Title\r\n{URL},,2021-03-02 08:15:00,\"Trams, again\"\r\n",
        [{"headline": "Trams, again", "published_at": DAY, "url": URL}],
    ),
    "GDELT: the list of all articles": (
        "20210302081500.gal.json",
        in_lines(*[{"date": "2021-03-02T08:15:00Z", "url": URL, "title": "Trams", "desc": MORE,
                    "author": "Ines Calloway", "domain": "estuary.example.org", "lang": "en",
                    "outletName": "Estuary Post", "image": "x.jpg"}] * 2),
        [{"summary": (MORE,), "source": "Estuary Post", "published_at": AT}] * 2,
    ),
    "MongoDB: lines": ("news.json", in_lines(MONGO, MONGO), [OF_MONGO] * 2),
    "MongoDB: an array, canonical": (
        "news.json",
        json.dumps([MONGO | {"date": {"$date": {"$numberLong": "1614672900000"}}}]),
        [OF_MONGO],
    ),
    "MongoDB: dates of an old server": (
        "news.json",
        in_lines(MONGO | {"date": {"$date": 1614672900000}}),
        [OF_MONGO],
    ),
    "Elasticsearch: a search": (
        "hits.json",
        json.dumps({"took": 1, "timed_out": False, "_shards": {"total": 1},
                    "hits": {"total": {"value": 1, "relation": "eq"}, "max_score": 1.0,
                             "hits": [{"_index": "news", "_id": "a", "_score": 1.0,
                                       "_source": LEAST, "sort": [1]}]}}),
        [{"headline": "Trams", "body": BODY}],
    ),
    "Elasticsearch: a search for fields": (
        "hits.json",
        json.dumps({"hits": {"hits": [{"_index": "news", "_id": "a",
                                       "fields": {"title": ["Trams"], "text": [BODY],
                                                  "date": ["2021-03-02T08:15:00.000Z"]}}]}}),
        [{"headline": "Trams", "body": BODY, "published_at": AT}],
    ),
    "Elasticsearch: a dump": (
        "dump.json",
        in_lines({"_index": "news", "_id": "a", "_score": 1, "_source": LEAST}),
        [{"headline": "Trams", "body": BODY}],
    ),
    "Elasticsearch: _bulk": (
        "bulk.ndjson",
        in_lines({"index": {"_index": "news", "_id": "a"}}, LEAST,
                 {"create": {"_index": "news"}}, LEAST | {"title": "Buses"},
                 {"update": {"_id": "c"}}, {"doc": LEAST | {"title": "Cars"},
                                            "doc_as_upsert": True},
                 {"delete": {"_id": "d"}}),
        [{"headline": each, "body": BODY} for each in ("Trams", "Buses", "Cars")],
    ),
    "pandas: by columns": (
        "frame.json",
        json.dumps({name: {str(at): row[name] for at, row in enumerate(ROWS)} for name in NAMES}),
        OF_ROWS,
    ),
    "pandas: by columns, as lists": (
        "frame.json", json.dumps({name: [row[name] for row in ROWS] for name in NAMES}), OF_ROWS,
    ),
    "pandas: by rows": (
        "frame.json", json.dumps({str(at): row for at, row in enumerate(ROWS)}), OF_ROWS,
    ),
    "pandas: by one row": ("frame.json", json.dumps({"0": ROWS[0]}), OF_ROWS[:1]),
    "pandas: split": (
        "frame.json", json.dumps({"columns": NAMES, "index": [0, 1], "data": CELLS}), OF_ROWS,
    ),
    "pandas: table": (
        "frame.json",
        json.dumps({"schema": {"fields": [{"name": "index", "type": "integer"}]},
                    "data": [{"index": at} | row for at, row in enumerate(ROWS)]}),
        OF_ROWS,
    ),
    "pandas: rows under their names": ("frame.json", json.dumps([NAMES, *CELLS]), OF_ROWS),
    "pandas: NaN": (
        "frame.json",
        f'[{{"title": "Trams", "text": "{BODY}", "date": NaN, "author": NaN}}]',
        [{"headline": "Trams", "published_at": None, "authors": ()}],
    ),
    "CSV: sep=": (
        "a.csv", f"sep=;\r\ntitle;text\r\nTrams;{BODY}\r\n", [{"headline": "Trams", "body": BODY}],
    ),
    "CSV: SEP=, in a file of no suffix": (
        "export", f"SEP=|\ntitle|text\nTrams|{BODY}\n", [{"headline": "Trams", "body": BODY}],
    ),
    "CSV: sep= in quotes": (
        "a.csv", f'"sep=;"\ntitle;text\nTrams;{BODY}\n', [{"headline": "Trams", "body": BODY}],
    ),
    "CSV: columns without a name": (
        "a.csv", f",title,text,\n0,Trams,{BODY},\n1,Buses,{MORE},x\n",
        [{"headline": "Trams", "body": BODY}, {"headline": "Buses", "body": MORE}],
    ),
    "CSV: columns that a data frame names": (
        "a.csv", f"Unnamed: 0,Unnamed: 0.1,title,text\n0,0,Trams,{BODY}\n",
        [{"headline": "Trams", "body": BODY}],
    ),
    "CSV: two columns of one name": (
        "a.csv", f"title,text,title,text\nTrams,,Buses,{BODY}\n,{MORE},Buses,\n",
        [{"headline": "Trams", "body": BODY}, {"headline": "Buses", "body": MORE}],
    ),
    "CSV: two columns that a data frame numbered": (
        "a.csv", f"title,text,title.1,text.1\nTrams,,Buses,{BODY}\n,{MORE},Buses,\n",
        [{"headline": "Trams", "body": BODY}, {"headline": "Buses", "body": MORE}],
    ),
    "CSV: a cell over 131,072 characters": (
        "a.csv", f"title,text\nTrams,\"{'It rained, again. ' * 9000}\"\n",
        [{"headline": "Trams", "body": ("It rained, again. " * 9000).strip()}],
    ),
}  # fmt: skip


def read(path: str, text: str) -> list[Draft | Reject]:
    return list(ingest.read(io.BufferedReader(io.BytesIO(text.encode())), path))


@pytest.fixture(autouse=True)
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit()
    records.allow_long_cells()
    yield
    csv.field_size_limit(before)


@pytest.mark.parametrize("source", FILES)
def test_a_file_of_a_common_source_gives_its_articles(source: str) -> None:
    path, text, expected = FILES[source]
    found = read(path, text)
    assert [
        {name: getattr(each, name) for name in fields} if isinstance(each, Draft) else each
        for each, fields in zip(found, expected, strict=True)
    ] == expected
    for each in found:
        assert isinstance(each, Draft)
        assert not any("unknown" in warning for warning in each.warnings)


@pytest.mark.parametrize("nothing", ["nan", "None", "null", "NaT", "NULL", "NaN", "<NA>", "N/A"])
def test_what_programs_write_for_nothing_is_null(nothing: str) -> None:
    names = ("author", "date", "url", "tags", "source", "description", "language", "location")
    table = f"title,text,{','.join(names)}\nTrams,{BODY}{f',{nothing}' * len(names)}\n"
    record = LEAST | dict.fromkeys(names, nothing)
    for path, text in (("a.csv", table), ("a.jsonl", json.dumps(record))):
        (found,) = read(path, text)
        assert isinstance(found, Draft)
        assert (found.headline, found.body) == ("Trams", BODY)
        assert (found.authors, found.keywords, found.summary, found.places) == ((), (), (), ())
        assert (found.published_at, found.url, found.source, found.language) == (None,) * 4
        assert found.warnings == ()


def test_what_its_source_took_back_is_no_article() -> None:
    removed = NEWSAPI | {
        "source": {"id": None, "name": "[Removed]"},
        "author": None,
        "title": "[Removed]",
        "description": "[Removed]",
        "url": "https://removed.example.org",
        "content": "[Removed]",
    }
    found = read("a.json", json.dumps({"status": "ok", "articles": [NEWSAPI, removed]}))
    assert isinstance(found[0], Draft)
    assert isinstance(found[1], Reject)
    assert found[1].reason == "neither headline nor body"


@pytest.mark.parametrize(
    "table",
    [
        f"GLOBALEVENTID,SQLDATE,Actor1Name,SOURCEURL,DATEADDED\n1,20210302,X,{URL},20210302081500\n",
        f"GKGRECORDID,DATE,SourceCommonName,DocumentIdentifier\n1,20210302,a.example.org,{URL}\n",
    ],
)
def test_a_list_of_events_without_headlines_gets_one_reason(table: str) -> None:
    (found,) = read("events.csv", table)
    assert isinstance(found, Reject)
    assert "--map headline=COLUMN" in found.reason


def test_an_article_with_other_fields_than_its_content_stays_whole() -> None:
    inner = {"title": "Inner", "text": MORE}
    (found,) = read("a.json", json.dumps({"date": "2021-03-02", "url": URL, "content": inner}))
    assert isinstance(found, Draft)
    assert (found.url, found.published_at) == (URL, DAY)
    (found,) = read("a.json", json.dumps({"url": URL, "data": inner}))
    assert isinstance(found, Draft)
    assert (found.headline, found.body) == ("Inner", MORE)
