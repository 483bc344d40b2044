"""`broadsheet demo`: what it serves, and that nothing of it stays whichever way it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from app.cli import demo
from tests.cli.test_cli import broadsheet, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Process = subprocess.Popen[str]


@contextmanager
def started(folder: Path, *arguments: str, **more: str) -> Iterator[tuple[Process, str]]:
    """A demo with its address, in a process group of its own, as a terminal gives it one."""
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(
        broadsheet("demo", *arguments),
        env=environment(folder, TMPDIR=str(scratch(folder)), **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield process, address(process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def scratch(folder: Path) -> Path:
    """The folder of temporary folders below `folder`."""
    made = folder / "scratch"
    made.mkdir(parents=True, exist_ok=True)
    return made


def address(process: Process) -> str:
    assert process.stdout is not None
    found = re.search(r"http://127.0.0.1:\d+", process.stdout.readline())
    assert found is not None
    return found[0]


def test_it_serves_the_seeds_of_their_publisher_and_what_it_tells_works(tmp_path: Path) -> None:
    with started(tmp_path, "--port", "0") as (process, at):
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(11)]
        places = re.findall(rf"{at}\S+", "".join(told))
        assert f"{at}/docs" in places
        assert len(places) == 5
        for each in places:
            assert httpx.get(each).status_code == 200, each
        listed = httpx.get(f"{at}/v1/articles").json()["items"]
        assert [each["source"] for each in listed] == [demo.PUBLISHER] * 4
        assert all(httpx.get(each).json()["total"] for each in places if "/search?" in each)


def test_no_setting_of_an_archive_is_taken(tmp_path: Path) -> None:
    wanted = {
        "BROADSHEET_DATABASE_URL": f"sqlite:///{tmp_path}/news.db",
        "BROADSHEET_ROOT_PATH": "/archive",
        "BROADSHEET_THREADS": "none",
        "BROADSHEET_LOG_FORMAT": "json",
    }
    with started(tmp_path, "--port", "0", **wanted) as (process, at):
        assert httpx.get(f"{at}/v1/search?q=binance").json()["total"] == 1
        assert not (tmp_path / "news.db").exists()
        assert not (tmp_path / "data").exists()
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert '"GET"' in stderr, "how it logs is taken"


@pytest.mark.parametrize("extractor", ["none", "rules"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_when_it_is_told_to_stop(
    tmp_path: Path, number: signal.Signals, extractor: str
) -> None:
    with started(tmp_path, "--port", "0", BROADSHEET_EXTRACTOR=extractor) as (process, at):
        assert list(scratch(tmp_path).iterdir())
        if extractor != "none":
            wait_until_read(at)
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert list(scratch(tmp_path).iterdir()) == []


def wait_until_read(at: str) -> None:
    """Until the extractor's process has found names in all articles."""
    while httpx.get(f"{at}/v1/status").json()["extraction"]["extractor"] is None:
        pass


def test_it_takes_another_port_when_its_own_is_taken_and_no_other_than_was_asked(
    tmp_path: Path,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            broadsheet("demo", "--port", str(port)),
            env=environment(tmp_path, TMPDIR=str(scratch(tmp_path))),
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: 127.0.0.1:{port} cannot be listened on: Address already in use\n"
    assert list(scratch(tmp_path).iterdir()) == []
    with started(tmp_path / "a") as (_, first), started(tmp_path / "b") as (_, second):
        assert first != second
        for each in (first, second):
            assert httpx.get(f"{each}/v1/search?q=binance").json()["total"] == 1


def test_a_temporary_folder_that_cannot_be_made_is_a_failure(tmp_path: Path) -> None:
    done = subprocess.run(
        [*broadsheet("demo", "--port", "0")],
        env=environment(tmp_path, TMPDIR="/proc/1/none", TEMP="/proc/1/none", TMP="/proc/1/none"),
        cwd="/proc",
        preexec_fn=_no_temporary_files,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the data folder cannot be written: ")


def _no_temporary_files() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
