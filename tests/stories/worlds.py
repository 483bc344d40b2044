"""Random worlds of stories, and what their senders and editors do to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.stories.reference import Input

if TYPE_CHECKING:
    import random

Operation = tuple[Any, ...]
"""("load" or "feed", inputs), or what is done, two numbers, headline, body, and if it is dated."""

_TEXT = (
    "baker barge bee bell board bread bridge bus camera canal cheese choir club council "
    "crack crane dam diver fan ferry flood gale gate glass grain hall honey house lamp lock "
    "loaf market mill mine night nurse owner pier pilot pipe pump quarry rail rain river road "
    "roof salt school seat shift shop snow spring stall stone toll tower train tram vote ward "
    "water wheat wolf yard"
)
WORDS = _TEXT.split()
KINDS = ("plain", "plain", "live blog", "one guid", "one feed")
FEATURES = (
    *("rewritten", "retitled", "moved", "dated", "undated", "numbered", "teasers", "copied"),
    *("batch", "feed", "recurring", "timed", "embargoed", "mixed"),
)
DONE = (*("put",) * 4, *("bump",) * 3, *("kill",) * 2, "remove", "restore", "join", "erase")


def words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(count))


def edited(chance: random.Random, body: str) -> str:
    """The body with a word changed, its end cut off, or an end added."""
    parts, kind = body.split(), chance.random()
    if kind < 0.6:
        parts[chance.randrange(8 if kind < 0.4 else 0, len(parts))] = f"x{chance.randrange(99)}"
        return " ".join(parts)
    shorter = parts[: max(9, len(parts) * 2 // 3)]
    return " ".join(shorter if kind < 0.8 else [*parts, words(chance, 6)])


def story(
    chance: random.Random, number: int, keys: set[str], kind: str, features: set[str]
) -> list[Input]:
    """The inputs of one story, oldest text first, and repetitions of them."""
    source, host = chance.choice([("Post", "post.example")] * 2 + [("Courier", "courier.example")])
    if kind in ("live blog", "one feed"):
        source, host = "Post", "post.example"
    head, body = words(chance, 4), words(chance, chance.choice([9, 14, 30]))
    day = f"2021-01-{chance.randint(1, 9):02}"
    if "recurring" in features:
        head, body, day = "mill prices", f"the mill pays as ever {number}", f"2021-0{number + 1}-01"
        body += " for grain and bread to its owners"
    date = day
    if "timed" in features:
        date += f"T{chance.randrange(8, 20):02}:{chance.randrange(60):02}"
    guid = chance.choice([f"urn:x:{number}", f"10{number}"])
    guid = "all-1" if kind in ("one guid", "one feed") else guid
    url = f"https://{host}/" + ("live" if kind in ("live blog", "one feed") else f"s{number}")
    sent = []
    for version in range(chance.randint(1, 4)):
        change = chance.random()
        if version and change < 0.2 and "rewritten" in features:
            head, body = words(chance, 4), words(chance, 14)
        elif version and change < 0.4 and "retitled" in features:
            head = words(chance, 4)
        elif version:
            body = edited(chance, body)
        if version and "moved" in features and chance.random() < 0.5:
            url = f"https://{host}/s{number}-{version}"
        is_dated = "dated" in features and chance.random() < 0.8
        sent.append(
            Input(
                guid=guid if "guid" in keys else None,
                url=url if "url" in keys else None,
                source=source,
                headline=head,
                body=body,
                updated_at=f"{day}T{version + 20}:00" if is_dated else None,
                published_at=None if "undated" in features and keys else date,
                sender_version=version + 1 if "numbered" in features else 0,
                embargoed="embargoed" in features and chance.random() < 0.3,
            )
        )
    return sent + again(chance, sent, teasers=bool(keys) and "teasers" in features)


def again(chance: random.Random, sent: list[Input], *, teasers: bool) -> list[Input]:
    """The same texts once more, at addresses that are the same, and cut short."""
    found = []
    for i in sent:
        if chance.random() < 0.25:
            found.append(i)
        if i.url and chance.random() < 0.25:
            other = i.url.replace("https", "http") + "/?utm_source=rss&CMP=x"
            found.append(replace(i, url=other))
        if teasers and chance.random() < 0.4:
            start = " ".join(i.body.split()[:5])
            found.append(replace(i, body=f"{start} …", updated_at="2021-02-01"))
    return found


def documents(chance: random.Random) -> list[Operation]:
    """Loads and feeds of a few stories, in a random order."""
    kind = chance.choice(KINDS)
    keys = {"guid", "url"}
    if kind in ("plain", "one feed"):
        keys = chance.choice([{"guid"}, {"url"}, {"guid", "url"}, set()])
    features = {each for each in FEATURES if chance.random() < 0.3}
    found: list[Operation] = []
    for number in range(chance.randint(1, 3)):
        sent = story(chance, number, keys, kind, features)
        if "copied" in features:
            url = f"https://mirror.example/{number}" if sent[0].url else None
            sent.append(replace(sent[0], source="Mirror", url=url))
        if "mixed" in features:
            sent = [
                replace(
                    i,
                    guid=chance.choice([i.guid, i.guid, None]),
                    url=chance.choice([i.url, i.url, None]),
                    source=chance.choice([i.source] * 3 + [None]),
                )
                for i in sent
            ]
        found += [("load", sent)] if "batch" in features else [("load", [i]) for i in sent]
    if kind == "one feed" or "feed" in features:
        inputs = [i for _, some in found for i in some]
        chance.shuffle(inputs)
        size = len(inputs) if kind == "one feed" else 3
        found = [("feed", inputs[n : n + size]) for n in range(0, len(inputs), size)]
    chance.shuffle(found)
    return found


def history(chance: random.Random) -> list[Operation]:
    """Documents, and between them what editors and senders do."""
    found = documents(chance)
    for _ in range(chance.randint(0, 5)):
        which = chance.randrange(99), chance.randrange(99)
        text = words(chance, 3), words(chance, 9), chance.random() < 0.5
        place = chance.randrange(1, len(found) + 1)
        found.insert(place, (chance.choice(DONE), *which, *text))
    return found
