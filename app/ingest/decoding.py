"""Decoding of an input's bytes: of a page as a whole, of records in pieces.

The encoding is, in this order: that of the byte order mark; that which the caller names; UTF-8, if
the bytes that are not ASCII mostly decode; the detected one. Bytes that do not decode become
U+FFFD, and their positions are reported. Lines of a page are counted as `cleaning.lines` splits
them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

_LINE = re.compile(r"\r\n|\r|\n")
_CONTROLS = bytes([*range(0x01, 0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F])
_PDF = b"%PDF-"  # starts in ASCII
_MOST_CONTROLS = 0.02  # of the characters of a text
_MOST_BAD = 0.2
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before that of UTF-16, which it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASCII = bytes(range(128))
_LOOKED_AT = 64 * 1024
_CERTAIN = 0.05  # confidence below which the detection of a Latin encoding is no better than chance
_LATIN = re.compile(r"windows-125[0247]|iso-8859-(?:1|2|3|4|9|10|13|14|15|16)|mac.*", re.IGNORECASE)
_MARK_BYTES = 64  # examined for UTF-16 without a mark
_NULS = 0.3  # least share of null bytes in UTF-16


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page's text; `bad` holds (line from 0, byte offset) of each line's first bad byte."""

    text: str
    bad: tuple[tuple[int, int], ...] = ()
    encoding: str = "UTF-8"


class UndecodableError(ValueError):
    """The bytes are no text; the message says why."""


def decode(data: bytes, encoding: str | None = None) -> Decoded:
    """The text of `data`. Raises UndecodableError if it is no text."""
    if data.startswith(_PDF):
        raise UndecodableError("binary, not text")
    decoded = _decoded(data, marked(data) or (encoding and unmarked(encoding)) or guess(data))
    text = decoded.text
    if decoded.encoding != "UTF-8":
        data = text.encode("utf-8", "replace")
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if "\0" in text or controls > _MOST_CONTROLS * len(text):
        raise UndecodableError("binary, not text")
    if decoded.bad and text.count("\ufffd") > _MOST_BAD * len(text):
        raise UndecodableError(f"not text in {decoded.encoding}")
    return decoded


def marked(data: bytes) -> str | None:
    """The encoding by the byte order mark at the start of `data`; None without one."""
    return next((name for bom, name in _BOMS if data.startswith(bom)), None)


def unmarked(encoding: str) -> str:
    """`encoding` without a byte order mark: little-endian, as in browsers."""
    return f"{encoding}-le" if encoding in ("utf-16", "utf-32") else encoding


def guess(data: bytes) -> str:
    """The detected encoding of `data`, which has no byte order mark; UTF-8 by default."""
    start = data[:_LOOKED_AT]
    if utf16 := _without_mark(start[:_MARK_BYTES]):
        return utf16
    others = start.translate(None, _ASCII)
    if not others:
        return "utf-8"
    # an incremental decoder ignores a character that is cut off at the end
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(start)
    bad = text.count("\ufffd")
    letters = sum(not char.isascii() for char in text) - bad
    if bad <= letters:
        return "utf-8"
    import chardet  # takes 0.3 s, which only such an input waits for

    found = chardet.detect(start)
    name = found["encoding"] or "utf-8"
    if found["confidence"] < _CERTAIN and _LATIN.fullmatch(name):
        return "cp1252"
    try:
        return unmarked(codecs.lookup(name).name)
    except LookupError:
        return "utf-8"


def _without_mark(start: bytes) -> str | None:
    if len(start) < _MARK_BYTES / 2 or start.count(0) < _NULS * len(start):
        return None
    even, odd = start[::2].count(0), start[1::2].count(0)
    if min(even, odd) > max(even, odd) / 10:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _decoded(data: bytes, encoding: str) -> Decoded:
    if encoding == "utf-8":
        return _utf8(data)
    name = "UTF-16" if encoding == "utf-16" else encoding
    try:
        return Decoded(data.decode(encoding).removeprefix("\ufeff"), encoding=name)
    except UnicodeDecodeError as error:
        ahead = data[: error.start].decode(encoding, "ignore")
        number = len(_LINE.findall(ahead))
        text = data.decode(encoding, "replace").removeprefix("\ufeff")
        return Decoded(text, ((number, error.start),), name)


def _utf8(data: bytes) -> Decoded:
    try:
        return Decoded(data.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    bad = []
    offset = 0
    for number, line in enumerate(data.splitlines(keepends=True)):
        if not line.isascii():
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                bad.append((number, offset + error.start))
        offset += len(line)
    return Decoded(text, tuple(bad))


class Transcoder:
    """The bytes of an input in UTF-8, in pieces, without a byte order mark.

    UTF-8 passes through unchanged, invalid bytes included. An encoding that the caller does not
    name is detected from the 64 KiB that begin with the first byte that is not ASCII, whatever the
    pieces; they are buffered until then.
    """

    def __init__(self, encoding: str | None = None) -> None:
        self._encoding = encoding
        self._held = bytearray()
        self._begun = False
        self._decode: Callable[[bytes, bool], str] | None = None

    @property
    def held_bytes(self) -> int:
        """The size of what is buffered until the encoding is known."""
        return len(self._held)

    def feed(self, data: bytes, *, final: bool = False) -> bytes:
        """The next piece; after the last one, an empty one that is `final`."""
        if self._begun and self._encoding is not None:
            return self._utf8(data, final)
        self._held += data
        if not self._begun:
            if len(self._held) < _MARK_BYTES and not final:
                return b""
            self._begin()
        if self._encoding is None and not self._held.isascii():
            first = len(self._held) - len(self._held.lstrip(_ASCII))
            if len(self._held) - first < _LOOKED_AT and not final:
                ahead = bytes(self._held[:first])
                del self._held[:first]
                return ahead
            self._choose(guess(bytes(self._held[first:])))
        found = bytes(self._held)
        self._held.clear()
        return self._utf8(found, final)

    def _begin(self) -> None:
        self._begun = True
        start = bytes(self._held[:_MARK_BYTES])
        named = self._encoding and unmarked(self._encoding)
        if found := marked(start) or named or _without_mark(start):
            self._choose(found)
        if start.startswith(codecs.BOM_UTF8):
            del self._held[: len(codecs.BOM_UTF8)]

    def _choose(self, encoding: str) -> None:
        self._encoding = encoding
        if encoding != "utf-8":
            self._decode = codecs.getincrementaldecoder(encoding)("replace").decode

    def _utf8(self, data: bytes, final: bool) -> bytes:
        if self._decode is None:
            return data
        return self._decode(data, final).removeprefix("\ufeff").encode("utf-8", "replace")
