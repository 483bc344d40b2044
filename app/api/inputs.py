"""Checks of what requests send, for all routes: the size of bodies, JSON, and Unicode text.

Nothing else of the program has to think of half characters (lone surrogates, which no UTF-8 can
hold) or NUL (which ends a text for C): a value that holds one is refused by its name.
"""

from __future__ import annotations

import json
import re
from typing import Any

from app.errors import ParameterError
from app.settings import Settings

QUERY_BYTES = 1 << 20
"""The largest body of a request that only asks."""
RECONCILE_BYTES = 100_000
VALUE_CHARS = 1_000
"""The longest name in a filter, date or time zone."""

_RECONCILE, _ARTICLES = "/v1/entities/reconcile", "/v1/articles"
_UNFIT = re.compile("[\0\ud800-\udfff]")


def takes_articles(path: str) -> bool:
    """Whether the route at a path takes uploads, which are as large as an operator allows."""
    return path == _ARTICLES or path.startswith(f"{_ARTICLES}/")


def body_limit(path: str, settings: Settings) -> int:
    """The bytes that a body may have that is sent to a path."""
    if takes_articles(path):
        return settings.body_limit_bytes
    own = RECONCILE_BYTES if path.startswith(_RECONCILE) else QUERY_BYTES
    return min(own, settings.body_limit_bytes)


def unfit(text: str) -> str | None:
    """Why `text` is none, to end a sentence; None for any other."""
    found = _UNFIT.search(text)
    if found is None:
        return None
    return "holds a NUL character" if found.group() == "\0" else "holds half a character"


def json_of(content: bytes | str, name: str, *, where: str = "body") -> Any:
    """The JSON value in `content`; raises ParameterError where it is none or holds no text."""
    try:
        value = json.loads(content)
    except (UnicodeDecodeError, RecursionError) as error:
        raise ParameterError(name, "must be a JSON object", where=where) from error
    except json.JSONDecodeError as error:
        reason = f"is not JSON: {error.msg} at position {error.pos}"
        raise ParameterError(name, reason, where=where) from error
    _check(value, name, where)
    return value


def _check(value: Any, name: str, where: str) -> None:
    waiting = [(name, value)]
    while waiting:
        under, each = waiting.pop()
        if isinstance(each, str):
            if reason := unfit(each):
                raise ParameterError(under, reason, where=where)
        elif isinstance(each, list):
            waiting += [(under, inner) for inner in each]
        elif isinstance(each, dict):
            for key, inner in each.items():
                if reason := unfit(key):
                    raise ParameterError(name, f"the name of a member {reason}", where=where)
                waiting.append((key, inner))
