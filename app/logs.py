"""Log formatters: one line a record, as text or as JSON.

Both formats name the request and the trace of the line. Line breaks, terminal sequences and
invisible characters are escaped, keys are masked. `config` is for `logging.config.dictConfig`;
nothing is configured at import.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from app import context

Form = Literal["console", "json"]

# Controls, line and paragraph separators, marks that reorder or hide the text beside them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_KEY = re.compile(r"bs_[0-9a-f]{72}")  # as in store.keys, which may not be imported here


def escaped(text: str) -> str:
    r"""`text` with every character escaped that could break or fake a line.

    >>> print(escaped("a\nINFO b\x1b[31m"))
    a\nINFO b\x1b[31m
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(lambda found: repr(found[0])[1:-1], text)


class Plain(logging.Formatter):
    """Level and message, for commands."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line, its traceback below it."""
        line = f"{record.levelname} {escaped(record.getMessage())}{self._trace(record)}"
        return _without_keys(line)

    def _trace(self, record: logging.LogRecord) -> str:
        if not record.exc_info:
            return ""
        lines = self.formatException(record.exc_info).splitlines()
        return "\n" + "\n".join(map(escaped, lines))


class Console(Plain):
    """Time, level, message, facts and request, for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line, its traceback below it."""
        facts = {**getattr(record, "facts", {}), **_request_ids()}
        pairs = "".join(f" {name}={escaped(str(value))}" for name, value in facts.items())
        message = escaped(record.getMessage())
        line = f"{_at(record)} {record.levelname} {message}{pairs}{self._trace(record)}"
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
            **_request_ids(),
        }
        if record.exc_info:
            line["error"] = _encodable(self.formatException(record.exc_info))
        return _without_keys(orjson.dumps(line, default=str).decode())


def config(form: Form, level: str = "INFO") -> dict[str, Any]:
    """The logging configuration of a server process, for our loggers and the server's."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": {"()": f"app.logs.{form.title()}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "chosen"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"alembic": {"level": "WARNING"}},
    }


def _without_keys(line: str) -> str:
    """`line` with keys masked: a client may put its key in an address."""
    return _KEY.sub("bs_**********", line)


def _at(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _request_ids() -> dict[str, str]:
    """The ids of the current request and its trace."""
    request = context.current.get()
    if request is None:
        return {}
    if request.trace is None or request.span is None:
        return {"request_id": request.id}
    return {"request_id": request.id, "trace_id": request.trace, "span_id": request.span}


def _encodable(text: str) -> str:
    """`text` without lone surrogates, which JSON cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode()
