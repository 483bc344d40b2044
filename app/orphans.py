"""Orphans: processes that multiprocessing started and that outlive the one that did.

A program that is killed cannot end its processes: workers would hold the server's port, and
extractors their memory, for ever. So each of them watches its parent, by the pipe that it got
from it at its start, and says what to do then. What that is, is not known here.
"""

from __future__ import annotations

import multiprocessing
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def watch(orphaned: Callable[[], object]) -> None:
    """Have `orphaned` called, from a thread of its own, when this process's parent has ended.

    At once if it has ended already; never in a process that multiprocessing did not start.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        orphaned()

    threading.Thread(target=wait, daemon=True, name="orphans").start()
