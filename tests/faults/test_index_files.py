"""Index files that are torn, emptied, removed or replaced while a server answers from them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.faults.house import eventually, filled, honest, served, serving
from tests.test_crash import assert_mended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.faults.house import Server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("house")


@pytest.fixture(scope="module")
def ids(folder: Path) -> set[str]:
    return filled(folder)


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index folder of another store, with more articles that hold the same word."""
    other = tmp_path_factory.mktemp("other")
    filled(other, 80)
    return other / "data" / "index"


@pytest.fixture(scope="module")
def server(folder: Path, ids: set[str]) -> Iterator[Server]:
    with serving(folder) as started:
        yield started


def _directory(index: Path) -> Path:
    return index / str(json.loads((index / "whoosh.json").read_text())["directory"])


def _files(index: Path) -> list[Path]:
    return [path for path in _directory(index).iterdir() if path.is_file()]


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _scramble(path: Path) -> None:
    """Other bytes in place, as many: what a power cut leaves of pages that were not written."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


def _replace(path: Path) -> None:
    """Another file of that name and size."""
    part = path.with_suffix(".new")
    part.write_bytes(bytes(path.stat().st_size))
    part.replace(path)


def _each(change: Callable[[Path], None], suffix: str = "") -> Callable[[Path, Path], None]:
    def fault(index: Path, _: Path) -> None:
        for path in _files(index):
            if path.name.endswith(suffix):
                change(path)

    return fault


def _stamp(change: Callable[[Path], None]) -> Callable[[Path, Path], None]:
    return lambda index, _: change(index / "whoosh.json")


def _folder_removed(index: Path, _others: Path) -> None:
    for _ in range(100):  # the server may be writing into it
        shutil.rmtree(index, ignore_errors=True)
        if not index.exists():
            return


def _directory_removed(index: Path, _others: Path) -> None:
    shutil.rmtree(_directory(index))


def _others_put_there(index: Path, others: Path) -> None:
    index.rename(index.with_name("index-before"))
    shutil.copytree(others, index)


def _others_copied_over(index: Path, others: Path) -> None:
    shutil.copytree(others, index, dirs_exist_ok=True)


def _others_files_under_our_names(index: Path, others: Path) -> None:
    """Sound files of another index, the stamp still ours."""
    ours = _directory(index)
    shutil.rmtree(ours)
    shutil.copytree(_directory(others), ours)


FAULTS: dict[str, Callable[[Path, Path], None]] = {
    "stamp-cut": _stamp(_cut),
    "stamp-emptied": _stamp(_empty),
    "stamp-scrambled": _stamp(_scramble),
    "stamp-removed": _stamp(lambda path: path.unlink()),
    "files-cut": _each(_cut),
    "files-emptied": _each(_empty),
    "files-scrambled": _each(_scramble),
    "files-replaced": _each(_replace),
    "files-removed": _each(lambda path: path.unlink()),
    "postings-cut": _each(_cut, ".pst"),
    "postings-scrambled": _each(_scramble, ".pst"),
    "columns-scrambled": _each(_scramble, ".col"),
    "terms-scrambled": _each(_scramble, ".trm"),
    "toc-removed": _each(lambda path: path.unlink(), ".toc"),
    "directory-removed": _directory_removed,
    "folder-removed": _folder_removed,
    "others-put-there": _others_put_there,
    "others-copied-over": _others_copied_over,
    "others-files-under-our-names": _others_files_under_our_names,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_tells_no_untruth_and_comes_back(
    server: Server, folder: Path, ids: set[str], others: Path, fault: str
) -> None:
    index = folder / "data" / "index"
    eventually(lambda: honest(server.search(), ids), "searches before the fault")
    FAULTS[fault](index, others)
    for _ in range(3):
        honest(server.search(), ids)
        served(server, ids)
    eventually(lambda: honest(server.search(), ids), "searches after the fault")
    eventually(lambda: server.get("/readyz").status_code == 200, "readiness after the fault")
    eventually(
        lambda: server.get("/v1/status").json()["index"]["state"] == "ready", "a sound index"
    )
    added = server.post(f"After {fault}")
    (item,) = added.json()["items"]
    ids.add(item["id"])
    eventually(lambda: server.get("/v1/status").json()["index"]["lag"] == 0, "its write")
    assert honest(server.search(), ids)
    for left in index.parent.glob("index/damaged-*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    shutil.rmtree(index.with_name("index-before"), ignore_errors=True)


@pytest.mark.long
def test_an_index_that_was_damaged_while_nobody_served_is_not_trusted(tmp_path: Path) -> None:
    ids = filled(tmp_path)
    _each(_scramble, ".pst")(tmp_path / "data" / "index", tmp_path)
    with serving(tmp_path) as server:
        eventually(lambda: honest(server.search(), ids), "searches")
        served(server, ids)
    assert assert_mended(tmp_path) == len(ids)
