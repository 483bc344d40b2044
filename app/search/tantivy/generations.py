"""Generations: an index after each commit, as a folder of hard links that never changes.

    tantivy-<hex>/
      7/          a generation: meta.json, the files that it names, STAMP, and PIN where pages of
                  a search are read from it
      8.part/     the next one while it is written

A commit is made in a copy of the newest generation, whose files are links: they take no space and
stay in the page cache. So a search never sees half a commit, and a killed commit leaves a folder
that the next one removes. All pages of a search are read from the generation of the first one, by
any worker and after a restart, for KEPT_S seconds after the last page. The size of the files that
only such generations have is bounded.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import tantivy

from app.search.tantivy import schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEPT_S = 660.0
"""How long a generation is kept after the last page that was read from it."""
LEAST_PINNED_BYTES = 256 * 2**20
"""Most bytes that only old generations have, or the size of the newest one if that is larger."""

META, STAMP, PIN = "meta.json", "STAMP", "PIN"
_MANAGED = ".managed.json"


def names(folder: Path) -> set[str]:
    """The index files of a generation, without files of earlier commits."""
    meta = _meta(folder)
    parts = {each["segment_id"].replace("-", ""): each["deletes"] for each in meta["segments"]}
    found = {META}
    for name in [path.name for path in folder.iterdir()]:
        segment, _, ending = name.partition(".")
        if segment in parts:
            deletes = parts[segment]
            if not ending.endswith("del") or (deletes and ending == f"{deletes['opstamp']}.del"):
                found.add(name)
    return found


def counts(folder: Path) -> tuple[int, int]:
    """The number of documents of a generation, deleted ones included, and of deleted ones."""
    segments = _meta(folder)["segments"]
    deleted = sum(each["deletes"]["num_deleted_docs"] for each in segments if each["deletes"])
    return sum(each["max_doc"] for each in segments), deleted


def _meta(folder: Path) -> Any:
    return json.loads((folder / META).read_bytes())


def begin(index: Path, before: int) -> Path:
    """The folder of the next generation, a copy of generation `before`."""
    for left in index.glob("*.part"):
        shutil.rmtree(left)
    part = index / f"{before + 1}.part"
    part.mkdir()
    source = index / str(before)
    linked = names(source)
    for name in linked - {META}:
        os.link(source / name, part / name)
    shutil.copy(source / META, part / META)  # tantivy replaces it
    (part / _MANAGED).write_text(json.dumps(sorted(linked)))
    return part


def finish(part: Path) -> Path:
    """Remove unused files from a written folder, and rename it to its generation."""
    found = names(part)
    for name in [path.name for path in part.iterdir()]:
        if name not in found:  # locks, segments that were merged, what a killed writer left
            (part / name).unlink()
    done = part.with_suffix("")
    if done.exists():  # a commit that was killed before its stamp
        shutil.rmtree(done)
    part.rename(done)
    return done


def pin(folder: Path) -> bool:
    """Keep a generation for KEPT_S seconds; False if it is no longer there."""
    try:
        path = folder / PIN
        path.touch()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def sweep(index: Path, newest: int) -> None:
    """Remove old generations without a recent PIN, and the oldest ones that exceed the bound.

    The generation before the newest is kept: another process may be opening it.
    """
    now = time.time()
    pinned: list[tuple[float, Path]] = []
    for folder in _old(index, newest):
        with suppress(FileNotFoundError):
            used_at = (folder / PIN).stat().st_mtime
            if now - used_at < KEPT_S:
                pinned.append((used_at, folder))
                continue
        if folder.name != str(newest - 1):
            shutil.rmtree(folder, ignore_errors=True)
    if len(pinned) > 1:
        _bound(index / str(newest), [folder for _, folder in sorted(pinned, reverse=True)])


def _old(index: Path, newest: int) -> Iterator[Path]:
    return (path for path in index.iterdir() if path.name.isdigit() and path.name != str(newest))


def _bound(newest: Path, latest_first: list[Path]) -> None:
    seen = dict(_sizes(newest))
    room = max(LEAST_PINNED_BYTES, sum(seen.values()))
    for folder in latest_first:
        own = {inode: size for inode, size in _sizes(folder) if inode not in seen}
        room -= sum(own.values())
        seen |= own
        if room < 0:
            shutil.rmtree(folder, ignore_errors=True)


def _sizes(folder: Path) -> Iterator[tuple[int, int]]:
    for entry in os.scandir(folder):
        with suppress(FileNotFoundError):
            status = entry.stat()
            yield status.st_ino, status.st_size


def create(index: Path) -> Path:
    """The first generation of a new index: no articles."""
    folder = index / "0"
    folder.mkdir(parents=True)
    made = tantivy.Index(schema.schema(), str(folder))
    del made
    for name in [path.name for path in folder.iterdir()]:
        if name != META:
            (folder / name).unlink()
    return folder
