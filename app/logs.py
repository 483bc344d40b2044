"""What a log line looks like: for people or as JSON, always one line, always harmless.

Both forms name the request (and the trace) that the line belongs to. Whatever comes from
outside is escaped: no line break, no terminal sequence and no invisible sign gets out as
itself, and no key. `config` is for `logging.config.dictConfig`; nothing is configured at import.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from app import exchange

Form = Literal["console", "json"]

# Controls, line and paragraph separators, marks that turn or hide what stands beside them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_KEY = re.compile(r"bs_[0-9a-f]{72}")  # that of keys.py, which stands above this


def escaped(text: str) -> str:
    r"""`text` with all that could break or fake a line written out.

    >>> print(escaped("a\nINFO b\x1b[31m"))
    a\nINFO b\x1b[31m
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(lambda found: repr(found[0])[1:-1], text)


class Plain(logging.Formatter):
    """Level and message, for the commands of a person."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; a traceback stands below it."""
        line = f"{record.levelname} {escaped(record.getMessage())}{self._trace(record)}"
        return _without_keys(line)

    def _trace(self, record: logging.LogRecord) -> str:
        if not record.exc_info:
            return ""
        lines = self.formatException(record.exc_info).splitlines()
        return "\n" + "\n".join(map(escaped, lines))


class Console(Plain):
    """Time, level, message, facts and request: a line that a person reads."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; a traceback stands below it."""
        facts = {**getattr(record, "facts", {}), **_belongs()}
        told = "".join(f" {name}={escaped(str(value))}" for name, value in facts.items())
        message = escaped(record.getMessage())
        line = f"{_at(record)} {record.levelname} {message}{told}{self._trace(record)}"
        return _without_keys(line)


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as an object: `at`, `level`, `logger`, `message`, facts, `error`."""
        line: dict[str, Any] = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _encodable(record.getMessage()),
            **getattr(record, "facts", {}),
            **_belongs(),
        }
        if record.exc_info:
            line["error"] = _encodable(self.formatException(record.exc_info))
        return _without_keys(orjson.dumps(line, default=str).decode())


def config(form: Form, level: str = "INFO") -> dict[str, Any]:
    """The configuration of all logs of a server process, ours and the server's own."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": {"()": f"app.logs.{form.title()}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "chosen"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"alembic": {"level": "WARNING"}},
    }


def _without_keys(line: str) -> str:
    """`line` as one may show it: a client that puts its key in an address sends it here too."""
    return _KEY.sub("bs_**********", line)


def _at(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _belongs() -> dict[str, str]:
    """The request and the trace that the line belongs to."""
    going_on = exchange.current.get()
    if going_on is None:
        return {}
    if going_on.trace is None or going_on.span is None:
        return {"request_id": going_on.id}
    return {"request_id": going_on.id, "trace_id": going_on.trace, "span_id": going_on.span}


def _encodable(text: str) -> str:
    """`text` without lone surrogates, which JSON cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode()
