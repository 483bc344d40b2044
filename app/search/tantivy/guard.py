"""The guard: panics of tantivy as an exception, so that a search that meets one ends nothing else.

A panic is a BaseException of no public class, told by its name. It unwinds one call; the objects
of the index stay good.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Panicked(Exception):
    """The library gave a call up."""


@contextmanager
def guarded() -> Iterator[None]:
    """Raise Panicked in place of a panic."""
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Panicked(f"tantivy panicked: {error}") from None
