"""The parent watch: notices that the parent of a multiprocessing process has ended.

A killed program cannot end its child processes: workers would keep the server's port, extractors
their memory, forever. So each child watches its parent through the pipe that multiprocessing
gives it, and calls a function when the parent ends.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable


def watch(orphaned: Callable[[], object]) -> None:
    """Call `orphaned`, in a thread of its own, when the parent of this process ends.

    At once if it has ended already; never in a process that multiprocessing did not start.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        orphaned()

    threading.Thread(target=wait, daemon=True, name="parent-watch").start()
