"""An extractor that knows a few names, for what does not depend on how names are found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.extract.base import Failure, Field, Mention, Text, Type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Known = tuple[Type, str, str | None]

NAMES: dict[str, Known] = {
    "Ada Byron": ("person", "Ada Byron", None),
    "ADA BYRON": ("person", "ADA BYRON", None),
    "Byron": ("person", "Ada Byron", None),
    "Ada King Byron": ("person", "Ada King Byron", None),
    "Omar Díaz": ("person", "Omar Díaz", None),
    "Harbour Board": ("organization", "Harbour Board", None),
    "United Nations": ("organization", "United Nations", "org-un"),
    "UN": ("organization", "United Nations", "org-un"),
    "Muscat": ("place", "Muscat", None),
    "MUSCAT": ("place", "Muscat", None),
    "Cairo": ("place", "Cairo", None),
    "CAIRO": ("place", "Cairo", None),
    "United States": ("place", "United States", "country-us"),
    "Islamabad": ("place", "Islamabad", None),
    "ISLAMABAD": ("place", "Islamabad", None),
    "Pakistan": ("place", "Pakistan", None),
    "Zalmay Khalilzad": ("person", "Zalmay Khalilzad", None),
    "Khalilzad": ("person", "Zalmay Khalilzad", None),
    "Binance": ("organization", "Binance", None),
}


class FakeExtractor:
    """Finds `names` as they are written; text with `broken` in it cannot be read."""

    def __init__(
        self,
        version: str = "fake 1",
        names: Mapping[str, Known] = NAMES,
        *,
        broken: str | None = None,
    ) -> None:
        self.version = version
        self.read: list[str] = []
        self._names = names
        self._broken = broken
        longest = sorted(names, key=len, reverse=True)
        self._found = re.compile(rf"\b({'|'.join(map(re.escape, longest))})\b")

    def extract(self, texts: Sequence[Text]) -> Iterator[list[Mention] | Failure]:
        for text in texts:
            self.read.append(text.headline)
            if self._broken is not None and self._broken in text.body:
                yield Failure("too hard")
            else:
                yield list(self._mentions(text))

    def _mentions(self, text: Text) -> Iterator[Mention]:
        yield from self._in("headline", None, text.headline)
        for number, bullet in enumerate(text.summary):
            yield from self._in("summary", number, bullet)
        yield from self._in("caption", None, text.caption)
        yield from self._in("dateline", None, text.dateline)
        yield from self._in("body", None, text.body)

    def _in(self, field: Field, index: int | None, content: str | None) -> Iterator[Mention]:
        for match in self._found.finditer(content or ""):
            type_, name, known = self._names[match.group()]
            yield Mention(
                type=type_,
                name=name,
                known=known,
                surface=match.group(),
                field=field,
                index=index,
                start=match.start(),
                end=match.end(),
            )


class FakePool(FakeExtractor):
    """The same in the place of an `app.extract.pool.Crew`."""

    def __init__(self, *_opening: object) -> None:
        super().__init__()
        self.workers = 1

    def rest(self) -> None:
        """There is nothing to end."""

    def close(self) -> None:
        """There is nothing to end."""

    def stop(self) -> None:
        """There is nothing to end."""
