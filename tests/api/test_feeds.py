"""Feeds and exports, read by the parsers that others read them with."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import feedparser  # type: ignore[import-untyped]
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import ingest
from app.api import csv_tables, feeds
from app.articles.read import Related, Seen, WholeArticle
from app.ingest import Draft

ATOM = "{http://www.w3.org/2005/Atom}"
ID = UUID("6b0c1a52-54ea-5b4e-a7a1-1f9c7d7f9f9e")
STORE = UUID("9173b5aa-75c1-432e-af6a-12febe1aa5cc")
HOST = "https://news.example"

NASTY = "a\x00\x0b\x1b\ud800 \"q\" 'q' <b>&amp;</b> ]]> <!-- \r\n\t \u2028\ufffe\U0001f600"
TEXT = st.one_of(
    st.just(NASTY),
    st.text(st.characters()),
    st.text(st.sampled_from("\x00\x08\t\n\r\x1f\"'<>&]-=+@,;\ud800\udfff\ufffe\x85é")),
)


def seen(day: int) -> Seen:
    at = datetime(2026, 11, day, 6, 30, 1, 234567, tzinfo=UTC)
    return Seen(
        path="p", sha256="0", position=0, reader="r", reader_version=1, loaded_at=at, load=1
    )


def article(**more: Any) -> WholeArticle:
    given: dict[str, Any] = {
        "id": ID,
        "change": 7,
        "version": 1,
        "updated_at": None,
        "embargoed_until": None,
        "guid": None,
        "sender_version": None,
        "headline": "Dam is full",
        "summary": ["It rained", "For a week"],
        "caption": "The dam.",
        "credit": "AFP",
        "byline": "Omar Haddad",
        "authors": ["Omar Haddad", "Ada Byron"],
        "dateline": "CAIRO/ASWAN",
        "places": ["Cairo", "Aswan"],
        "word_count": 6,
        "published_at": datetime(2020, 5, 9, tzinfo=UTC),
        "published_precision": "day",
        "source": "The Tide",
        "url": "https://tide.example/dam?a=1&b=2",
        "language": "en",
        "language_detected": False,
        "section": "World",
        "keywords": ["dams"],
        "urgency": None,
        "subjects": [],
        "usage_terms": None,
        "warnings": ["caption: doubtful"],
        "related": [Related(id=STORE, headline="Rain")],
        "body": "The dam is full.\n\nAll are glad.",
        "sources": [seen(2), seen(22)],
        "mentions": [],
    }
    return WholeArticle(**given | more)


def bare(**more: Any) -> WholeArticle:
    """An article of which nothing is known but its text."""
    names = ("caption", "credit", "byline", "dateline", "published_at", "published_precision")
    unknown: dict[str, Any] = dict.fromkeys((*names, "source", "url", "language", "section"))
    lists: dict[str, Any] = {
        name: []
        for name in (
            *("summary", "authors", "places", "keywords", "warnings", "related", "sources"),
        )
    }
    return article(**unknown | lists | more)


def page(*entries: WholeArticle, **more: Any) -> feeds.FeedPage:
    given: dict[str, Any] = {
        "title": 'Broadsheet: "dam"',
        "self_url": f"{HOST}/v1/search.atom?q=dam&place=Cairo&cursor=abc&limit=2",
        "first_url": f"{HOST}/v1/search.atom?q=dam&place=Cairo&limit=2",
        "next_url": f"{HOST}/v1/search.atom?q=dam&place=Cairo&cursor=def&limit=2",
        "home_url": f"{HOST}/v1/search?q=dam&place=Cairo",
        "articles_url": f"{HOST}/v1/articles",
        "store_id": STORE,
        "entries": entries,
    }
    return feeds.FeedPage(**given | more)


def parsed(shown: feeds.FeedPage) -> Any:
    """The feed as feedparser understands it; it must have nothing to complain of."""
    found = feedparser.parse(
        feeds.atom(shown), response_headers={"content-type": feeds.MEDIA_TYPES["atom"]}
    )
    assert not found.bozo, found.bozo_exception
    assert found.version == "atom10"
    assert found.encoding == "utf-8"
    return found


def rows(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode(), newline=""), strict=True))


def kept(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


# --- Atom


def test_a_feed_tells_what_it_is_and_where_it_goes_on() -> None:
    feed = parsed(page(article())).feed
    assert feed.title == 'Broadsheet: "dam"'
    assert feed.title_detail.type == "text/plain"
    assert feed.updated == "2026-11-22T06:30:01Z"
    assert feed.author == feed.generator == "Broadsheet"
    links = {link.rel: (link.href, link.type) for link in feed.links}
    shown, kind = page(), "application/atom+xml"
    assert links == {
        "self": (shown.self_url, kind),
        "first": (shown.first_url, kind),
        "next": (shown.next_url, kind),
        "alternate": (shown.home_url, "application/json"),
    }


def test_the_last_page_has_no_next() -> None:
    assert "next" not in {link.rel for link in parsed(page(next_url=None)).feed.links}
    assert b"next_url" not in feeds.json_feed(page(next_url=None))


def test_an_entry_holds_the_article() -> None:
    (entry,) = parsed(page(article())).entries
    assert entry.id == f"urn:uuid:{ID}"
    assert entry.title == "Dam is full"
    assert entry.title_detail.language == "en"
    assert entry.published == "2020-05-09T00:00:00Z"
    assert entry.updated == "2026-11-22T06:30:01Z"
    assert [each.name for each in entry.authors] == ["Omar Haddad", "Ada Byron"]
    assert entry.link == "https://tide.example/dam?a=1&b=2"
    assert entry.summary == "It rained\nFor a week"
    (content,) = entry.content
    assert content.type == "text/html"
    assert content.value == "<p>The dam is full.</p>\n<p>All are glad.</p>"
    assert [(tag.scheme, tag.term) for tag in entry.tags] == [
        ("urn:broadsheet:place", "Cairo"),
        ("urn:broadsheet:place", "Aswan"),
        ("urn:broadsheet:section", "World"),
        ("urn:broadsheet:keyword", "dams"),
    ]


def test_what_is_unknown_is_left_out_of_an_entry() -> None:
    found = parsed(page(bare()))
    (entry,) = found.entries
    assert entry.title_detail.language is None
    assert "published" not in entry
    assert "tags" not in entry
    assert entry.updated == found.feed.updated == "1970-01-01T00:00:00Z"
    assert entry.link == f"{HOST}/v1/articles/{ID}"
    assert entry.summary == "The dam is full."
    root = ET.fromstring(feeds.atom(page(bare())))
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    assert root.find(f"{ATOM}entry/{ATOM}author") is None


def test_the_source_is_the_author_where_no_byline_is() -> None:
    one = bare(source="The Tide", published_at=datetime(2020, 5, 9, tzinfo=UTC))
    (entry,) = parsed(page(one)).entries
    assert entry.author == "The Tide"
    assert entry.updated == entry.published
    (item,) = orjson.loads(feeds.json_feed(page(one)))["items"]
    assert item["authors"] == [{"name": "The Tide"}]


def test_an_empty_feed_is_valid() -> None:
    assert parsed(page()).feed.updated == "1970-01-01T00:00:00Z"
    assert parsed(page()).entries == orjson.loads(feeds.json_feed(page()))["items"] == []


def test_markup_in_a_text_is_shown_not_read() -> None:
    (entry,) = parsed(page(article(headline="A <b> & ]]>", body="1 < 2 <i>x</i>"))).entries
    assert entry.title == "A <b> & ]]>"
    assert entry.content[0].value == "<p>1 &lt; 2 &lt;i&gt;x&lt;/i&gt;</p>"


def feed_id(**more: Any) -> str:
    found: str = parsed(page(**more)).feed.id
    return found


@pytest.mark.parametrize(
    "same",
    [
        f"{HOST}/v1/search.atom?place=Cairo&q=dam",
        f"{HOST}/v1/search?q=dam&place=Cairo&sort=",
        "http://10.0.0.1:8000/news/v1/search.atom?q=d%61m&place=Cairo&limit=50&cursor=x",
    ],
)
def test_a_feed_has_one_id_for_life(same: str) -> None:
    assert feed_id(self_url=same) == feed_id() == "urn:uuid:d4cf2fb8-a7e1-5e6e-8781-6df7148c96dc"


def test_another_search_or_store_is_another_feed() -> None:
    others = [
        feed_id(self_url=f"{HOST}/v1/search.atom?{query}")
        for query in ("", "q=dam", "q=dam&place=-Cairo", "q=dam+place%3DCairo", "q=Dam&place=Cairo")
    ]
    assert len({feed_id(), feed_id(store_id=uuid4()), *others}) == 7


# --- JSON Feed

ITEM_TYPES = {
    "id": str,
    "url": str,
    "title": str,
    "summary": str,
    "content_text": str,
    "content_html": str,
    "date_published": str,
    "date_modified": str,
    "authors": list,
    "tags": list,
    "language": str,
    "_broadsheet": dict,
}


def test_a_json_feed_holds_the_same_as_an_atom_feed() -> None:
    shown = page(article())
    feed = json.loads(feeds.json_feed(shown))
    (item,) = feed.pop("items")
    assert feed == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": shown.title,
        "home_page_url": shown.home_url,
        "feed_url": shown.first_url,
        "next_url": shown.next_url,
    }
    assert {name: type(value) for name, value in item.items()} == ITEM_TYPES
    (entry,) = parsed(shown).entries
    for ours, theirs in {
        "id": "id",
        "url": "link",
        "title": "title",
        "summary": "summary",
        "date_published": "published",
        "date_modified": "updated",
    }.items():
        assert item[ours] == entry[theirs]
    assert item["content_html"] == entry.content[0].value
    assert item["content_text"] == article().body
    assert item["authors"] == [{"name": "Omar Haddad"}, {"name": "Ada Byron"}]
    assert item["tags"] == ["Cairo", "Aswan", "World", "dams"]
    assert item["language"] == "en"
    assert item["_broadsheet"] == {
        "article_url": f"{HOST}/v1/articles/{ID}",
        "dateline": "CAIRO/ASWAN",
        "places": ["Cairo", "Aswan"],
        "byline": "Omar Haddad",
        "published_precision": "day",
        "word_count": 6,
        "source": "The Tide",
        "section": "World",
        "caption": "The dam.",
        "credit": "AFP",
        "related": [{"id": str(STORE), "headline": "Rain"}],
        "warnings": ["caption: doubtful"],
    }


def test_what_is_unknown_is_left_out_of_an_item() -> None:
    (item,) = json.loads(feeds.json_feed(page(bare())))["items"]
    assert ITEM_TYPES.keys() - item.keys() == {"date_published", "authors", "tags", "language"}
    assert item["_broadsheet"]["places"] == []
    assert item["_broadsheet"]["source"] is None


def test_a_tag_comes_once() -> None:
    (item,) = json.loads(feeds.json_feed(page(article(section="Cairo"))))["items"]
    assert item["tags"] == ["Cairo", "Aswan", "dams"]


# --- CSV


def table(*hits: tuple[WholeArticle, float]) -> bytes:
    found = (feeds.cells(hit, feeds.COLUMNS) for hit in hits)
    header = csv_tables.header(feeds.COLUMNS, dialect=None)
    return header + csv_tables.lines(found, dialect=None)


def test_a_row_holds_the_article() -> None:
    raw = table((article(), 1.5), (bare(), 0.0))
    header, full, empty = rows(raw)
    assert tuple(header) == feeds.COLUMNS
    assert dict(zip(header, full, strict=True)) == {
        "id": str(ID),
        "published_at": "2020-05-09T00:00:00Z",
        "published_precision": "day",
        "headline": "Dam is full",
        "summary": "It rained\nFor a week",
        "byline": "Omar Haddad",
        "authors": "Omar Haddad; Ada Byron",
        "dateline": "CAIRO/ASWAN",
        "places": "Cairo; Aswan",
        "source": "The Tide",
        "section": "World",
        "keywords": "dams",
        "language": "en",
        "url": "https://tide.example/dam?a=1&b=2",
        "caption": "The dam.",
        "credit": "AFP",
        "word_count": "6",
        "score": "1.5",
        "body": "The dam is full.\n\nAll are glad.",
    }
    told = {name for name, cell in zip(header, empty, strict=True) if cell}
    assert told == {"id", "headline", "word_count", "score", "body"}


def test_csv_is_rfc_4180_without_a_byte_order_mark() -> None:
    raw = table((article(headline='The "dam", full'), 1.0))
    header, _, rest = raw.partition(b"\r\n")
    assert header.startswith(b"id,published_at,")
    assert header.endswith(b",score,body")
    assert b',"The ""dam"", full",' in rest
    assert rest.endswith(b'"The dam is full.\n\nAll are glad."\r\n')
    assert csv_tables.lines([], dialect=None) == b""


@pytest.mark.parametrize("text", ["-5°C in Murree", "=1+1", "+1", "@home", "\tx", "\rx", "'x"])
def test_a_cell_is_the_stored_text_whatever_it_begins_with(text: str) -> None:
    _, (*_, body) = rows(table((article(body=text), 0.0)))
    assert body == text


@pytest.mark.parametrize("text", ["-5°C", "=1+1", "+1", "@home", "\tx", "\rx", "＝1+1"])
def test_excel_gets_a_mark_and_no_formula(text: str) -> None:
    raw = csv_tables.header(["a", "b"], dialect="excel") + csv_tables.lines(
        [[text, -1.5]], dialect="excel"
    )
    assert raw.startswith(b"\xef\xbb\xbfa,b\r\n")
    _, cells = rows(raw)
    assert cells == [f"'{text}", "-1.5"]


def test_a_text_that_no_cell_of_excel_holds_is_cut() -> None:
    ((cell,),) = rows(csv_tables.lines([["x" * 40_000]], dialect="excel"))
    assert len(cell) == csv_tables.EXCEL_CHARS
    assert cell.endswith("…")
    ((cell,),) = rows(csv_tables.lines([["x" * 40_000]], dialect=None))
    assert len(cell) == 40_000


def test_a_cell_of_objects_is_json() -> None:
    related = [Related(id=ID, headline="Rain\ud800")]
    ((cell, none, several),) = rows(csv_tables.lines([[related, [], ["a", "b"]]], dialect=None))
    assert json.loads(cell) == [{"id": str(ID), "headline": "Rain\ufffd"}]
    assert (none, several) == ("", "a; b")


# --- JSON Lines


def test_a_line_is_the_article_as_the_api_gives_it_with_its_score() -> None:
    line = feeds.json_line(article(), 2.25)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    own = orjson.loads(orjson.dumps(article(), option=orjson.OPT_UTC_Z))
    found = orjson.loads(line)
    assert found == own | {"score": 2.25}
    assert list(found) == [*own, "score"]


@pytest.mark.parametrize("one", [article(), bare()])
def test_a_line_can_be_loaded_again(one: WholeArticle) -> None:
    line = feeds.json_line(one, 2.25)
    (draft,) = ingest.read(io.BufferedReader(io.BytesIO(line)), "export.jsonl")
    assert isinstance(draft, Draft), draft
    names = {each.name for each in fields(Draft)} - {"origin", "status"}
    for name in names:
        expected = getattr(one, name)
        assert getattr(draft, name) == (tuple(expected) if isinstance(expected, list) else expected)


# --- any text


@st.composite
def odd(draw: st.DrawFn) -> WholeArticle:
    """An article that holds any text in any field."""
    given = ("headline", "body", "caption", "credit", "byline", "dateline", "source", "url")
    more = ("language", "section", "published_precision")
    texts: dict[str, Any] = {name: draw(TEXT) for name in (*given, *more)}
    names = ("summary", "authors", "places", "keywords", "warnings")
    lists = {name: draw(st.lists(TEXT, max_size=2)) for name in names}
    related = [Related(id=STORE, headline=draw(TEXT))]
    return article(**texts, **lists, related=related)


@given(odd(), TEXT)
def test_any_text_makes_well_formed_xml(one: WholeArticle, more: str) -> None:
    shown = page(one, title=more, self_url=more, first_url=more, next_url=more, home_url=more)
    root = ET.fromstring(feeds.atom(shown))
    assert root.tag == f"{ATOM}feed"
    assert root.findtext(f"{ATOM}entry/{ATOM}id") == f"urn:uuid:{ID}"
    tags = len(one.places) + bool(one.section) + len(one.keywords)
    assert len(root.findall(f"{ATOM}entry/{ATOM}category")) == tags


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_what_xml_can_hold_comes_back_equal(text: str) -> None:
    root = ET.fromstring(feeds.atom(page(article(headline=text, places=[text]), title=text)))
    assert (root.findtext(f"{ATOM}title") or "") == text
    assert (root.findtext(f"{ATOM}entry/{ATOM}title") or "") == text
    category = root.find(f"{ATOM}entry/{ATOM}category")
    assert category is not None
    assert category.get("term") == text


@given(st.lists(odd(), max_size=3))
def test_any_text_makes_csv_with_equal_cells(several: list[WholeArticle]) -> None:
    found = rows(table(*((one, 0.5) for one in several)))
    assert len(found) == len(several) + 1
    for one, row in zip(several, found[1:], strict=True):
        cells = dict(zip(feeds.COLUMNS, row, strict=True))
        for name in ("headline", "body", "caption", "byline", "url", "section"):
            assert cells[name] == kept(getattr(one, name))
        assert cells["summary"] == kept("\n".join(one.summary))
        assert cells["places"] == kept("; ".join(one.places))
        assert cells["authors"] == kept("; ".join(one.authors))


@given(odd(), TEXT)
def test_any_text_makes_json(one: WholeArticle, title: str) -> None:
    feed = json.loads(feeds.json_feed(page(one, title=title)))
    assert feed["title"] == kept(title)
    (item,) = feed["items"]
    assert item["content_text"] == kept(one.body)
    assert item["_broadsheet"]["related"][0]["headline"] == kept(one.related[0].headline)
    line = feeds.json_line(one, 0.5)
    assert line.count(b"\n") == 1
    found = orjson.loads(line)
    for name in ("headline", "body", "caption", "section"):
        assert found[name] == kept(getattr(one, name))
    assert found["places"] == list(map(kept, one.places))
    assert found["sources"][1]["loaded_at"] == "2026-11-22T06:30:01.234567Z"
