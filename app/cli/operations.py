"""The commands of operators: serve, settings, doctor, migrate, backup, restore."""

from __future__ import annotations

import logging
import logging.config
import os
import sys
import tempfile
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from app.cli.common import DIFFERENT, FAILED, WRONG_USE, AsJson, chosen, importing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.services.backup import Copied
    from app.store.database import Database

log = logging.getLogger(__name__)


Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]


def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=64)] = 1,
) -> None:
    """Serve the API; the index follows the database meanwhile."""
    with importing():
        from app import logs
        from app.api import server
        from app.search import synonyms
        from app.settings import refuse_retired
        from app.store.database import Database, file_of

    refuse_retired(os.environ)
    settings = chosen()
    synonyms.load(settings.synonyms)  # an error in it is told once, before there are workers
    if settings.metrics_port == port:
        print(f"error: BROADSHEET_METRICS_PORT is --port: {port}", file=sys.stderr)
        raise typer.Exit(WRONG_USE)
    # From the first line on, that of the key too.
    logging.config.dictConfig(logs.config(settings.log_format))
    with closing(Database.open(settings)) as database:
        database.prepare(settings)  # before the workers start, so that they find the tables
        _check_integrity(file_of(settings))
        if settings.first_key_file is not None:
            _take_key(database, settings.first_key_file)
    try:
        with _shared_metrics(workers):
            server.run(settings, host=host, port=port, workers=workers)
    except SystemExit as error:  # its own codes mean other things than ours
        raise typer.Exit(FAILED if error.code else 0) from error


def _check_integrity(path: Path) -> None:
    """Log whether all of the database is sound: checked now where that is cheap."""
    from app.store import integrity

    if not integrity.is_cheap(path):
        last = integrity.last(path)
        log.info("database: last full check %s", "never" if last is None else last.at)
    elif faults := integrity.check(path):
        log.error("database: integrity check failed, restore a backup: %s", "; ".join(faults))
    else:
        log.info("database: integrity check passed")


def _take_key(database: Database, path: Path) -> None:
    """Make the key in a file good, once; a start that knows it waits for no other write."""
    from app.store import keys

    text = keys.read(path)
    with database.reading() as session:
        if keys.knows(session, text):
            return
    with database.transaction() as session:
        name = keys.take(session, text)
    log.info("took the key %s from BROADSHEET_FIRST_KEY_FILE", name)


@contextmanager
def _shared_metrics(workers: int) -> Iterator[None]:
    """A folder in which several workers count together, unless there is one already."""
    name = "PROMETHEUS_MULTIPROC_DIR"
    if workers == 1 or name in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="broadsheet-", ignore_cleanup_errors=True) as folder:
        os.environ[name] = folder
        try:
            yield
        finally:
            del os.environ[name]


def settings(*, as_json: AsJson = False) -> None:
    """Print the settings that hold, and where each comes from; secrets stay hidden."""
    from app.settings import shown

    found = shown(chosen())
    if as_json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    for name, reported in found.items():
        value = "" if reported["value"] is None else reported["value"]
        print(f"{name}={value}  # {reported['from']}")


def doctor(*, as_json: AsJson = False) -> None:
    """Look for what is wrong: settings, clock, permissions, disk, database, tables, index.

    Changes nothing; exits with 4 when something is wrong, with 0 when there are but warnings.
    """
    from app.services.doctor import examine

    findings = list(examine(chosen(), os.environ))
    if as_json:
        print(orjson.dumps(findings, option=orjson.OPT_INDENT_2).decode())
    else:
        for each in findings:
            print(f"{each.level}: {each.name}: {each.detail}")
            if each.hint:
                print(f"  hint: {each.hint}")
    if any(each.level == "wrong" for each in findings):
        raise typer.Exit(DIFFERENT)


def migrate(*, as_json: AsJson = False) -> None:
    """Bring the database's tables to the revision of this program."""
    from app.store.database import Database

    with closing(Database.open(chosen())) as database:
        before = database.revision()
        database.migrate()
        after = database.revision()
    if as_json:
        print(orjson.dumps({"from": before, "to": after}).decode())
    elif before == after:
        print(f"the database is at revision {after}")
    else:
        print(f"migrated from revision {before or 'none'} to {after}")


def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file to write.")],
    *,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Copy the store to a file, while it is in use; the copy is proved to be sound."""
    from app.services.backup import back_up

    _report("backed up", back_up(chosen(), path, overwrite=overwrite), as_json=as_json)


def restore(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file that backup wrote.")],
    *,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the store, and build its index.

    No server and no other command may use the data folder meanwhile.
    """
    from app.services import backup as backups

    restored = backups.restore(chosen(), path, overwrite=overwrite)
    names, agrees = ("keys_kept", "keys_came", "erased_known"), restored.report.agrees
    reported = {name: getattr(restored, name) for name in names}
    _report("restored", restored.copy, as_json=as_json, agrees=agrees, **reported)
    if not agrees:
        raise typer.Exit(DIFFERENT)


def _report(what: str, copied: Copied, *, as_json: bool, **more: Any) -> None:
    if as_json:
        print(orjson.dumps({**asdict(copied), **more}).decode())
        return
    print(f"{what} {copied.articles} articles up to change {copied.change}: {copied.path}")
    if "agrees" in more:
        print("the index agrees" if more["agrees"] else "the index differs")
    if more.get("keys_kept"):
        print(f"the keys of the store that it replaces hold: {', '.join(more['keys_kept'])}")
    if more.get("erased_known") is False:
        print("what was erased since the backup is not known, since it replaces no store")
    if more.get("keys_came"):
        print(f"keys that came with the copy: {', '.join(more['keys_came'])}")
        print("hint: revoke what has leaked since: broadsheet keys revoke NAME", file=sys.stderr)


COMMANDS: tuple[Callable[..., None], ...] = (serve, settings, doctor, migrate, backup, restore)
"""In the order in which the help lists them."""
