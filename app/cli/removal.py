"""The commands that take articles out and bring them back: remove, restore-article, join."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import orjson
import typer

from app.cli import common
from app.cli.common import WRONG_USE, AsJson
from app.errors import EngineBusy, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from app.articles import read as articles
    from app.filters import Filters
    from app.search.engine import Engine
    from app.settings import Settings
    from app.store.database import Database

BATCH = 500
"""Articles that are removed in a transaction."""
ERASED = 5_000
"""Articles that are erased in a transaction: their texts are overwritten before the first goes."""
SAMPLES = 3


@common.filtered
def remove(
    article_id: Annotated[
        UUID | None, typer.Argument(metavar="ID", help="The id of one article.")
    ] = None,
    *,
    load: Annotated[
        int | None, typer.Option(metavar="LOAD", help="Take back what this load alone brought.")
    ] = None,
    filters: Filters,
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
    from app.articles import read as articles
    from app.articles import removal
    from app.store.models import chunks

    chosen = _before(filters, before)
    guid = _guid(chosen)
    ways = (article_id is not None, load is not None, not chosen.are_any)
    if sum(ways) != 1 or (load is not None and erase) or (chosen.guids and guid is None):
        print("error: name one: ID, --guid G, --load LOAD (not to erase), filters", file=sys.stderr)
        raise typer.Exit(WRONG_USE)
    with common.opened() as (settings, database, engine):
        if load is not None:
            _undo(database, load, dry_run=dry_run, as_json=as_json)
        else:
            with database.reading() as session:
                if article_id is not None:
                    ids = [article_id]
                elif guid is not None:  # those too that do not show
                    ids = removal.of_guid(session, *guid)
                else:
                    ids = removal.matching(session, articles.resolved(session, chosen))
                if guid is not None and not erase:
                    ids = list(articles.some(session, ids))  # those that are out stay so
                samples = articles.some(session, ids[:SAMPLES])
            if not dry_run:
                take_out = removal.erase_all if erase else removal.remove_all
                for some in chunks(ids, ERASED if erase else BATCH):
                    with database.transaction() as session:
                        take_out(session, some)
            reported = {"articles": len(ids), "erased": erase, "dry_run": dry_run}
            _report(reported, samples.values(), as_json=as_json)
        if not dry_run:
            _carry_through(database, engine, settings)


def _before(filters: Filters, before: str | None) -> Filters:
    from app.filters import period

    if before is None:
        return filters
    try:
        until = period("before", before, filters.time_zone)[0]
    except ParameterError as error:
        raise typer.BadParameter(error.reason, param_hint=f"--{error.name}") from error
    return replace(filters, until=min(until, filters.until or until))


def _guid(filters: Filters) -> tuple[str, str | None] | None:
    """A guid and the publisher that it is within, where that is all that filters name."""
    from app.filters import Choice, Filters

    source: str | None
    match filters:
        case Filters(named=(), guids=(guid,)):
            source = None
        case Filters(named=(("source", Choice(wanted=(source,), unwanted=())),), guids=(guid,)):
            pass
        case _:
            return None
    bare = Filters(filters.named, time_zone=filters.time_zone, guids=filters.guids)
    return (guid, source) if filters == bare else None


def _undo(database: Database, load: int, *, dry_run: bool, as_json: bool) -> None:
    from app.articles import read as articles
    from app.articles import removal

    opened = database.rehearsal if dry_run else database.transaction
    with opened() as session:
        samples = articles.some(session, removal.of_load(session, load)[:SAMPLES])
        undone = removal.undo(session, load)
    reported = {"removed": len(undone.removed), "changed": len(undone.changed), "dry_run": dry_run}
    _report(reported, samples.values(), as_json=as_json)


def _report(
    reported: Mapping[str, object], samples: Iterable[articles.ArticleSummary], *, as_json: bool
) -> None:
    listed = [{"id": each.id, "headline": each.headline} for each in samples]
    if as_json:
        print(orjson.dumps({**reported, "samples": listed}).decode())
        return
    print(", ".join(f"{name} {value}" for name, value in reported.items() if value is not False))
    for each in listed:
        print(f"{each['id']} {each['headline']}")


def _carry_through(database: Database, engine: Engine, settings: Settings) -> None:
    """Bring the index up to date; a server that writes it meanwhile does so instead."""
    from app.services import indexing, maintenance

    try:
        maintenance.tend(database, engine, settings)
        indexing.sync(database, engine)
    except EngineBusy as error:
        print(f"{error}; it will take the change in", file=sys.stderr)


def restore_article(
    article_id: Annotated[UUID, typer.Argument(metavar="ID", help="The article's id.")],
) -> None:
    """Bring back an article that was removed."""
    from app.articles import removal

    with common.opened() as (settings, database, engine):
        with database.transaction() as session:
            removal.restore(session, article_id)
        _carry_through(database, engine, settings)
    print(f"restored {article_id}")


def join(
    article_id: Annotated[UUID, typer.Argument(metavar="ID", help="The id that goes.")],
    into_id: Annotated[UUID, typer.Argument(metavar="INTO-ID", help="The id that stays.")],
) -> None:
    """Make two articles one, with the versions, keys and inputs of both."""
    from app.articles import removal

    with common.opened() as (settings, database, engine):
        with database.transaction() as session:
            removal.join(session, article_id, into_id)
        _carry_through(database, engine, settings)
    print(f"joined {article_id} into {into_id}")


COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("remove", remove),
    ("restore-article", restore_article),
    ("join", join),
)
"""By name, in the order in which the help lists them."""
