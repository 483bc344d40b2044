"""Programs started by a fork of a process that has imported the application already.

`Popen` and `run` are those of `subprocess`, for `python -m app …` and `python -c …`: a process
of its own with real arguments, environment, folder, streams, signals and exit code, without
the second that the imports take. It is a child of the caller as any other. Whatever a fork
cannot give, such as another interpreter's options, is started anew; so is everything where
`REAL_STARTS=1` is set or the system is not Linux.
"""

from __future__ import annotations

import atexit
import ctypes
import marshal
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import forking

if TYPE_CHECKING:
    from collections.abc import Iterator

_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
_STARTING = threading.Lock()
_ORDINARY = (True, None, None, None, -1, False, -1)
"""Signals, groups, user, umask and session of a program for which none are asked."""


class Popen(subprocess.Popen[Any]):
    """A process that is forked where that is possible: one step of the start differs."""

    def _execute_child(
        self,
        args: Any,
        executable: Any,
        preexec_fn: Any,
        close_fds: Any,
        pass_fds: Any,
        cwd: Any,
        env: Any,
        startupinfo: Any,
        creationflags: Any,
        shell: Any,
        *rest: Any,
    ) -> None:
        special = executable or preexec_fn or pass_fds or shell or rest[6:] != _ORDINARY
        if special or not _is_forkable(args, os.environ if env is None else env):
            super()._execute_child(  # type: ignore[misc]
                args, executable, preexec_fn, close_fds, pass_fds, cwd, env,
                startupinfo, creationflags, shell, *rest,
            )  # fmt: skip
            return
        pipes = rest[:6]  # each end of stdin, stdout and stderr; -1 where there is none
        streams = [
            own if given == -1 else given
            for own, given in zip((0, 1, 2), (pipes[0], pipes[3], pipes[5]), strict=True)
        ]
        message = pickle.dumps((args[1:], dict(os.environ if env is None else env), cwd))
        with _STARTING:
            control = _control()
            # A process whose parent ends becomes the child of its nearest subreaper: of this one.
            _prctl(_SET_CHILD_SUBREAPER, 1)
            socket.send_fds(control, [message], streams)
            self.pid = int(control.recv(64))
            _prctl(_SET_CHILD_SUBREAPER, 0)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def run(
    args: list[str],
    *,
    input: Any = None,  # noqa: A002
    capture_output: bool = False,
    timeout: float | None = None,
    check: bool = False,
    **more: Any,
) -> subprocess.CompletedProcess[Any]:
    """What `subprocess.run` gives."""
    if capture_output:
        more |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if input is not None:
        more["stdin"] = subprocess.PIPE
    with Popen(args, **more) as process:
        try:
            stdout, stderr = process.communicate(input, timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(args, process.returncode, stdout, stderr)
    if check:
        done.check_returncode()
    return done


@contextmanager
def command() -> Iterator[Path]:
    """A folder to put before others on PATH: its `broadsheet` is forked too."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
    ):
        listener.bind(f"{folder}/socket")
        listener.listen()
        file = Path(folder, "broadsheet")
        file.write_text(_CLIENT.format(python=sys.executable, address=f"{folder}/socket"))
        file.chmod(0o755)
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        yield Path(folder)
        listener.shutdown(socket.SHUT_RDWR)


_CLIENT = """#!{python} -IS
import marshal, os, socket
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
    connection.connect({address!r})
    request = marshal.dumps((os.sys.argv[1:], dict(os.environ), os.getcwd()))
    socket.send_fds(connection, [request], [0, 1, 2])
    os._exit(int(connection.recv(9)))
"""


def _serve(listener: socket.socket) -> None:
    """Fork for each connection of `_CLIENT`, until nobody listens any more."""

    def fork(connection: socket.socket) -> None:
        with connection:
            request, streams, _, _ = socket.recv_fds(connection, forking.LARGEST_BYTES, 3)
            arguments, environment, folder = marshal.loads(request)
            process = Popen(
                [sys.executable, "-m", "app", *arguments],
                stdin=streams[0],
                stdout=streams[1],
                stderr=streams[2],
                env=environment,
                cwd=folder,
            )
            for each in streams:
                os.close(each)
            connection.send(str(process.wait()).encode())

    with suppress(OSError):
        while True:
            threading.Thread(target=fork, args=(listener.accept()[0],), daemon=True).start()


def _is_forkable(args: Any, environment: Any) -> bool:
    """Whether the program is Python's, and its interpreter would start as this one did."""
    return bool(
        sys.platform == "linux"
        and "REAL_STARTS" not in os.environ
        and args[0] == sys.executable
        and (args[1] == "-c" or args[1:3] == ["-m", "app"])
        and _of_the_interpreter(environment) == _of_the_interpreter(os.environ)
    )


def _of_the_interpreter(environment: Any) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(("PYTHON", "LC_", "LANG", "PROMETHEUS_"))
    }


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


@cache
def _control() -> socket.socket:
    """The process that forks the others, started at the first need; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    forker = subprocess.Popen(
        [sys.executable, "-m", forking.__name__, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.DEVNULL,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        forker.wait()

    atexit.register(end)
    return ours
