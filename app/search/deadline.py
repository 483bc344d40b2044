"""Deadlines: the time limit of a search, checked between pieces of its work."""

from __future__ import annotations

import time


class Deadline:
    """A deadline `timeout_s` from now; once found to have passed it stays `late`."""

    def __init__(self, timeout_s: float) -> None:
        self._deadline = time.monotonic() + timeout_s
        self.late = False
        """Whether work was skipped because the deadline had passed."""

    def in_time(self) -> bool:
        """Whether time is left; otherwise the caller skips its work."""
        if not self.late and time.monotonic() > self._deadline:
            self.late = True
        return not self.late

    @property
    def remaining_s(self) -> float:
        """Seconds left; negative once the deadline has passed."""
        return self._deadline - time.monotonic()
