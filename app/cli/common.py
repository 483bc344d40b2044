"""What all commands share: exit codes, settings, the archive opened, progress, printing."""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from app.database import Database
    from app.errors import BroadsheetError
    from app.search.base import Engine
    from app.settings import Settings

log = logging.getLogger(__name__)

FAILED, WRONG_USE, REJECTED, DIFFERENT = 1, 2, 3, 4

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
    from app.database import Database
    from app.search import open_engine

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
