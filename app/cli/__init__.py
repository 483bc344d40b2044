"""The command line: `broadsheet load | serve | demo | sync | check | entities | keys | …`.

Data goes to stdout, logs and progress to stderr. Exit codes, known here alone: 0 done,
1 failed, 2 wrong use, 3 done but some input was rejected, 4 check or doctor found something.

The commands of the archive stand here, those about entities in `entities`, about keys in
`keys`, those of operators in `operations`, the demo in `demo`. These modules import what a
command works with when it runs, so that `--help` waits for none of it.
"""

from __future__ import annotations

import gc
import io
import logging
import os
import sys
import time
from collections import Counter
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast
from uuid import UUID

import orjson
import typer

from app import logs
from app.cli import common, demo, entities, exporting, keys, operations, removal
from app.cli.common import DIFFERENT, FAILED, REJECTED, WRONG_USE, AsJson
from app.errors import BroadsheetError, EngineBusy, ExtractorBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.progress import Progress
    from sqlmodel import Session

    from app.articles import save
    from app.ingest.draft import Draft, Reject
    from app.ingest.options import Options
    from app.search.engine import Engine
    from app.services import extraction, indexing
    from app.settings import Settings
    from app.store.database import Database

__all__ = ["DIFFERENT", "FAILED", "REJECTED", "WRONG_USE", "cli", "main"]

log = logging.getLogger(__name__)

BATCH = 500
"""Articles a transaction of `load`."""
BATCH_BYTES = 16 * 1024 * 1024
BUSY_TIMEOUT_S = 60.0
SAMPLES = 3
NAMED = 1_000
"""Rejected inputs that a summary and the log name; more are only counted."""
SAMPLE_LENGTH = 200
"""Characters of a sample's body."""

cli = typer.Typer(
    help="A self-hosted news archive with a REST API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

cli.add_typer(entities.cli, name="entities")
cli.add_typer(keys.cli, name="keys")


def main() -> None:
    """Run the command line of this process and exit with its code.

    What it writes is for its own user alone, whichever library writes it.
    """
    os.umask(0o077)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logs.Plain())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        cli()
    except BroadsheetError as error:
        common.complain(error)
        sys.exit(FAILED)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(version("broadsheet"))
        raise typer.Exit


@cli.callback()
def options(
    *,
    version_: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """A self-hosted news archive with a REST API."""


# --- load


@dataclass(slots=True)
class _Summary:
    """What became of all that was loaded."""

    counts: Counter[str] = field(default_factory=Counter)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    """The first that were rejected, NAMED of them."""
    formats: Counter[str] = field(default_factory=Counter)
    """The inputs that were read, by their format."""
    warned: int = 0
    load: int | None = None
    """The id of this load; None where it brought nothing."""
    samples: list[dict[str, Any]] | None = None
    """The first articles that would be stored, of a rehearsal."""

    def reject(self, reject: Reject) -> None:
        self.counts["rejected"] += 1
        if len(self.rejected) >= NAMED:
            return
        reported = {"path": reject.path, "line": reject.line, "reason": reject.reason}
        self.rejected.append(reported)
        where = reject.path if reject.line is None else f"{reject.path}:{reject.line}"
        log.warning("rejected %s: %s", where, reject.reason)

    def as_json(self) -> dict[str, Any]:
        kinds = ("saved", "unchanged", "revised", "stale", "withheld", "removed")
        counts = {kind: self.counts[kind] for kind in kinds}
        reported: dict[str, Any] = {
            **counts,
            "rejected": self.rejected,
            "rejected_total": self.counts["rejected"],
            "warned": self.warned,
            "load": self.load,
            "formats": dict(self.formats),
        }
        return reported if self.samples is None else {**reported, "samples": self.samples}

    def _read(self) -> Iterator[str]:
        """How many inputs of each format were read, if they are several."""
        from app.ingest import LABELS

        if sum(self.formats.values()) > 1:
            parts = [
                f"{number} {'file' if number == 1 else 'files'} of {LABELS[name]}"
                for name, number in self.formats.items()
            ]
            yield f"{', '.join(parts)} read"

    def as_text(self) -> str:
        parts = self.as_json()
        parts["rejected"] = parts.pop("rejected_total")
        samples = parts.pop("samples", [])
        parts.pop("formats")
        reported = ", ".join(
            f"{kind} {number}" for kind, number in parts.items() if number is not None
        )
        return "\n".join(
            [reported, *self._read(), *(orjson.dumps(each).decode() for each in samples)]
        )


@cli.command()
def load(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Files, folders, globs, or - for stdin.")
    ],
    *,
    as_json: AsJson = False,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="F", help="One of: page_text, json_lines, json, csv."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="S", help="The publisher of all, whatever the inputs say.")
    ] = None,
    tz: Annotated[
        str | None,
        typer.Option(metavar="Z", help="Of times without a zone: Europe/Lisbon, +01:00, UTC."),
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="L", help="The language of all, a code of two letters.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="E", help="Of inputs without a byte order mark.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Which column, or path with dots, holds a field; may be repeated.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be stored and change nothing.")
    ] = False,
) -> None:
    """Read articles from files, store them and index them.

    What can't be read is rejected with its reason, and the rest goes on. Loading the same
    input again changes nothing.
    """
    from app import ingest
    from app.articles import save
    from app.ingest import records
    from app.services import maintenance

    if format_ is not None and format_ not in ingest.FORMATS:
        known = ", ".join(ingest.FORMATS)
        raise typer.BadParameter(f"{format_} is not one of {known}", param_hint="--format")
    try:
        options = ingest.Options.mapped(
            columns or (),
            format=format_,
            source=source,
            language=language,
            encoding=encoding,
            time_zone=tz,
        )
        options = replace(options, ids="taken")
    except ValueError as error:
        name, _, what = str(error).partition(": ")
        raise typer.BadParameter(what, param_hint=f"--{name}") from error
    summary = _Summary()
    run = save.Load("load")
    inputs = list(_inputs(paths, summary))
    with common.opened() as (settings, database, engine), common.progress() as progress:
        gc.freeze()  # modules stay; going through them for garbage took 7 % of a load
        gc.set_threshold(20_000, 20, 50)
        records.allow_long_cells()
        reading = progress.add_task("reading", total=len(inputs))
        with _sessions(database, summary, dry_run=dry_run) as sessions:
            batch: list[Draft] = []
            size = 0
            for path in inputs:
                for draft in _drafts(path, options, summary):
                    batch.append(draft)
                    size += len(draft.body)
                    if len(batch) >= BATCH or size >= BATCH_BYTES:
                        _save(sessions, settings, batch, summary, run)
                        batch, size = [], 0
                progress.advance(reading)
            _save(sessions, settings, batch, summary, run)
        if not dry_run:
            maintenance.release(database, now=datetime.now(UTC))
            _follow(database, engine, progress)
            if settings.extractor != "none" and _extract(settings, database, progress).changed:
                _follow(database, engine, progress)
    summary.load = None if dry_run else run.id
    print(orjson.dumps(summary.as_json()).decode() if as_json else summary.as_text())
    if summary.rejected:
        raise typer.Exit(REJECTED)


@contextmanager
def _sessions(
    database: Database, summary: _Summary, *, dry_run: bool
) -> Iterator[Callable[[], AbstractContextManager[Session]]]:
    """What gives each batch its transaction, or all the same one, of which nothing stays."""
    if not dry_run:
        yield database.transaction
        return
    summary.samples = []
    with database.rehearsal() as session:
        yield lambda: nullcontext(session)


def _save(
    sessions: Callable[[], AbstractContextManager[Session]],
    settings: Settings,
    batch: list[Draft],
    summary: _Summary,
    run: save.Load,
) -> None:
    from app.articles import import_
    from app.ingest import Reject

    if not batch:
        return
    with sessions() as session:
        saved = import_.take(session, batch, publisher=settings.source, load=run)
    for draft, each in zip(batch, saved, strict=True):
        if each.reason is not None:
            line = draft.origin.position if draft.origin.page is None else None
            summary.reject(Reject(draft.origin.path, line, each.reason))
        else:
            summary.counts[each.outcome] += 1
            is_new = each.outcome in ("saved", "revised")
            summary.warned += each.warned and is_new
            if is_new and summary.samples is not None and len(summary.samples) < SAMPLES:
                summary.samples.append(_sample(draft, each))


def _sample(draft: Draft, saved: save.Saved) -> dict[str, Any]:
    names = ("headline", "published_at", "source", "url")
    reported = {name: getattr(draft, name) for name in names}
    body = draft.body[:SAMPLE_LENGTH]
    return {"outcome": saved.outcome, "id": saved.id, **reported, "body": body}


def _inputs(paths: Iterable[str], summary: _Summary) -> Iterator[str]:
    """The files that `paths` name, in order; a name of nothing is rejected."""
    from app.ingest import Reject

    for path in paths:
        if path == "-":
            yield path
        elif Path(path).is_dir():
            yield from sorted(
                str(found)
                for found in Path(path).rglob("*")
                if found.is_file() and not found.name.startswith(".")
            )
        elif Path(path).exists():
            yield str(Path(path))
        elif found := _matching(path):
            yield from _inputs(found, summary)
        else:
            summary.reject(Reject(path, None, "there is no such file"))


def _matching(pattern: str) -> list[str]:
    """The files that a glob names, sorted: for a quoted glob, or a shell that leaves it."""
    anchor = Path(pattern).anchor
    try:
        return sorted(map(str, Path(anchor or ".").glob(pattern.removeprefix(anchor))))
    except (ValueError, NotImplementedError):
        return []


def _drafts(path: str, options: Options, summary: _Summary) -> Iterator[Draft]:
    from app import ingest

    try:
        with _stream(path) as stream:
            for found in ingest.read(stream, path, options, formats=summary.formats):
                if isinstance(found, ingest.Draft):
                    yield found
                else:
                    summary.reject(found)
    except OSError as error:
        summary.reject(ingest.Reject(path, None, f"cannot be read: {error.strerror or error}"))


@contextmanager
def _stream(path: str) -> Iterator[io.BufferedReader[Any]]:
    if path == "-":
        stdin = io.BufferedReader(cast("io.RawIOBase", sys.stdin.buffer))
        yield stdin
        stdin.detach()
    else:
        with Path(path).open("rb") as stream:
            yield stream


def _follow(database: Database, engine: Engine, progress: Progress) -> None:
    """Index what is stored; waits a while for another process that is writing the index."""
    from app.services import indexing

    deadline = time.monotonic() + BUSY_TIMEOUT_S
    task = progress.add_task("indexing", total=None)
    while True:
        try:
            indexing.sync(database, engine, progress=partial(progress.advance, task))
        except EngineBusy as error:
            if time.monotonic() > deadline:
                log.warning("%s; it will take the articles in", error)
                return
            time.sleep(0.2)
        else:
            return


def _extract(
    settings: Settings, database: Database, progress: Progress, *, workers: int | None = None
) -> extraction.Swept:
    """Find the mentions in what is stored, by as many processes as there is work for."""
    from app.extract.pool import PART, ExtractorPool
    from app.services import extraction

    with closing(ExtractorPool(settings.extractor, settings.extractor_model)) as pool:
        due = extraction.waiting(database, pool.version)
        pool.workers = workers or max(min(os.cpu_count() or 1, -(-due // PART)), 1)
        task = progress.add_task("extracting", total=due)
        advance = partial(progress.advance, task)
        try:
            return extraction.sweep(database, pool, settings.extractor_lock, progress=advance)
        except ExtractorBusy as error:
            if workers is not None:
                raise
            log.warning("%s; it will read the articles", error)
            return extraction.Swept()


# --- the other commands


for _name, _command in removal.COMMANDS:
    cli.command(_name)(_command)
for _command in (*exporting.COMMANDS, *operations.COMMANDS, demo.demo):
    cli.command()(_command)


@cli.command()
def sync(*, as_json: AsJson = False) -> None:
    """Bring the index up to date.

    It takes in what changed in the database; where it is missing, damaged or of another
    version, it is built anew.
    """
    from app.services import indexing, maintenance

    with common.opened() as (settings, database, engine), common.progress() as progress:
        task = progress.add_task("indexing", total=None)
        maintenance.tend(database, engine, settings)
        done = indexing.sync(database, engine, progress=partial(progress.advance, task))
    if as_json:
        print(orjson.dumps(done).decode())
        return
    rebuilt = f", built anew: {done.rebuilt}" if done.rebuilt else ""
    print(f"indexed {done.applied} articles up to change {done.cursor}{rebuilt}")


@cli.command()
def extract(
    *,
    as_json: AsJson = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes that read; by default one a core.", min=1, max=64)
    ] = None,
) -> None:
    """Find people, organizations and places in the articles that changed.

    Those that another version of the extractor has read are read again.
    """
    from app.services import extraction

    with common.opened() as (settings, database, engine), common.progress() as progress:
        if settings.extractor == "none":
            print("error: nothing extracts: BROADSHEET_EXTRACTOR is none", file=sys.stderr)
            raise typer.Exit(WRONG_USE)
        many = workers or os.cpu_count() or 1
        done = _extract(settings, database, progress, workers=many)
        _follow(database, engine, progress)
        with database.reading() as session:
            failures = [asdict(each) for each in extraction.failures(session)]
    if as_json:
        print(orjson.dumps({**asdict(done), "failures": failures}).decode())
    else:
        counts = f"read {done.read} articles, changed {done.changed}, failed {done.failed}"
        print(f"{counts}, up to change {done.cursor}")
    if done.failed:
        raise typer.Exit(REJECTED)


@cli.command()
def check(
    *,
    as_json: AsJson = False,
    repair: Annotated[bool, typer.Option("--repair", help="Make good what is wrong.")] = False,
) -> None:
    """Prove that index and database hold the same articles at the same change."""
    from app.services import indexing

    with common.opened() as (_, database, engine):
        report = indexing.check(database, engine)
        if repair and not report.agrees:
            _print_report(report, as_json=as_json, to=sys.stderr)
            indexing.repair(database, engine, report)
            report = indexing.check(database, engine)
    _print_report(report, as_json=as_json, to=sys.stdout)
    if not report.agrees:
        raise typer.Exit(DIFFERENT)


def _print_report(report: indexing.IndexReport, *, as_json: bool, to: io.TextIOBase | Any) -> None:
    if as_json:
        print(orjson.dumps({**asdict(report), "agrees": report.agrees}).decode(), file=to)
        return
    print(f"{report.articles} articles, index at change {report.cursor}", file=to)
    if report.pending:
        print(f"{report.pending} changes wait for the next sync", file=to)
    if report.damaged:
        print(f"the index cannot be compared: {report.damaged}", file=to)
    for kind in ("missing", "extra", "outdated"):
        for id_ in getattr(report, kind):
            print(f"{kind} {id_}", file=to)
    print("they agree" if report.agrees else "they differ", file=to)


@cli.command()
def show(
    article_id: Annotated[UUID, typer.Argument(metavar="ID", help="The article's id.")],
) -> None:
    """Print an article as the API gives it, or why it is not shown."""
    from app.articles import history
    from app.articles import read as articles
    from app.errors import NotFound

    with common.opened() as (_, database, _), database.reading() as session:
        try:
            found: object = articles.get(session, article_id)
        except NotFound:
            found = history.hidden(session, article_id)
            if found is None:
                raise
        common.dump(found)


@cli.command()
def warnings() -> None:
    """List what readers were not sure of.

    One JSON object a line: the article's id, headline and warnings.
    """
    from app.articles import read as articles

    with common.opened() as (_, database, _), database.reading() as session:
        for found in articles.warned(session):
            sys.stdout.write(orjson.dumps(found).decode() + "\n")
