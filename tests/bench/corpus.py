"""Pages to measure with: news stories made of real agency text, printed as a scraped page.

The Reuters items are short (a median of 87 words), so a story takes the headline, the date
and the dateline of one item and goes on with the paragraphs of further ones until it has the
length of a news article. Every item is used about equally often, no two stories share an
identity, and the same items always make the same pages. Nothing is measured here.
"""

from __future__ import annotations

import gzip
import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from app.articles.identity import article_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

DATA = Path("../shared/data/news")
NAME = "reuters21578.jsonl.gz"
SHORTEST, LONGEST = 200, 520
"""Words of a story's body at which it stops taking paragraphs, drawn evenly in between."""
FURTHER_EVERY = 5
"""Each fifth page holds a further story, as news sites append them."""

_LEAST_WORDS = 8  # of an item's first paragraph: fewer begin a table, not a story
_BULLET_WORDS, _CAPTION_WORDS = 18, 25
_SEED = 21578


@dataclass(frozen=True, slots=True)
class Item:
    """A news item as it was sent: paragraphs without line breaks, the place in capitals."""

    title: str
    published_at: datetime
    place: str | None
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """An article as a page prints it."""

    headline: str
    published_at: datetime
    caption: str
    credit: str
    bullets: tuple[str, ...]
    place: str | None
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was written: files, the articles in them, their words and bytes."""

    pages: int
    articles: int
    body_words: int
    size_bytes: int


def data_file() -> Path:
    """The file of Reuters items; `BROADSHEET_BENCH_DATA` names it or its folder."""
    path = Path(os.environ.get("BROADSHEET_BENCH_DATA") or DATA)
    return path / NAME if path.suffix != ".gz" else path


def items(file: Path) -> list[Item]:
    """The usable items of the gzipped JSON lines in `file`: titled, dated, with a text."""
    with gzip.open(file) as lines:
        found = [_item(orjson.loads(line)) for line in lines]
    return [item for item in found if item is not None]


def _item(row: dict[str, Any]) -> Item | None:
    paragraphs = _paragraphs(_plain(row["body"] or ""))
    if paragraphs and paragraphs[0].startswith("By "):
        paragraphs = paragraphs[1:]
    title = " ".join(_plain(row["title"] or "").split())
    if not title or not row["published"] or _words(paragraphs[:1]) < _LEAST_WORDS:
        return None
    return Item(
        title,
        datetime.fromisoformat(row["published"]).replace(tzinfo=UTC),
        (row["place"] or "").upper().partition(",")[0] or None,
        paragraphs,
    )


def _plain(text: str) -> str:
    """`text` without the brackets that the wire sets around names of companies."""
    return text.replace("<", "").replace(">", "")


def _paragraphs(body: str) -> tuple[str, ...]:
    """The paragraphs of an item; an indented line starts one, as does each row of a table."""
    paragraphs: list[str] = []
    for line in body.splitlines():
        if line[:1] == " " or not paragraphs:
            paragraphs.append(line)
        else:
            paragraphs[-1] += " " + line
    return tuple(" ".join(text.split()) for text in paragraphs if text.strip())


def _words(paragraphs: Iterable[str]) -> int:
    return sum(len(text.split()) for text in paragraphs)


# --- stories


def stories(found: Sequence[Item]) -> Iterator[Story]:
    """Stories that no reader takes for one another; ValueError when the items are used up.

    The first round gives each item its own text; later ones put it under another headline.
    """
    chance = random.Random(_SEED)
    order = list(found)
    chance.shuffle(order)
    seen: set[UUID] = set()
    filler = len(order) // 2
    for shift in range(len(order)):
        for number, head in enumerate(order):
            paragraphs = list(order[(number + shift) % len(order)].paragraphs)
            id_ = article_id(url=None, source=None, headline=head.title, body=paragraphs[0])
            if id_ in seen:
                continue
            seen.add(id_)
            wanted = chance.randint(SHORTEST, LONGEST)
            while _words(paragraphs) < wanted:
                paragraphs += order[filler % len(order)].paragraphs
                filler += 1
            yield _story(head, _cut(paragraphs, wanted))
    raise ValueError(f"{len(order)} items make only {len(seen)} stories")


def _cut(paragraphs: list[str], wanted: int) -> tuple[str, ...]:
    """Whole paragraphs up to the one that reaches `wanted` words."""
    words = 0
    for number, paragraph in enumerate(paragraphs, 1):
        words += len(paragraph.split())
        if words >= wanted:
            return tuple(paragraphs[:number])
    return tuple(paragraphs)


def _story(head: Item, paragraphs: tuple[str, ...]) -> Story:
    return Story(
        headline=head.title,
        published_at=head.published_at,
        caption=_first(paragraphs[len(paragraphs) // 2], _CAPTION_WORDS),
        credit="Reuters",
        bullets=tuple(_first(paragraph, _BULLET_WORDS) for paragraph in paragraphs[1:3]),
        place=head.place,
        paragraphs=paragraphs,
    )


def _first(text: str, words: int) -> str:
    return " ".join(text.split()[:words])


# --- pages


def page(main: Story, *further: Story) -> str:
    """The text of a scraped page in the layout that `app.ingest.page_text` describes."""
    photo = f"\n{main.caption} ({main.credit})\nShort Url\n"
    return "\n\n\n".join(
        f"{story.headline}\n{photo if story is main else chr(10)}{_below(story)}"
        for story in (main, *further)
    )


def _below(story: Story) -> str:
    bullets = "".join(f"  • {bullet}\n" for bullet in story.bullets)
    dateline = f"{story.place}: " if story.place else ""
    body = "\n\n".join(story.paragraphs)
    return (
        f"Updated {story.published_at:%d %B %Y}\nFollow\n\n{story.headline}\n\n"
        f"{bullets}\n{dateline}{body}\n"
    )


def write(folder: Path, made: Iterator[Story], *, pages: int) -> Corpus:
    """Write `pages` files below `folder`, each fifth with a further story."""
    articles = words = size = 0
    for number in range(pages):
        count = 2 if number % FURTHER_EVERY == FURTHER_EVERY - 1 else 1
        printed = list(islice(made, count))
        data = page(*printed).encode()
        (folder / f"{number:05}.txt").write_bytes(data)
        articles += len(printed)
        words += sum(_words(story.paragraphs) for story in printed)
        size += len(data)
    return Corpus(pages, articles, words, size)
