"""How text is cleaned, once for all readers: Unicode, white space, line ends, paragraphs.

Text comes out NFC, every white space is a plain space, runs of it are one, invisible
characters are gone and no line has white space at its ends. Words are never changed: what
looks wrongly decoded is told by `mojibake`, not repaired.
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
    "â€.?|â‚¬|Ã[\u00a0-\u00bfƒ„…†‡ˆ‰Š‹ŒŽ‘“”•–—˜™š›œžŸ]|Â[\u00a1-\u00bf ]|[\x80-\x9f]"
)
_SAME = dict.fromkeys(map(ord, '‘’‚‛ʼ´`“”„‟«»"'), "'") | dict.fromkeys(map(ord, "–—―−‐‑"), "-")


def lines(text: str) -> list[str]:
    """The clean lines of `text`, blank ones too; a line end is LF, CR or both."""
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    if text.isascii() and text.isprintable():
        return [" ".join(text.split())]
    text = _INVISIBLE.sub("", text)
    if not text.isascii():
        if len(text) > _SORTED:
            text = _MARKS.sub(r"\1", text)
        text = unicodedata.normalize("NFC", text)
    return [" ".join(line.split()).strip(_EDGES) for line in text.split("\n")]


def one_line(text: str) -> str:
    """`text` as a single clean line; empty if it holds nothing visible."""
    return " ".join(line for line in lines(text) if line)


def paragraphs(text: str) -> str:
    """`text` with each of its lines a paragraph, one blank line between them."""
    return "\n\n".join(line for line in lines(text) if line)


def key(line: str) -> str:
    """`line` for comparing lines: without case, white space, invisibles or a style of quotes."""
    if line.isascii():
        return "".join(line.replace('"', "'").replace("`", "'").casefold().split())
    line = unicodedata.normalize("NFKC", _FORMAT.sub("", line)).translate(_SAME)
    return "".join(line.casefold().split())


def mojibake(text: str) -> str | None:
    """The first characters of `text` that look like wrongly decoded UTF-8, if any do."""
    if text.isascii():
        return None
    found = _MOJIBAKE.search(text)
    if found is None:
        return None
    return found.group() if found.group().isprintable() else f"U+{ord(found.group()):04X}"
