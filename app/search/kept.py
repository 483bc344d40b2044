"""What searches leave for each other, within bounds of bytes: the longest unasked goes first.

Safe to share between threads. What was put last stays, though it be larger than the bound
alone: a walk through a result of any size orders it once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T")


class Kept(Generic[T]):
    """Values by key, `most_bytes` of them together by the sizes that they are put with."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self.held_bytes = 0

    def get(self, key: Hashable) -> T | None:
        """The value of a key, which counts as asked for."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: T, size_bytes: int) -> None:
        """Keep a value, in place of those that were not asked for longest."""
        with self._lock:
            _, before = self._values.pop(key, (None, 0))
            self._values[key] = value, size_bytes
            self.held_bytes += size_bytes - before
            while self.held_bytes > self._most_bytes and len(self._values) > 1:
                _, (_, gone) = self._values.popitem(last=False)
                self.held_bytes -= gone

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._values.clear()
            self.held_bytes = 0
