"""The command that writes articles out: as JSON Lines, which `load` takes back, or as CSV."""

from __future__ import annotations

import csv
import io
import json
import logging
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
import typer

from app.cli import common
from app.cli.common import WRONG_USE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from app.filters import Filters

log = logging.getLogger(__name__)


@common.filtered
def export(
    *,
    format_: Annotated[
        Literal["jsonl", "csv"], typer.Option("--format", help="JSON Lines or CSV.")
    ] = "jsonl",
    since: Annotated[
        int, typer.Option(metavar="CHANGE", help="Only what changed after it.", min=0)
    ] = 0,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also what is not served, and the facts of what was taken out."),
    ] = False,
    filters: Filters,
) -> None:
    """Write articles to stdout, with their versions and inputs, in the order of their changes.

    `load` puts them into another archive. One that was broken off goes on after the change
    before that of the last line.
    """
    from app.articles import export as articles
    from app.store import sequence

    if everything and (not filters.are_any or format_ == "csv"):
        print("error: --all takes no filters, and is JSON Lines", file=sys.stderr)
        raise typer.Exit(WRONG_USE)
    with common.opened() as (_, database, _), database.reading() as session:
        last = sequence.last_change(session)
        if everything:
            records = articles.everything(session, since=since)
        else:
            records = articles.served(session, filters, since=since)
        lines = _json_lines(records) if format_ == "jsonl" else _rows(records)
        count = -1 if format_ == "csv" else 0
        for line in lines:
            sys.stdout.buffer.write(line)
            count += 1
        sys.stdout.buffer.flush()
    log.info("exported %d articles up to change %d; go on with --since %d", count, last, last)


def _json_lines(records: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    option = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    for record in records:
        yield orjson.dumps(record, option=option)


def _rows(records: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """A row of names, then what shows of each article, a row each."""
    from app.ingest import exported

    yield _row(exported.COLUMNS)
    for record in records:
        if "headline" in record:  # and no further part
            yield _row([_cell(record[name]) for name in exported.COLUMNS])


def _row(cells: Sequence[object]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, list | bool):
        return json.dumps(value, ensure_ascii=False)
    return value


COMMANDS: tuple[Callable[..., None], ...] = (export,)
"""In the order in which the help lists them."""
