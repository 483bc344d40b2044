"""`broadsheet entities`: find, merge, split and rename entities by hand."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import orjson
import typer

from app.cli import common
from app.errors import EngineBusy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlmodel import Session

cli = typer.Typer(
    help="Find, merge, split and rename entities.", no_args_is_help=True, rich_markup_mode=None
)

EntityId = Annotated[UUID, typer.Argument(metavar="ID", help="The entity's id.")]


@cli.command()
def find(
    beginning: Annotated[
        str, typer.Argument(metavar="NAME", help="The beginning of a name or an alias.")
    ],
) -> None:
    """List entities by the beginning of a name, one JSON object a line."""
    from app.entities import read as entities

    with common.opened() as (_, database, _), database.reading() as session:
        for found in entities.listing(session, beginning=beginning, limit=100).items:
            print(orjson.dumps(found).decode())


@cli.command()
def merge(
    entity_id: EntityId,
    into: Annotated[UUID, typer.Argument(metavar="INTO", help="The id of its heir.")],
) -> None:
    """Make one entity part of another; its id leads to that one from now on."""
    from app.entities import merging

    with _transaction() as session:
        changed = merging.merge(session, entity_id, into)
    print(f"changed {changed} articles")


@cli.command()
def split(
    entity_id: EntityId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the new one.")],
    article_ids: Annotated[
        list[UUID], typer.Argument(metavar="ARTICLE", help="Articles that mean the new one.")
    ],
) -> None:
    """Make an entity another one in some articles, and print the id of that one."""
    from app.entities import merging

    with _transaction() as session:
        print(merging.split(session, entity_id, name, article_ids))


@cli.command()
def rename(
    entity_id: EntityId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name to show.")],
) -> None:
    """Show an entity under another name; its id stays."""
    from app.entities import merging

    with _transaction() as session:
        changed = merging.rename(session, entity_id, name)
    print(f"changed {changed} articles")


@contextmanager
def _transaction() -> Iterator[Session]:
    """A transaction, and then the index is told."""
    from app.services import indexing

    with common.opened() as (_, database, engine):
        with database.transaction() as session:
            yield session
        try:
            indexing.sync(database, engine)
        except EngineBusy as error:
            common.log.warning("%s; it will take the articles in", error)
