"""The time that a search may take: a Clock is started once and asked between pieces of work."""

from __future__ import annotations

import time


class Clock:
    """Runs from when it is made; once it has been asked in vain it stays `late`."""

    def __init__(self, timeout_s: float) -> None:
        self._deadline = time.monotonic() + timeout_s
        self.late = False
        """Whether work was left out because the time was up."""

    def in_time(self) -> bool:
        """Whether there is time left; False means that the caller leaves its work out."""
        if not self.late and time.monotonic() > self._deadline:
            self.late = True
        return not self.late

    @property
    def remaining_s(self) -> float:
        """Seconds that are left; negative when the time is up."""
        return self._deadline - time.monotonic()
