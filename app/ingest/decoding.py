"""The bytes of a page to text, or why they are none; where bytes could not be decoded.

UTF-8 and, with a byte order mark, UTF-16. No encoding is ever guessed: a byte that is not
UTF-8 becomes U+FFFD and its place is told. Lines are counted as `normal.lines` cuts them.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_LINE = re.compile(r"\r\n|\r|\n")
_CONTROLS = bytes([*range(0x01, 0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F])
_PDF = b"%PDF-"  # starts in ASCII
_MOST_CONTROLS = 0.02  # of the characters of a text
_MOST_BAD = 0.2


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page's text; `bad` holds (line from 0, byte offset) of each line's first bad byte."""

    text: str
    bad: tuple[tuple[int, int], ...] = ()
    encoding: str = "UTF-8"


class UndecodableError(ValueError):
    """The bytes are no text; the message says why."""


def decode(data: bytes) -> Decoded:
    """The text of `data`. Raises UndecodableError if it is no text."""
    if data.startswith(_PDF):
        raise UndecodableError("binary, not text")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoded = _utf16(data)
    else:
        decoded = _utf8(data)
    text = decoded.text
    if decoded.encoding != "UTF-8":
        data = text.encode("utf-8", "replace")
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if "\0" in text or controls > _MOST_CONTROLS * len(text):
        raise UndecodableError("binary, not text")
    if decoded.bad and text.count("\ufffd") > _MOST_BAD * len(text):
        raise UndecodableError("not text in UTF-8")
    return decoded


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


def _utf16(data: bytes) -> Decoded:
    try:
        return Decoded(data.decode("utf-16"), encoding="UTF-16")
    except UnicodeDecodeError as error:
        ahead = data[: error.start].decode("utf-16", "ignore")
        number = len(_LINE.findall(ahead))
        return Decoded(data.decode("utf-16", "replace"), ((number, error.start),), "UTF-16")
