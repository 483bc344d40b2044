"""What reads of entities take on a large store, each against its rows by primary key.

The store is made up: articles without a text to speak of, each on one of the subjects, with
two thirds of its entities from the few that this subject has and a third from all, and both
are drawn by rank (Zipf), so that a country stands in many subjects and a person in one. All
tables are filled by SQL from the mentions, not by the code that is measured. Entities are
asked for as often as articles mention them, which asks for the large ones most. `by_key`
fetches, by primary keys that are known, the rows that the answer is made of. Milliseconds are
those of the processor, the least of all rounds, as in `features`.
"""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from datetime import date
from itertools import accumulate
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, select

from app import filters
from app.entities import cooccurrence
from app.entities import read as entities
from app.settings import Settings
from app.store.database import Database
from app.store.models import metadata
from tests.bench.processes import Neighbours, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlmodel import Session

ARTICLES = 100_000
MENTIONS_EACH = 20
ENTITIES = 60_000
SUBJECTS, OF_SUBJECT = 2_000, 40
ASKED = 200
BEGINNINGS = ("khan", "sa", "mor", "lon", "bal", "ter")

_DAYS = 3650
_FIRST = date(2014, 1, 1).toordinal()
_SEED = 4
_SYLLABLES = ("ba", "lon", "mor", "sa", "khan", "ter", "vi", "do", "ri", "el", "gu", "na", "sho")

_alias = metadata.tables["alias"]
_appearance = metadata.tables["appearance"]
_companion = metadata.tables["companion"]
_entity = metadata.tables["entity"]


def measure(work: Path, *, articles: int = ARTICLES, rounds: int) -> dict[str, Any]:
    """The figures of all reads."""
    say(f"making {articles} articles with {articles * MENTIONS_EACH} mentions")
    settings = Settings(data_dir=work / "entities", extractor="none")
    with closing(Database.open(settings)) as database:
        database.migrate()
        made = fill(settings.data_dir / "broadsheet.db", articles)
        say(f"reading entities, {rounds} rounds")
        neighbours = Neighbours()
        with database.reading() as session:
            reads = {name: _timed(session, name, rounds) for name in _READS}
        return {
            **made,
            "asked": ASKED,
            "rounds": rounds,
            **reads,
            "neighbours_cores": round(neighbours.cores(), 2),
        }


def fill(path: Path, articles: int) -> dict[str, Any]:
    """Fill an empty store; the numbers of what is in it."""
    chance = random.Random(_SEED)
    count = min(ENTITIES, articles)
    weights = list(accumulate(1 / (rank + 4) for rank in range(count)))
    numbers = range(1, count + 1)
    subjects = [chance.choices(numbers, cum_weights=weights, k=OF_SUBJECT) for _ in range(SUBJECTS)]
    of_subjects = list(accumulate(1 / (rank + 20) for rank in range(SUBJECTS)))
    in_subject = list(accumulate(1 / (rank + 2) for rank in range(OF_SUBJECT)))
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA cache_size = -200000")
        ids = [UUID(int=chance.getrandbits(128)).hex for _ in range(articles)]
        days = [_FIRST + chance.randrange(_DAYS) for _ in range(articles)]
        database.executemany(
            _INSERT_ARTICLE,
            (
                (id_, f"Story {n}", f"{date.fromordinal(day)} 00:00:00.000000")
                for n, (id_, day) in enumerate(zip(ids, days, strict=True))
            ),
        )
        names = _names(chance, count)
        database.executemany(
            "INSERT INTO entity"
            " (number, id, type, name, name_key, name_fixed, article_count, mention_count)"
            " VALUES (?, ?, ?, ?, ?, 0, 0, 0)",
            (
                (n, UUID(int=chance.getrandbits(128)).hex, _type(n), name, name.lower())
                for n, name in enumerate(names, 1)
            ),
        )
        for start in range(0, articles, 5_000):
            rows = []
            for id_ in ids[start : start + 5_000]:
                (subject,) = chance.choices(subjects, cum_weights=of_subjects)
                held = chance.choices(subject, cum_weights=in_subject, k=MENTIONS_EACH // 2)
                held += chance.choices(numbers, cum_weights=weights, k=MENTIONS_EACH // 4)
                held += chance.choices(held, k=MENTIONS_EACH - len(held))
                rows += [
                    (id_, n, entity, entity, 9 * n, 9 * n + 8, names[entity - 1], names[entity - 1])
                    for n, entity in enumerate(held)
                ]
            database.executemany(
                "INSERT INTO mention VALUES (?, ?, ?, ?, 'body', NULL, ?, ?, ?, ?)", rows
            )
        for statement in _COUNTED:
            database.execute(statement)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        stored = {
            name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in ("article", "entity", "mention", "appearance", "companion", "alias")
        }
        largest = database.execute("SELECT max(article_count) FROM entity").fetchone()[0]
        size = path.stat().st_size
    return {"rows": stored, "largest_entity_articles": largest, "database_mb": round(size / 2**20)}


_INSERT_ARTICLE = (
    "INSERT INTO article (id, change, added, digest, headline, summary, places, body, word_count,"
    " published_at, published_precision, source, source_key, language, warnings) VALUES"
    " (?, 1, 1, '', ?, '[]', '[]', 'Text.', 1, ?, 'day', 'Valley', 'valley', 'en', '[]')"
)
_COUNTED = (
    (
        "INSERT INTO appearance SELECT article_id, entity, count(*),"
        " CAST(julianday(date(published_at)) - 1721424.5 AS INTEGER)"
        " FROM mention JOIN article ON id = article_id GROUP BY article_id, entity"
    ),
    (
        "UPDATE entity SET (article_count, mention_count) ="
        " (SELECT count(*), coalesce(sum(mentions), 0) FROM appearance WHERE entity = number)"
    ),
    (
        "INSERT INTO companion SELECT a.entity, b.entity, count(*) FROM appearance a"
        " JOIN appearance b ON b.article_id = a.article_id AND b.entity != a.entity"
        " GROUP BY a.entity, b.entity"
    ),
    (
        "INSERT INTO alias (entity, label, key, named, called, kept, surname, beside)"
        " SELECT number, name, name_key, article_count, article_count, 0,"
        " substr(name_key, instr(name, ' ') + 1), 0 FROM entity WHERE article_count > 0"
    ),
    (
        "INSERT OR IGNORE INTO alias (entity, label, key, named, called, kept, surname, beside)"
        " SELECT number, substr(name, instr(name, ' ') + 1),"
        " substr(name_key, instr(name, ' ') + 1), 0, article_count, 0, '', 0 FROM entity"
        " WHERE article_count > 0"
    ),
    "UPDATE store SET change = 1, extracted = 1",
    "INSERT INTO write_token VALUES (1, '00000000000000e1')",
)


def _names(chance: random.Random, count: int) -> list[str]:
    def word(parts: int) -> str:
        return "".join(chance.choices(_SYLLABLES, k=parts)).capitalize()

    return [f"{word(2)} {word(3)} {n}" for n in range(count)]


def _type(number: int) -> str:
    return ("person", "person", "organization", "place")[number % 4]


# --- what is read


_EVERY = filters.Filters()
_BY_NUMBER = select(_entity).where(_entity.c.number.in_(bindparam("keys", expanding=True)))
_PAIRS = (
    select(_entity, _companion.c.count)
    .join(_companion, _companion.c.other == _entity.c.number)
    .where(
        _companion.c.entity == bindparam("entity"),
        _companion.c.other.in_(bindparam("others", expanding=True)),
    )
)
_APPEARANCES = select(_appearance).where(
    _appearance.c.article_id.in_(bindparam("articles", expanding=True)),
    _appearance.c.entity.in_(bindparam("entities", expanding=True)),
)
_DAYS_BY_KEY = select(_appearance.c.day).where(
    _appearance.c.article_id.in_(bindparam("articles", expanding=True)),
    _appearance.c.entity == bindparam("entity"),
)
_ALIASES = select(_alias).where(
    _alias.c.entity == bindparam("entity"), _alias.c.label.in_(bindparam("labels", expanding=True))
)


def _timed(session: Session, name: str, rounds: int) -> dict[str, Any]:
    read, by_key, rows_of = _READS[name]
    chance = random.Random(_SEED)
    known = session.execute(select(_entity.c.number, _entity.c.id, _entity.c.article_count)).all()
    asked = chance.choices(known, weights=[row.article_count for row in known], k=ASKED)
    ours: list[float] = []
    theirs: list[float] = []
    for row in asked:
        keys = rows_of(session, row)
        ours.append(min(_ms(read, session, row) for _ in range(rounds)))
        theirs.append(min(_ms(by_key, session, keys) for _ in range(rounds)))
    mine, plain = _percentiles(ours), _percentiles(theirs)
    return {
        "ms": mine,
        "by_key_ms": plain,
        "p50_ratio": round(mine["p50"] / plain["p50"], 2),
        "p95_ratio": round(mine["p95"] / plain["p95"], 2),
    }


def _ms(call: Callable[..., object], *args: Any) -> float:
    started = time.thread_time()
    call(*args)
    return (time.thread_time() - started) * 1000


def _percentiles(times: Sequence[float]) -> dict[str, float]:
    return {
        "p50": round(median(times), 3),
        "p95": round(quantiles(times, n=20, method="inclusive")[-1], 3),
        "max": round(max(times), 3),
    }


def _list(session: Session, row: Any) -> Any:
    sort: Any = ("count", "name")[row.number % 2]
    type_ = (None, "person", "place")[row.number % 3]
    return entities.listing(session, type_=type_, sort=sort)


def _list_rows(session: Session, row: Any) -> Any:
    return _rows_of(session, _list(session, row).items)


def _rows_of(session: Session, shown: Sequence[entities.Entity]) -> Any:
    """The numbers of entities, and for each an article of its first and its last day."""
    found = []
    for each in shown:
        number = session.execute(
            select(_entity.c.number).where(_entity.c.id == each.id)
        ).scalar_one()
        found.append((number, _ends(session, number, each)))
    return found


def _ends(session: Session, number: int, shown: entities.Entity) -> list[UUID]:
    days = [each.toordinal() for each in (shown.first_seen, shown.last_seen) if each]
    c = _appearance.c
    held = select(c.article_id).where(c.entity == number, c.day.in_(days)).group_by(c.day)
    return list(session.execute(held).scalars())


def _search(session: Session, row: Any) -> Any:
    return entities.listing(session, beginning=BEGINNINGS[row.number % len(BEGINNINGS)] + "ba")


def _search_rows(session: Session, row: Any) -> Any:
    return _rows_of(session, _search(session, row).items)


def _one(session: Session, row: Any) -> Any:
    return entities.get(session, row.id)


def _related(session: Session, row: Any) -> Any:
    return cooccurrence.related(session, row.id)


def _one_rows(session: Session, row: Any) -> Any:
    whole = _one(session, row)
    labels = select(_alias.c.label).where(_alias.c.entity == row.number)
    found = session.execute(labels).scalars().all()
    return row.number, found, _ends(session, row.number, whole)


def _related_rows(session: Session, row: Any) -> Any:
    shown = [each.entity for each in _related(session, row).items]
    return row.number, _rows_of(session, shown)


def _timeline(session: Session, row: Any) -> Any:
    return entities.timeline(session, row.id, _EVERY, "month")


def _timeline_rows(session: Session, row: Any) -> Any:
    c = _appearance.c
    held = select(c.article_id).where(c.entity == row.number)
    return row.number, session.execute(held).scalars().all()


def _by_number(session: Session, keys: Any) -> Any:
    numbers = [number for number, _ in keys]
    return session.execute(_BY_NUMBER, {"keys": numbers}).all(), _end_rows(session, keys)


def _end_rows(session: Session, keys: Any) -> Any:
    given = {
        "articles": [id_ for _, ids in keys for id_ in ids],
        "entities": [number for number, _ in keys],
    }
    return session.execute(_APPEARANCES, given).all()


def _aliases(session: Session, keys: Any) -> Any:
    number, labels, ids = keys
    found = session.execute(_ALIASES, {"entity": number, "labels": labels}).all()
    return found, _by_number(session, [(number, ids)])


def _pairs(session: Session, keys: Any) -> Any:
    number, others = keys
    given = {"entity": number, "others": [other for other, _ in others]}
    return session.execute(_PAIRS, given).all(), _end_rows(session, others)


def _days(session: Session, keys: Any) -> Any:
    number, ids = keys
    found: list[Any] = []
    for start in range(0, len(ids), 500):
        some = {"entity": number, "articles": ids[start : start + 500]}
        found += session.execute(_DAYS_BY_KEY, some).all()
    return found


_READS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]] = {
    "list": (_list, _by_number, _list_rows),
    "beginning": (_search, _by_number, _search_rows),
    "one": (_one, _aliases, _one_rows),
    "related": (_related, _pairs, _related_rows),
    "timeline": (_timeline, _days, _timeline_rows),
}
