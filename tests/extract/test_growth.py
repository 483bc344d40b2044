"""The work of extraction grows with an article's names, not with their square.

Work is what the interpreter does: lines that it runs, iterations of comprehensions included.
Each kind of list makes another step the one that has most to do.
"""

from __future__ import annotations

import random
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from app.extract import Resolving
from app.extract.base import Text
from app.extract.rules import RulesFinder

if TYPE_CHECKING:
    from collections.abc import Callable

SYLLABLES = ("ba", "ko", "mi", "ru", "te", "zo", "la", "ni", "fe", "du", "sha", "ver", "ton", "gar")
MANY = 200


def word(number: int) -> str:
    draw = random.Random(number)
    return "".join(draw.choice(SYLLABLES) for _ in range(3)).capitalize()


def person(number: int) -> str:
    return f"{word(number)} {word(number + 100_000)}"


def cased(number: int) -> str:
    """A name in a case of its own: all of them are one name."""
    letters = "bcdefghijkl"
    return "A" + "".join(c.upper() if number >> at & 1 else c for at, c in enumerate(letters))


def short(number: int) -> str:
    return "".join(word(number + more)[0] for more in range(3))


KINDS: dict[str, Callable[[int], str]] = {
    "people": lambda i: f"{person(i)}, ",
    "people who speak": lambda i: f"{person(i)} said. {word(i + 100_000)} added. ",
    "people of one surname": lambda i: f"{word(i)} Smith said. Smith said. ",
    "people of one given name": lambda i: f"John {word(i)} said. ",
    "initials and given names": lambda i: f"{chr(65 + i % 26)}. Smith and {word(i)} Smith said. ",
    "one name in many cases": lambda i: f"{cased(i)} Smithers said. ",
    "surnames alone": lambda i: f"Mr. {word(i)} said. ",
    "organizations": lambda i: f"{person(i)} Bank, ",
    "companies": lambda i: f"{person(i)} Inc said. {word(i)} said. ",
    "companies that begin alike": lambda i: f"Acme {word(i)} Inc said. Acme said. ",
    "acronyms": lambda i: f"{word(i)} {word(i + 1)} {word(i + 2)} ({short(i)}) met {short(i)}. ",
    "one acronym": lambda _: "World Trade Body (WTB) met WTB. ",
    "a country that is a state": lambda _: "in Georgia, ",
    "teams": lambda i: f"{word(i)} beat {word(i)} United 2-1 in the league season of goals. ",
    "players": lambda i: (
        f"American {person(i)} and spinner {person(i + MANY)} won in the league "
        f"season of goals. {word(i)}'s {person(i + 2 * MANY)} scored. "
    ),
    "titles": lambda _: "Minister ",
    "one word without an end": lambda i: f"{word(i)}'",
    "dots": lambda _: "A.A.A.",
}


def work(text: Text) -> int:
    extractor = Resolving(RulesFinder())
    done = 0

    def count(_frame: Any, event: str, _arg: object) -> Any:
        nonlocal done
        done += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        (found,) = extractor.extract([text])
    finally:
        sys.settrace(before)
    assert isinstance(found, list)
    return done


def growth(make: Callable[[int], Text]) -> float:
    """How much more work twice the names are than once."""
    work(make(2))  # what is read once, as the authority file, is nobody's work
    return work(make(2 * MANY)) / work(make(MANY))


@pytest.mark.parametrize("kind", KINDS)
def test_twice_the_names_are_twice_the_work(kind: str) -> None:
    said = KINDS[kind]
    assert growth(lambda n: Text("Honours", body="".join(map(said, range(n))))) < 2.4


def test_bullets_and_headlines_in_capitals_grow_likewise() -> None:
    def make(count: int) -> Text:
        people = [person(number) for number in range(count)]
        bullets = tuple(each.upper() for each in people)
        return Text(", ".join(people).upper(), bullets, body=", ".join(people))

    assert growth(make) < 2.4


@pytest.mark.parametrize("unit", ["A", "Ba", "Ba'", "A.", "American ", "Spain's ", "Ba Ba ("])
def test_a_hostile_report_of_sport_takes_no_minutes(unit: str) -> None:
    body = "The striker scored in the match of the season, 3-0. " + (unit * 50_000)[:50_000]
    started = time.process_time()
    Resolving(RulesFinder()).extract([Text("Cricket-Rain", body=body)])
    assert time.process_time() - started < 20
