"""Which format an input is, and what is no news by its name."""

from __future__ import annotations

import pytest

from app.ingest.sniffing import NoNews, sniff

PAGE = "Rain fills the dams\n\nUpdated 09 May 2020\nFollow\n\nIt rained for a week, at last.\n"
MAIL = "From: Jane <jane@example.org>\nTo: desk@example.org\nSubject: Rain\n\nIt rained.\n"
CODE = "import os\n\ndef main():\n    x = os.getcwd()\n    return x\n\nmain()\n"
LOG = "".join(f"2021-03-02 08:15:{n:02} INFO served GET /\n" for n in range(9))
MENU = "Dish of the day\nFish soup 8.50\nLamb stew 14.00\nRice pudding 4.20\nHouse wine 3.80\n"


@pytest.mark.parametrize(
    ("start", "path", "expected"),
    [
        ('{"title": "A"}', "a.json", "json"),
        ('{"title": "A"}\n{"title": "B"}\n', "a.json", "json_lines"),
        ('{"title": "A"}\n', "a.jsonl", "json_lines"),
        ('{\n "title": "A"\n}\n', "a.jsonl", "json"),
        ('[\n {"title": "A"}]', "a.ndjson", "json"),
        ('[{"title": "A"}]', "a.txt", "json"),
        ("[Update] It rained\n\nAnd on.", "a.txt", "page_text"),
        ("title,text\nA,B\n", "a.txt", "csv"),
        ("title;text;url\nA;B;C\n", "-", "csv"),
        ("sep=|\nx|y\n", "-", "csv"),
        ("a,b\n1,2\n", "a.csv", "csv"),
        ("1,2,3\n4,5,6\n7,8,9\n1,2,3\n", "a.txt", "csv"),
        (PAGE, "a.txt", "page_text"),
        ("<html><script>x();</script></html>", "a.html", "page_text"),
        ("Rain, wind and snow\n\nIt rained, blew, and snowed.\n", "a.txt", "page_text"),
        ("", "a.txt", "page_text"),
    ],
)
def test_a_format_is_told_by_name_and_first_bytes(start: str, path: str, expected: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert sniff(start.encode(encoding), path) == expected


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"{\\rtf1\\ansi Rain}", "an RTF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Word or Excel file"),
        (b"PAR1....", "a Parquet file"),
        (b"SQLite format 3\0", "a SQLite database"),
        (b"WARC/1.0\r\n", "a WARC file"),
        (MAIL.encode(), "an e-mail, not the text of a page (--format page_text reads it"),
        (CODE.encode(), "program code"),
        (LOG.encode(), "a log"),
        (MENU.encode(), "a menu or a price list"),
    ],
)
def test_what_is_no_news_is_named(start: bytes, what: str) -> None:
    with pytest.raises(NoNews) as error:
        sniff(start, "a.txt")
    assert str(error.value).startswith(what)
