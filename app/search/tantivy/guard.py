"""The guard: translates a panic of tantivy into an exception, so that only one search fails.

A panic is a BaseException without a public class, recognized by its name. It unwinds one call; the
index objects remain usable.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Panicked(Exception):
    """tantivy panicked in a call."""


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
