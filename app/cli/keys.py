"""`broadsheet keys`: make, list and revoke keys of the API, on the store itself."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import orjson
import typer

from app.cli.common import FAILED, AsJson, chosen
from app.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.store.database import Database
    from app.store.keys import Key

cli = typer.Typer(
    help="Make, list and revoke keys of the API.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the key is called.")]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=36_500)


def _age(text: str) -> timedelta:
    """`90d` and the like as a time."""
    read = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    found = timedelta(**{_UNITS[read[2]]: int(read[1])}) if read else timedelta()
    if not timedelta() < found <= _LONGEST:
        raise typer.BadParameter(f"{text} is no time such as 90d, 12h, 30m or 45s")
    return found


@cli.command()
def create(
    name: Name,
    *,
    scope: Annotated[
        Literal["read", "write", "erase"],
        typer.Option(help="What it allows; each allows what those before it allow."),
    ] = "read",
    source: Annotated[
        str | None, typer.Option(metavar="S", help="Write articles of this source alone.")
    ] = None,
    expires: Annotated[
        timedelta | None,
        typer.Option(metavar="T", parser=_age, help="How long it is good: 90d, 12h, 30m or 45s."),
    ] = None,
) -> None:
    """Make a key and print it, once: the key alone on stdout, all else on stderr.

    The store keeps a hash of it.
    """
    from app.store import keys

    with _store() as database:
        try:
            with database.transaction() as session:
                key = keys.create(session, name, scope=scope, source=source, expires_in=expires)
                made = keys.named(session, name)
                _print(key)  # before the commit: a key that nobody saw is none
        except ParameterError as error:
            raise typer.BadParameter(error.reason, param_hint=error.name) from error
    print(f"made {_described(made)}; it is shown this once", file=sys.stderr)


def _print(key: str) -> None:
    """Print a key; where that fails the command ends, and so does the transaction around it."""
    out: TextIO | None = sys.stdout  # none where it was closed before the start
    try:
        if out is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        print(key, file=out, flush=True)
    except OSError as error:
        print(f"error: no key was made: stdout: {error.strerror}", file=sys.stderr)
        if out is not None:  # what it holds still would fail again when the process ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        raise typer.Exit(FAILED) from error


def _described(key: Key) -> str:
    until = "does not expire" if key.expires_at is None else f"expires {_at(key.expires_at)}"
    of = "" if key.source is None else f", source {key.source}"
    return f"the key {key.name}: scope {key.scope}{of}, {until}"


@cli.command(name="list")
def list_(*, as_json: AsJson = False) -> None:
    """List every key that was ever made: what it allows, when it was used, never the key."""
    from app.store import keys

    now = datetime.now(UTC)
    with _store() as database, database.reading() as session:
        found = keys.listing(session)
    if as_json:
        listed = [{**asdict(each), "state": each.state(now)} for each in found]
        print(orjson.dumps(listed, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())
        return
    heads = ("name", "state", "scope", "source", "begins", "made", "expires", "used")
    lines: list[tuple[str, ...]] = [heads] if found else []
    for each in found:
        dates = (each.created_at, each.expires_at, each.used_at)
        reported = (each.name, each.state(now), each.scope, each.source or "-", each.prefix)
        lines.append((*reported, *("-" if at is None else _at(at) for at in dates)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())


@cli.command()
def revoke(name: Name) -> None:
    """Make a key good for nothing, at once, at every worker of every server."""
    from app.store import keys

    with _store() as database, database.transaction() as session:
        done = keys.revoke(session, name)
    print(f"revoked: {name}" if done else f"revoked before: {name}")


def _at(at: datetime) -> str:
    return at.isoformat(timespec="minutes").replace("+00:00", "Z")


@contextmanager
def _store() -> Iterator[Database]:
    from app.store.database import Database

    settings = chosen()
    with closing(Database.open(settings)) as database:
        database.prepare(settings)
        yield database
