"""What all commands share: exit codes, settings, the archive opened, progress, printing."""

from __future__ import annotations

import inspect
import logging
import os
import signal
import sys
from contextlib import closing, contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import orjson
import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress

    from app.errors import BroadsheetError
    from app.search.engine import Engine
    from app.settings import Settings
    from app.store.database import Database

log = logging.getLogger(__name__)

FAILED, WRONG_USE, REJECTED, DIFFERENT = 1, 2, 3, 4

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_NAMED = (
    *("source", "section", "author", "keyword", "domain", "language"),
    *("place", "person", "organization", "entity"),
)
_NAME = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only those of it.")]
_FILTERS: dict[str, Any] = {
    **dict.fromkeys(_NAMED, _NAME),
    "url": Annotated[list[str] | None, typer.Option(metavar="URL", help="Only those at it.")],
    "guid": Annotated[
        list[str] | None, typer.Option(metavar="G", help="Only those with it, the sender's id.")
    ],
    "id_": Annotated[
        list[UUID] | None, typer.Option("--id", metavar="ID", help="Only the one with it.")
    ],
    "from_": Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Only those published from it on.")
    ],
    "to": Annotated[str | None, typer.Option(metavar="DAY", help="Only those published until it.")],
    "tz": Annotated[str, typer.Option(metavar="ZONE", help="The time zone that days are of.")],
}


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with an option for each filter of a search; it gets them as `filters`."""

    @wraps(command)
    def run(**given: Any) -> None:
        from app import filters
        from app.errors import ParameterError

        asked = {name: given.pop(name) for name in _FILTERS}
        named = {name: asked[name] or [] for name in _NAMED}
        try:
            found = filters.parse(
                named,
                since=asked["from_"],
                until=asked["to"],
                time_zone=filters.known_zone(asked["tz"]),
                ids=asked["id_"] or (),
                urls=asked["url"] or (),
                guids=asked["guid"] or (),
            )
        except ParameterError as error:
            raise typer.BadParameter(error.reason, param_hint=f"--{error.name}") from error
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--tz") from error
        command(**given, filters=found)

    parameters: list[inspect.Parameter] = []
    signature = inspect.signature(command, locals={"Filters": object}, eval_str=True)
    for each in signature.parameters.values():
        if each.name != "filters":
            parameters.append(each)
            continue
        parameters += [
            each.replace(name=name, annotation=hint, default="UTC" if name == "tz" else None)
            for name, hint in _FILTERS.items()
        ]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def complain(error: BroadsheetError) -> None:
    """Say on stderr what went wrong, and the next step where there is one."""
    print(f"error: {error}", file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)


@contextmanager
def importing() -> Iterator[None]:
    """Let Ctrl-C end the process at once while a command imports what it needs.

    That takes seconds on a slow machine. Python loses a KeyboardInterrupt that comes in a
    destructor, and importing runs many.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def dump(content: object) -> None:
    """Print as JSON for people to read."""
    option = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z
    print(orjson.dumps(content, option=option).decode())


def chosen() -> Settings:
    """The settings of the environment; a wrong one ends the command and is named."""
    from pydantic import ValidationError

    from app.settings import Settings, retired_names, unknown_names, without_password

    for name, nearest in unknown_names(os.environ):
        log.warning("%s is not a setting and is ignored; did you mean %s?", name, nearest)
    for name, successor in retired_names(os.environ):
        log.warning("%s is not a setting any more: %s", name, successor)
    try:
        return Settings()
    except ValidationError as error:
        for each in error.errors():
            name = "BROADSHEET_" + "_".join(map(str, each["loc"])).upper()
            given = without_password(str(each["input"]))
            print(f"error: {name}: {each['msg']}: {given!r}", file=sys.stderr)
        raise typer.Exit(WRONG_USE) from error


@contextmanager
def opened() -> Iterator[tuple[Settings, Database, Engine]]:
    """Settings, the database at its present schema, and the engine; closed at the end."""
    from app.search import open_engine
    from app.store.database import Database

    settings = chosen()
    with closing(Database.open(settings)) as database, closing(open_engine(settings)) as engine:
        database.prepare(settings)
        yield settings, database, engine


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on a terminal, nothing elsewhere; always on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        yield bar
