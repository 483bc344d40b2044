"""A write of a store, which tells diverged copies of the store apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Write:
    """A write of a store: its change number, and a random token that no other write has.

    Every store that has this write has the same history up to it.
    """

    change: int
    token: str


NO_WRITE = Write(0, "")
"""A write that no store has."""
