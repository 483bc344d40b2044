"""The process that `programs` forks programs from: it imports, waits, and forks.

It runs no thread and opens no file of the application, so that a fork begins as a program does
that has just imported it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import pickle
import pkgutil
import runpy
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

import app

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_BYTES = 1 << 18


def forked(control: socket.socket) -> list[str]:
    """Fork a program for each message, for ever; returns its arguments, in each program alone."""
    while True:
        message, streams, _, _ = socket.recv_fds(control, LARGEST_BYTES, 3)
        if not message:
            os._exit(0)  # without atexit: what coverage has counted here, each fork writes too
        pid_read, pid_write = os.pipe()
        intermediate = os.fork()
        if intermediate == 0:
            break
        for each in (*streams, pid_write):
            os.close(each)
        os.waitpid(intermediate, 0)  # from here on the program is a child of the one that asked
        control.send(os.read(pid_read, 64))
        os.close(pid_read)
    if pid := os.fork():
        os.write(pid_write, str(pid).encode())
        os._exit(0)
    os.close(pid_read)
    os.close(pid_write)
    control.close()
    arguments, environment, folder = pickle.loads(message)
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", buffering=1 if os.isatty(1) else -1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    if folder is not None:
        os.chdir(folder)
    return list(arguments)


def end(program: Callable[[], object]) -> NoReturn:
    """Run `program` and end this process as the interpreter would, but for taking itself apart.

    That touches each object that was imported, of which the fork shares the memory.
    """
    code, interrupted = 1, False
    try:
        program()
        code = 0
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            code = error.code or 0
        else:
            print(error.code, file=sys.stderr)
    except BaseException as error:
        sys.excepthook(*sys.exc_info())
        interrupted = isinstance(error, KeyboardInterrupt)
    threading._shutdown()  # type: ignore[attr-defined]  # waits, as multiprocessing's end does
    atexit._run_exitfuncs()
    with suppress(OSError):
        sys.stdout.flush()
    if interrupted:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    os._exit(code & 0xFF)


if __name__ == "__main__":
    for found in pkgutil.walk_packages(app.__path__, "app."):
        if found.name != "app.__main__":
            importlib.import_module(found.name)
    gc.freeze()  # a collection in a fork leaves shared memory alone
    kind, program, *sys.argv[1:] = forked(socket.socket(fileno=int(sys.argv[1])))
    if kind == "-m":
        end(partial(runpy.run_module, program, run_name="__main__", alter_sys=True))
    sys.argv[0] = "-c"
    main = sys.modules["__main__"] = ModuleType("__main__")
    end(partial(exec, compile(program, "<string>", "exec"), main.__dict__))
