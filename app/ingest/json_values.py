"""Splits JSON that comes in pieces into its articles: its values, or the elements of a list.

In: pieces of one JSON value or of several in a row. Out: the bytes of each element of an array, or
of an object's list under a name such as `articles`; of any other value all of it. Only brackets,
commas, colons and quotes are examined, so that an invalid element does not affect the others.

    >>> values = Values(lambda name: False)
    >>> values.feed(b'{"status": "ok", "articles": [{"a": 1}, {"b')
    [b'{"a": 1}']
    >>> values.feed(b'": [2]}]}'), values.end()
    ([b' {"b": [2]}'], [])
"""

from __future__ import annotations

import re
from collections.abc import Callable

LISTS = frozenset(
    {"articles", "items", "results", "docs", "documents", "records", "rows", "entries", "news"}
    | {"stories", "posts", "hits", "value", "data", "list", "objects"}
)
"""Members of an object that hold its articles."""
NESTS = frozenset({"response", "data", "hits", "result", "feed", "articles", "payload"})
"""Members that hold such an object."""

_OUTSIDE = re.compile(rb'["\[\]{},:]')
_INSIDE = re.compile(rb'["\\]')
_DEEPEST = 4  # brackets down to a list of articles
_NAME_BYTES = 64


class Cut:
    """A buffer for an input up to the next cut; what is longer than `limit_bytes` is dropped."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held = bytearray()
        self._too_long = False

    def __len__(self) -> int:
        return len(self._held)

    def __bool__(self) -> bool:
        return self._too_long or len(self._held) > 0

    def add(self, data: bytes) -> None:
        """Append `data`."""
        if not self._too_long and len(self._held) + len(data) <= self._limit_bytes:
            self._held += data
        else:
            self._too_long = True
            self._held.clear()

    def is_blank(self) -> bool:
        """Whether nothing but white space is held, or a comma between values."""
        return not self._too_long and not self._held.strip(b" \t\r\n,")

    def take(self) -> bytes | None:
        """The content, None if it was too long; empties the buffer."""
        found = None if self._too_long else bytes(self._held)
        self._held.clear()
        self._too_long = False
        return found


class Values:
    """Splits JSON into its articles; `is_text` recognizes members that only an article has."""

    def __init__(self, is_text: Callable[[str], bool], *, limit_bytes: int = 8 * 2**20) -> None:
        self._is_text = is_text
        self._cut = Cut(limit_bytes)
        self._found: list[bytes | None] = []
        self._string = self._escaped = False
        self._name = bytearray()  # the latest text, which may be a member's name
        self._open = bytearray()  # the brackets that are open
        self._names: list[str] = []  # for each, the member that is being read
        self._listed = 0  # how many are open where the elements of a list of articles stand
        self._count = 0  # elements of that list
        self._may_list = False  # a list has opened whose elements may be articles
        self._holds = True  # what stands outside a list of articles is held
        self._is_article = False  # the outermost value is one itself

    @property
    def held_bytes(self) -> int:
        """The size of what is buffered of a value that is not complete."""
        return len(self._cut)

    @property
    def is_unended(self) -> bool:
        """Whether a list of articles is open."""
        return self._listed > 0

    def feed(self, data: bytes) -> list[bytes | None]:
        """The values that are complete with the next piece; None for one that is too long."""
        start = at = named = 0
        while match := self._mark(data, at):
            mark, begun, at = match.group(), match.start(), match.end()
            if self._string:
                self._escaped = mark == b"\\"
                if not self._escaped:
                    self._string = False
                    self._remember(data[named:begun])
            elif mark == b'"':
                self._string, self._may_list, named = True, False, at
                self._name.clear()
            else:
                start = self._past(mark, data, start, begun)
        if self._string:
            self._remember(data[named:])
        if self._holds:
            self._cut.add(data[start:])
        found, self._found = self._found, []
        return found

    def _past(self, mark: bytes, data: bytes, start: int, begun: int) -> int:
        """Go past a mark outside of texts; from where on the input is to be held."""
        is_between = self._listed > 0 and len(self._open) == self._listed
        if mark == b":":
            self._read_name()
        elif mark in b"[{":
            return self._begin(mark, data, start, begun)
        elif is_between and mark == b",":
            return self._end_element(data, start, begun)
        elif is_between and mark == b"]":
            return self._end_list(data, start, begun)
        elif mark in b"]}" and not is_between:
            return self._end_bracket(data, start, begun)
        return start

    def end(self) -> list[bytes | None]:
        """The value that is complete at the end of the input."""
        if self._listed or not self._holds or self._cut.is_blank():
            return []
        return [self._cut.take()]

    def _mark(self, data: bytes, at: int) -> re.Match[bytes] | None:
        """What changes where the reader is, from `at` on."""
        if self._escaped and at < len(data):
            self._escaped = False
            at += 1
        return (_INSIDE if self._string else _OUTSIDE).search(data, at)

    def _remember(self, data: bytes) -> None:
        if not self._listed and len(self._name) < _NAME_BYTES:
            self._name += data[:_NAME_BYTES]

    def _read_name(self) -> None:
        if self._names and not self._listed:
            name = self._name.decode("utf-8", "replace").casefold()
            self._names[-1] = name
            self._is_article |= len(self._names) == 1 and self._is_text(name)

    def _begin(self, mark: bytes, data: bytes, start: int, begun: int) -> int:
        """A bracket opens; from where on the input is to be held."""
        if self._may_list and mark == b"{":  # the first article of a list
            self._cut.take()
            self._listed, self._count, self._holds, start = len(self._open), 0, True, begun
        self._may_list = False
        if not self._open:
            self._cut.add(data[start:begun])
            if not self._cut.is_blank():
                self._found.append(self._cut.take())
            self._cut.take()
            start = begun
        self._open += mark
        self._names.append("")
        if self._listed or mark == b"{":
            return start
        if len(self._open) == 1:
            self._listed, self._count = 1, 0
            return begun + 1
        if self._is_article or len(self._open) > _DEEPEST:
            return start
        *nests, name = self._names[:-1]
        self._may_list = self._open.count(b"[") == 1 and name in LISTS and NESTS.issuperset(nests)
        return start

    def _end_element(self, data: bytes, start: int, begun: int) -> int:
        self._cut.add(data[start:begun])
        self._found.append(self._cut.take())
        self._count += 1
        return begun + 1

    def _end_list(self, data: bytes, start: int, begun: int) -> int:
        self._cut.add(data[start:begun])
        if self._count or not self._cut.is_blank():
            self._found.append(self._cut.take())
        self._cut.take()
        self._listed, self._holds = 0, False
        return self._end_bracket(data, begun, begun)

    def _end_bracket(self, data: bytes, start: int, begun: int) -> int:
        if self._may_list:  # no article is in the list
            self._holds = self._may_list = False
        if self._open:
            self._open.pop()
            self._names.pop()
        if self._open or self._listed:
            return start
        if self._holds:
            self._cut.add(data[start : begun + 1])
            self._found.append(self._cut.take())
        self._cut.take()
        self._holds, self._is_article = True, False
        return begun + 1
