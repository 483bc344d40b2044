"""`broadsheet demo`: the seeds served from a temporary folder, which goes when it ends.

It takes no setting of the environment but how names are found and what is logged: no archive
of the operator is touched, and no secret, proxy or address of theirs is used.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.common import FAILED, chosen, importing
from app.errors import FolderUnwritable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings

HOST, PORT = "127.0.0.1", 8000
PUBLISHER = "Arab News"
"""Of the seeds, whose pages do not name it."""
_KEPT = {
    f"BROADSHEET_{name}" for name in ("EXTRACTOR", "EXTRACTOR_MODEL", "LOG_FORMAT", "LOG_REQUESTS")
}


def demo(
    *,
    port: Annotated[
        int | None,
        typer.Option(
            help="Port to listen on, 0 for any free one; by default 8000 or, where that is"
            " taken, a free one.",
            min=0,
            max=65535,
        ),
    ] = None,
) -> None:
    """Serve a few articles from a temporary folder, to try it out; Ctrl-C ends it."""
    with importing():
        from app.api import server

    with _listening(port) as listener, _temporary_folder() as folder:
        settings = _settings(folder)
        try:
            _fill(settings)
        except OSError as error:
            raise FolderUnwritable(str(folder), error.strerror or str(error)) from error
        announcement = _announcement(f"http://{HOST}:{listener.getsockname()[1]}", folder)
        try:
            server.run_on(listener, settings, started=lambda: print(announcement, flush=True))
        except SystemExit as error:  # the server's own code means something else than ours
            raise typer.Exit(FAILED) from error


def _listening(port: int | None) -> socket.socket:
    wanted = (PORT, 0) if port is None else (port,)
    for each in wanted:
        try:
            return socket.create_server((HOST, each))
        except OSError as error:
            reason = os.strerror(error.errno or 0)
    print(f"error: {HOST}:{wanted[-1]} cannot be listened on: {reason}", file=sys.stderr)
    raise typer.Exit(FAILED)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A new folder that is removed when the block ends, also by a signal or a closed terminal."""
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        made = tempfile.TemporaryDirectory(prefix="broadsheet-demo-", ignore_cleanup_errors=True)
    except OSError as error:
        where = os.environ.get("TMPDIR", "/tmp")  # noqa: S108  # named, not used
        raise FolderUnwritable(where, error.strerror or str(error)) from error
    with made as folder:
        try:
            yield Path(folder)
        finally:
            for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(each, signal.SIG_IGN)  # it is ending


def _end(number: int, _frame: Any) -> None:
    sys.exit(128 + number)  # as a shell tells of it


def _settings(folder: Path) -> Settings:
    """The defaults with their data in `folder`, put where the server's process reads them."""
    for name in list(os.environ):
        if name.upper().startswith("BROADSHEET_") and name.upper() not in _KEPT:
            del os.environ[name]
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    os.environ |= {"BROADSHEET_DATA_DIR": str(folder), "BROADSHEET_SOURCE": PUBLISHER}
    return chosen()


def _fill(settings: Settings) -> None:
    """Store and index the seeds; the server finds who and what they mention."""
    from app import ingest
    from app.articles import save
    from app.search import open_engine
    from app.services import indexing
    from app.store.database import Database

    with closing(Database.open(settings)) as database, closing(open_engine(settings)) as engine:
        database.prepare(settings)
        load = save.Load("demo")
        for seed in sorted((files("app") / "seeds").iterdir(), key=lambda each: each.name):
            with seed.open("rb") as stream, database.transaction() as session:
                found = ingest.read(stream, f"seeds/{seed.name}")  # type: ignore[arg-type]
                drafts = [each for each in found if isinstance(each, ingest.Draft)]
                save.save(session, drafts, publisher=settings.source, load=load)
        indexing.sync(database, engine)


def _announcement(address: str, folder: Path) -> str:
    """What there is to try; `folder` lets the other commands work on the same archive."""
    return f"""\
Broadsheet is at {address}, with a few articles of {PUBLISHER}.
Its reference, where each request can be sent: {address}/docs

Try in a browser, or with curl:
  {address}/v1/search?q=peace+-crypto&highlight=true
  {address}/v1/articles?place=islamabad
  {address}/v1/entities
  {address}/v1/search.atom?q=pakistan
And in another terminal:
  BROADSHEET_DATA_DIR={folder} broadsheet doctor

Ctrl-C ends it and removes {folder}.
"""
