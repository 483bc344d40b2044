"""A least-recently-used cache bounded by bytes; safe to share between threads.

The newest value stays even if it alone exceeds the bound, so that paging through a result of
any size orders it once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """Values by key; their given sizes add up to at most `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self.size_bytes = 0

    def get(self, key: Hashable) -> T | None:
        """The value of a key, now the most recently used; None without one."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: T, size_bytes: int) -> None:
        """Store a value, and evict the least recently used ones."""
        with self._lock:
            _, replaced_bytes = self._values.pop(key, (None, 0))
            self._values[key] = value, size_bytes
            self.size_bytes += size_bytes - replaced_bytes
            while self.size_bytes > self._most_bytes and len(self._values) > 1:
                _, (_, evicted_bytes) = self._values.popitem(last=False)
                self.size_bytes -= evicted_bytes

    def clear(self) -> None:
        """Evict everything."""
        with self._lock:
            self._values.clear()
            self.size_bytes = 0
