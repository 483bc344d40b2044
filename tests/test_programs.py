"""A forked program is a process like a started one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from tests import programs

if TYPE_CHECKING:
    from pathlib import Path

WAITING = "import time; print('up', flush=True); time.sleep(60)"


def python(program: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", program, *arguments]


@pytest.mark.parametrize("run", [subprocess.run, programs.run])
def test_arguments_environment_folder_and_streams_are_its_own(run: object, tmp_path: Path) -> None:
    program = (
        "import os, sys; print(sys.argv, os.environ.get('A'), os.getcwd(), sys.stdin.read(),"
        " 'PATH' in os.environ, __name__); sys.stderr.write('\\udc80 wrong'); sys.exit(7)"
    )
    done = run(  # type: ignore[operator]
        python(program, "x y", ""),
        env={"A": "é", **{n: v for n, v in os.environ.items() if n.startswith("PYTHON")}},
        cwd=tmp_path,
        input="in",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 7
    assert done.stdout == f"['-c', 'x y', ''] é {tmp_path} in False __main__\n"
    assert done.stderr == "\\udc80 wrong"


def test_a_fork_is_a_child_of_ours_and_dies_of_a_signal() -> None:
    with programs.Popen(python(WAITING), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        (found,) = (each for each in psutil.Process().children() if each.pid == process.pid)
        assert found.num_threads() == 1
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGTERM
    assert not psutil.pid_exists(process.pid)


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("", 0),
        ("1 / 0", 1),
        ("import sys; sys.exit('no')", 1),
        ("import os; os._exit(9)", 9),
        ("raise SystemExit(-1)", 255),
        ("raise KeyboardInterrupt", -signal.SIGINT),
    ],
)
def test_exit_codes_are_those_of_a_started_program(program: str, code: int) -> None:
    both = [
        run(python(program), capture_output=True, text=True, check=False)
        for run in (subprocess.run, programs.run)
    ]
    assert [each.returncode for each in both] == [code, code]
    last = [each.stderr.splitlines()[-1:] for each in both]
    assert last[0] == last[1]


def test_what_ends_with_the_process_is_done() -> None:
    program = (
        "import atexit, threading, time; atexit.register(print, 'ended'); print('begun')\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('joined'))).start()"
    )
    done = programs.run(python(program), capture_output=True, text=True)
    assert done.stdout.split() == ["begun", "joined", "ended"]


def test_a_check_raises_and_a_limit_kills() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        programs.run(python("raise SystemExit(3)"), check=True)
    with pytest.raises(subprocess.TimeoutExpired):
        programs.run(python(WAITING), stdout=subprocess.DEVNULL, timeout=0.2)


def test_a_shell_forks_the_command(tmp_path: Path) -> None:
    with programs.command() as folder:
        done = subprocess.run(
            ["bash", "-c", "echo in | broadsheet load - 2>err; echo $?; broadsheet --version"],
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
    assert re.fullmatch(r"saved 0, .+ rejected 1, .+\n3\n\d\S+\n", done.stdout)
    assert "rejected -" in (tmp_path / "err").read_text()


def test_both_ways_of_a_start_give_the_same() -> None:
    command = [sys.executable, "-m", "app", "--version"]
    forked, started = (run(command, capture_output=True) for run in (programs.run, subprocess.run))
    assert (forked.returncode, forked.stdout) == (started.returncode, started.stdout)


def test_what_a_fork_cannot_give_is_started() -> None:
    program = "import os; print(os.getsid(0) == os.getpid(), os.environ.get('PYTHONHASHSEED'))"
    done = programs.run(
        python(program),
        env={**os.environ, "PYTHONHASHSEED": "0"},
        start_new_session=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "True 0\n"
