"""The commands that take articles out and bring them back: remove, restore-article, join."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import orjson
import typer

from app.cli import common
from app.cli.common import WRONG_USE, AsJson
from app.errors import EngineBusy, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlmodel import Session

    from app import articles
    from app.database import Database
    from app.search.base import Engine
    from app.settings import Settings

BATCH = 500
"""Articles that are removed in a transaction."""
ERASED = 5_000
"""Articles that are erased in a transaction: their texts are overwritten before the first goes."""
SAMPLES = 3

Names = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only those of it.")]


def remove(
    article_id: Annotated[
        UUID | None, typer.Argument(metavar="ID", help="The id of one article.")
    ] = None,
    *,
    guid: Annotated[
        str | None, typer.Option(metavar="G", help="The sender's id; within --source.")
    ] = None,
    load: Annotated[
        int | None, typer.Option(metavar="LOAD", help="Take back what this load alone brought.")
    ] = None,
    source: Names = None,
    section: Names = None,
    language: Names = None,
    place: Names = None,
    person: Names = None,
    organization: Names = None,
    entity: Names = None,
    before: Annotated[
        str | None, typer.Option(metavar="DAY", help="Only those published before it.")
    ] = None,
    erase: Annotated[bool, typer.Option("--erase", help="For good, from every file.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would go and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take articles out, until they are restored, or for good.

    One by its id, those of a guid, those that pass filters, or what a load brought.
    """
    from app import articles, removal

    named = {
        "source": source or [],
        "section": section or [],
        "language": language or [],
        "place": place or [],
        "person": person or [],
        "organization": organization or [],
        "entity": entity or [],
    }
    is_filtered = before is not None or any(named.values())
    within = named.pop("source") if guid is not None and len(named["source"]) == 1 else None
    ways = (article_id is not None, guid is not None, load is not None)
    if sum(ways) + (is_filtered and not within) != 1 or (load is not None and erase):
        print("error: name one: ID, --guid G, --load LOAD (not to erase), filters", file=sys.stderr)
        raise typer.Exit(WRONG_USE)
    with common.opened() as (settings, database, engine):
        if load is not None:
            _undo(database, load, dry_run=dry_run, as_json=as_json)
        else:
            wanted = _wanted(article_id, guid, within, named, before)
            with database.reading() as session:
                ids = wanted(session)
                if guid is not None and not erase:
                    ids = list(articles.some(session, ids))  # those that are out stay so
                samples = articles.some(session, ids[:SAMPLES])
            if not dry_run:
                if erase:
                    _in_batches(database, ids, removal.erase_all, ERASED)
                else:
                    _in_batches(database, ids, removal.remove_all, BATCH)
            told = {"articles": len(ids), "erased": erase, "dry_run": dry_run}
            _tell(told, samples.values(), as_json=as_json)
        if not dry_run:
            _carry_through(database, engine, settings)


def _wanted(
    article_id: UUID | None,
    guid: str | None,
    within: Sequence[str] | None,
    named: dict[str, list[str]],
    before: str | None,
) -> Callable[[Session], list[UUID]]:
    """What finds the ids of the articles that are meant."""
    from app import filters, removal

    if article_id is not None:
        return lambda _: [article_id]
    if guid is not None:
        return partial(removal.of_guid, guid=guid, source=within[0] if within else None)
    try:
        chosen = filters.parse(named)
        until = None if before is None else filters.period("before", before)[0]
    except ParameterError as error:
        raise typer.BadParameter(error.reason, param_hint=f"--{error.name}") from error
    wanted = filters.Filters(chosen.named, until=until)
    return partial(removal.matching, filters=wanted)


def _in_batches(
    database: Database,
    ids: Sequence[UUID],
    take_out: Callable[[Session, Sequence[UUID]], None],
    size: int,
) -> None:
    for start in range(0, len(ids), size):
        with database.transaction() as session:
            take_out(session, ids[start : start + size])


def _undo(database: Database, load: int, *, dry_run: bool, as_json: bool) -> None:
    from app import articles, removal

    opened = database.rehearsal if dry_run else database.transaction
    with opened() as session:
        samples = articles.some(session, removal.of_load(session, load)[:SAMPLES])
        undone = articles.undo(session, load)
    told = {
        "removed": len(undone.removed),
        "changed": len(undone.changed),
        "dry_run": dry_run,
    }
    _tell(told, samples.values(), as_json=as_json)


def _tell(
    told: Mapping[str, object], samples: Iterable[articles.Summary], *, as_json: bool
) -> None:
    listed = [{"id": each.id, "headline": each.headline} for each in samples]
    if as_json:
        print(orjson.dumps({**told, "samples": listed}).decode())
        return
    print(", ".join(f"{name} {value}" for name, value in told.items() if value is not False))
    for each in listed:
        print(f"{each['id']} {each['headline']}")


def _carry_through(database: Database, engine: Engine, settings: Settings) -> None:
    """Bring the index up to date; a server that writes it meanwhile does so instead."""
    from app import indexing, upkeep

    try:
        upkeep.tend(database, engine, settings)
        indexing.sync(database, engine)
    except EngineBusy as error:
        print(f"{error}; it will take the change in", file=sys.stderr)


def restore_article(
    article_id: Annotated[UUID, typer.Argument(metavar="ID", help="The article's id.")],
) -> None:
    """Bring back an article that was removed."""
    from app import articles

    with common.opened() as (settings, database, engine):
        with database.transaction() as session:
            articles.restore(session, article_id)
        _carry_through(database, engine, settings)
    print(f"restored {article_id}")


def join(
    article_id: Annotated[UUID, typer.Argument(metavar="ID", help="The id that goes.")],
    into_id: Annotated[UUID, typer.Argument(metavar="INTO-ID", help="The id that stays.")],
) -> None:
    """Make two articles one, with the versions, keys and inputs of both."""
    from app import articles

    with common.opened() as (settings, database, engine):
        with database.transaction() as session:
            articles.join(session, article_id, into_id)
        _carry_through(database, engine, settings)
    print(f"joined {article_id} into {into_id}")


COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("remove", remove),
    ("restore-article", restore_article),
    ("join", join),
)
"""By name, in the order in which the help lists them."""
