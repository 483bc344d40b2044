"""Text cleaning for all readers: Unicode, white space, line ends, paragraphs.

Clean text is NFC, with single plain spaces, without invisible characters and without white space at
the ends of lines. Words are never changed: `mojibake` reports what looks wrongly decoded, and
nothing repairs it.
"""

from __future__ import annotations

import re
import unicodedata

import regex

_LINE_END = re.compile(r"\r\n?")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]+"
)
_MARKS = regex.compile(r"(\p{M}{30})\p{M}+")
_SORTED = 2000  # characters above which a run of marks is cut: NFC sorts one in quadratic time
_EDGES = " \u200c\u200d"  # joiners mean something only between letters
_FORMAT = regex.compile(r"\p{Cf}+")
_MOJIBAKE = re.compile(
    "ï»¿|â€.?|â‚¬|Ã[\u00a0-\u00bfƒ„…†‡ˆ‰Š‹ŒŽ‘“”•–—˜™š›œžŸ]|Â[\u00a1-\u00bf ]|[\x80-\x9f]"
)
_SENTENCE_END = re.compile(r"[.!?…]+[\"”’)]*(?=\s+[\"“‘(]?[A-Z0-9])|[。！？]")
_HEADLINE = 200
_DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
_PARAGRAPH, _DENSE_PARAGRAPH = 80, 30
_LOOKED_AT = 1000
_QUOTES = re.compile('[‘’‚‛ʼ´`“”„‟«»"]')
_DASHES = re.compile("[–—―−‐‑]")


def lines(text: str) -> list[str]:
    """The clean lines of `text`, blank ones too; a line end is LF, CR or both."""
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    found = text.split("\n")
    if not text.isascii() and not _is_western(text):
        found = [_composed(line, is_long=len(text) > _SORTED) for line in found]
    return [
        # what is printable holds nothing invisible and no white space but " "
        line.strip(" ") if line.isprintable() and "  " not in line else _spaced(line)
        for line in found
    ]


def _is_western(text: str) -> bool:
    """Whether `text` is all Windows-1252, which has no marks and is NFC as it is."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _composed(line: str, *, is_long: bool) -> str:
    if line.isascii():
        return line
    line = _INVISIBLE.sub("", line)
    if is_long:
        line = _MARKS.sub(r"\1", line)
    return unicodedata.normalize("NFC", line)


def _spaced(line: str) -> str:
    return " ".join(_INVISIBLE.sub("", line).split()).strip(_EDGES)


def one_line(text: str) -> str:
    """`text` as a single clean line; empty if it holds nothing visible."""
    return " ".join(line for line in lines(text) if line)


def paragraphs(text: str) -> str:
    """`text` with each of its lines a paragraph, one blank line between them."""
    return "\n\n".join(line for line in lines(text) if line)


def first_sentence(text: str) -> str:
    """The first sentence of clean `text`, cut to the length of a headline.

    >>> first_sentence("The U.S. board chose a pilot. He starts on Monday.")
    'The U.S. board chose a pilot.'
    """
    line = text.partition("\n")[0][:_LOOKED_AT]
    for end in _SENTENCE_END.finditer(line):
        word = line[: end.start()].rpartition(" ")[2]
        is_abbreviation = "." in word or (len(word) < 4 and word[:1].isupper())
        if not is_abbreviation:
            line = line[: end.end()]
            break
    if len(line) <= _HEADLINE:
        return line
    return f"{line[:_HEADLINE].rpartition(' ')[0] or line[:_HEADLINE]} …"


def key(line: str) -> str:
    """`line` for comparing lines: without case, white space, invisibles or a style of quotes."""
    if line.isascii():
        return "".join(line.replace('"', "'").replace("`", "'").casefold().split())
    line = unicodedata.normalize("NFKC", _FORMAT.sub("", line))
    line = _DASHES.sub("-", _QUOTES.sub("'", line))
    return "".join(line.casefold().split())


def is_paragraph(line: str) -> bool:
    """Whether `line` is long enough for a paragraph; Han, Kana and Hangul need fewer characters."""
    if len(line) >= _PARAGRAPH or line.isascii():
        return len(line) >= _PARAGRAPH
    return len(line) >= _DENSE_PARAGRAPH and 2 * len(_DENSE.findall(line)) > len(line)


def mojibake(text: str) -> str | None:
    """The first characters of `text` that look like wrongly decoded UTF-8, if any do."""
    if text.isascii():
        return None
    if not any(map(text.__contains__, "âÃÂï")) and text.replace("\n", " ").isprintable():
        return None
    found = _MOJIBAKE.search(text)
    if found is None:
        return None
    return found.group() if found.group().isprintable() else f"U+{ord(found.group()):04X}"
