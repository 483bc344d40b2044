"""Table rewriting, which removes the remnants of deleted rows from the database's pages.

With `secure_delete` SQLite overwrites deleted rows and freed pages. But when it repacks a page, old
bytes of the rows stay in the page's unused middle, and deleting the rows later does not reach
them. So a table is copied in short transactions, and the copy takes its place. The old table is
emptied likewise, which frees all its pages. Reads and writes continue meanwhile: triggers
replicate writes to the copy.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.store.database import Database

TABLES = (
    "alias",
    "article",
    "article_name",
    "article_version",
    "entity",
    "extraction",
    "mention",
    "place",
    "sighting",
)
"""The tables with words of articles; the others have digests, ids and numbers."""
SLICE_S = 0.1
"""The time that the write lock is held, and the pause between two such slices."""
_STEP = 100
"""Rows that are written between two checks of the clock."""
_FRESH, _STALE = "fresh_", "stale_"


def rewrite(database: Database) -> None:
    """Rewrite every table of TABLES with its indexes.

    Not for two callers at once: each discards the unfinished copies of an earlier one. The file
    may grow by the size of its largest table, which later writes reuse.
    """
    for name in TABLES:
        _discard(database, _FRESH + name)
        _discard(database, _STALE + name)
        _copy(database, name)
        _swap(database, name)
        _discard(database, _STALE + name)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The definition of a table: its SQL, columns and primary key, and its indexes."""

    name: str
    sql: str
    columns: tuple[str, ...]
    primary: tuple[str, ...]
    indexes: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The order in which its rows are stored."""
        return self.primary if "WITHOUT ROWID" in self.sql else ("rowid",)

    def is_row(self, row: str) -> str:
        """The SQL condition for the row that a trigger calls OLD or NEW."""
        return " AND ".join(f"{column} = {row}.{column}" for column in self.primary)


def _shape(connection: Connection, name: str) -> _Shape:
    found = connection.exec_driver_sql(
        "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ?", (name,)
    ).all()
    columns = connection.exec_driver_sql(f"PRAGMA table_info({name})").all()
    keyed = sorted((column.pk, f'"{column.name}"') for column in columns if column.pk)
    return _Shape(
        name=name,
        sql=next(each.sql for each in found if each.type == "table"),
        columns=tuple(f'"{column.name}"' for column in columns),
        primary=tuple(column for _, column in keyed),
        indexes=tuple((each.name, each.sql) for each in found if each.type == "index" and each.sql),
    )


def _copy(database: Database, name: str) -> None:
    """Copy a table, and replicate writes to the copy."""
    fresh = _FRESH + name
    with database.restructuring() as connection:
        shape = _shape(connection, name)
        made = re.sub(rf'^CREATE TABLE "?{name}"?', f"CREATE TABLE {fresh}", shape.sql)
        connection.exec_driver_sql(made)
        columns = ", ".join(shape.columns)
        values = ", ".join(f"NEW.{column}" for column in shape.columns)
        gone = f"DELETE FROM {fresh} WHERE {shape.is_row('OLD')};"
        come = (
            f"DELETE FROM {fresh} WHERE {shape.is_row('NEW')};"
            f"INSERT INTO {fresh} ({columns}) VALUES ({values});"
        )
        _follow(connection, name, fresh, {"INSERT": come, "DELETE": gone, "UPDATE": gone + come})
    order = ", ".join(shape.key)

    def step(connection: Connection, condition: str, values: tuple[Any, ...]) -> None:
        rows = f"SELECT {columns} FROM {name} WHERE {condition} ORDER BY {order}"
        connection.exec_driver_sql(f"INSERT OR IGNORE INTO {fresh} ({columns}) {rows}", values)

    _walk(database, shape, step)


def _swap(database: Database, name: str) -> None:
    """Replace a table by its copy, and rebuild its indexes.

    Later deletes are replicated to the old table, whose references must stay valid.
    """
    fresh, stale = _FRESH + name, _STALE + name
    with database.restructuring() as connection:
        shape = _shape(connection, name)
        _unfollow(connection, fresh)
        for index, _ in shape.indexes:
            connection.exec_driver_sql(f"DROP INDEX {index}")
        connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {stale}")
        connection.exec_driver_sql(f"ALTER TABLE {fresh} RENAME TO {name}")
        for _, sql in shape.indexes:
            connection.exec_driver_sql(sql)
        gone = f"DELETE FROM {stale} WHERE {shape.is_row('OLD')};"
        _follow(connection, name, stale, {"DELETE": gone, "UPDATE": gone})


def _discard(database: Database, name: str) -> None:
    """Drop a copy or an old table if it exists; first delete its rows in short transactions."""
    with database.restructuring() as connection:
        if not connection.dialect.has_table(connection, name):
            return
        shape = _shape(connection, name)

    def step(connection: Connection, condition: str, values: tuple[Any, ...]) -> None:
        connection.exec_driver_sql(f"DELETE FROM {name} WHERE {condition}", values)

    _walk(database, shape, step)
    with database.restructuring() as connection:
        _unfollow(connection, name)
        connection.exec_driver_sql(f"DROP TABLE {name}")


def _follow(connection: Connection, name: str, other: str, steps: dict[str, str]) -> None:
    """Replicate the writes of a table to another one, by triggers."""
    for event, step in steps.items():
        connection.exec_driver_sql(
            f"CREATE TRIGGER {other}_{event} AFTER {event} ON {name} BEGIN {step} END"
        )


def _unfollow(connection: Connection, other: str) -> None:
    for event in ("INSERT", "DELETE", "UPDATE"):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {other}_{event}")


def _walk(
    database: Database, shape: _Shape, step: Callable[[Connection, str, tuple[Any, ...]], None]
) -> None:
    """Apply `step` to all rows in key order, _STEP at a time."""
    key = ", ".join(shape.key)
    place = f"({key})", f"({', '.join('?' * len(shape.key))})"
    last: tuple[Any, ...] = ()
    while True:
        with database.restructuring() as connection:
            until = time.monotonic() + SLICE_S
            while True:
                after = " > ".join(place) if last else "1"
                ends = f"SELECT {key} FROM {shape.name} WHERE {after} ORDER BY {key}"
                ends = f"{ends} LIMIT 1 OFFSET {_STEP - 1}"
                end = connection.exec_driver_sql(ends, last).one_or_none()
                if end is None:
                    step(connection, after, last)
                    return
                step(connection, f"{after} AND {' <= '.join(place)}", (*last, *end))
                last = tuple(end)
                if time.monotonic() >= until:
                    break
        _pause()


def _pause() -> None:
    time.sleep(SLICE_S)  # SQLite's waiters poll for the lock
