"""Makes pages of invented text: fields in, the page's text and the expected draft out.

The expected values are the fields that went in, so that no test compares the reader with
itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.ingest.draft import Draft
from app.ingest.page_text import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.ingest.draft import Reject

SENTENCES = (
    "The harbor authority said on Sunday that two of its five piers had been cleared of sand.",
    "“We were told to wait until the tide turned,” said Omar Haddad, who runs a small ferry.",
    "Engineers from three countries arrived last week, and a fourth team is expected.",
    "Prices at the fish market rose by 12.5 percent, the highest since Jan. 31, 2019.",
    "Nobody was hurt, according to a spokeswoman for the coast guard.",
    "A second storm may follow: forecasters in Muscat put its chance at one in three.",
    "The ministry’s budget for repairs — $4.2 million — was approved in March.",
    "Schools near the shore stay closed until Thursday at the earliest.",
)
SIZES = {"short": 1, "medium": 4, "long": 60}


def body(size: str, start: int = 0) -> tuple[str, ...]:
    """Paragraphs of invented text: one, four, or sixty."""
    return tuple(
        f"{SENTENCES[(start + number) % len(SENTENCES)]} "
        f"{SENTENCES[(start + 3 * number + 1) % len(SENTENCES)]}"
        for number in range(SIZES[size])
    )


@dataclass(frozen=True)
class Story:
    """An article's fields as a page prints them."""

    headline: str = "Ports reopen after the storm"
    body: tuple[str, ...] = body("short")
    summary: tuple[str, ...] = ()
    caption: str | None = None
    credit: str | None = None
    credited: str = " ({})"
    dateline: str | None = None
    places: tuple[str, ...] = ()
    byline: str | None = None
    date: str = "09 May 2020"
    published_at: datetime | None = datetime(2020, 5, 9, tzinfo=UTC)
    gap: str = "\n"

    def fields(self) -> dict[str, Any]:
        """What a draft of this story holds, but its origin."""
        return {
            "headline": self.headline,
            "body": "\n\n".join(self.body),
            "summary": self.summary,
            "caption": self.caption,
            "credit": self.credit,
            "byline": self.byline,
            "dateline": self.dateline,
            "places": self.places,
            "published_at": self.published_at,
            "published_precision": "day" if self.published_at else None,
            "source": None,
            "url": None,
            "language": None,
            "section": None,
            "warnings": (),
        }

    def text(self) -> str:
        """The part of a page below `Follow`."""
        first, *rest = self.body
        opening = f"{self.dateline}: {first}" if self.dateline else first
        bullets = "".join(f"  • {line}\n" for line in self.summary)
        lines = [self.headline, "\n\n", bullets, "\n" if bullets else ""]
        return "".join([*lines, self.gap.join([opening, *rest]), "\n"])

    def main(self) -> str:
        """The story as a page's main article."""
        photo = self.caption or ""
        if self.credit:
            photo += self.credited.format(self.credit)
        photo += "\n" if photo else ""
        return f"{self.headline}\n\n{photo}Short Url\nUpdated {self.date}\nFollow\n\n{self.text()}"

    def further(self) -> str:
        """The story as one of a page's further articles."""
        return f"\n\n{self.headline}\n\nUpdated {self.date}\nFollow\n\n{self.text()}"


FULL = Story(
    summary=("Two of five piers are clear of sand", "A second storm may follow next week"),
    caption="Cranes at the port of Salalah on Friday.",
    credit="AFP",
    dateline="MUSCAT",
    places=("Muscat",),
)
"""A main article with everything that the plain layout knows."""

FURTHER = replace(
    FULL,
    headline="Fishermen ask for credit",
    caption=None,
    credit=None,
    date="5 December 2025",
    published_at=datetime(2025, 12, 5, tzinfo=UTC),
    dateline="DUBAI/RIYADH",
    places=("Dubai", "Riyadh"),
    gap="\n\n",
)
"""A further article."""


def page(main: Story, *further: Story) -> str:
    """A page's text."""
    return main.main() + "".join(story.further() for story in further)


def read(text: str | bytes, path: str = "page.txt") -> list[Draft | Reject]:
    """What the reader gives for a page."""
    return list(parse(text.encode() if isinstance(text, str) else text, path))


def drafts(text: str | bytes) -> list[Draft]:
    """The drafts of a page of which nothing is rejected."""
    found = read(text)
    assert all(isinstance(one, Draft) for one in found), found
    return [one for one in found if isinstance(one, Draft)]


def draft(text: str | bytes) -> Draft:
    """The one draft of a page."""
    (found,) = drafts(text)
    return found


def rejected(text: str | bytes) -> list[tuple[int | None, str]]:
    """The line and reason of each reject of a page without drafts."""
    found = read(text)
    assert not any(isinstance(one, Draft) for one in found), found
    return [(one.line, one.reason) for one in found if not isinstance(one, Draft)]


def fields(found: Draft) -> dict[str, Any]:
    """A draft's fields, but its origin."""
    return {name: getattr(found, name) for name in Story().fields()}


def assert_reads(text: str | bytes, stories: Iterable[Story]) -> None:
    """Fail unless the page gives exactly these stories, in order."""
    found = drafts(text)
    assert [fields(one) for one in found] == [story.fields() for story in stories]
    assert [one.origin.position for one in found] == list(range(len(found)))
