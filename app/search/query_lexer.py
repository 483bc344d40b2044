"""Lexemes of the query language: where its words, phrases and operators begin and end.

Text and a position in, the next lexeme out, escapes resolved. What lexemes mean together,
and what a word's tokens are, is not known here. Any text can be read in linear time.

    >>> [(lexeme.kind, lexeme.text) for lexeme in lexemes('-place:"Abu Dhabi" rain*')]
    [('sign', '-'), ('field', 'place'), ('phrase', 'Abu Dhabi'), ('word', 'rain'), ('end', '')]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import regex

from app.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator

QUOTES = '"“”„‟«»'
# White space, and the marks without width that come along when right-to-left text is copied.
BLANKS = r"\s\u200b\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff"

_SMALLEST_BOOST, _LARGEST_BOOST = 0.1, 100.0

_STOP = rf"{BLANKS}{QUOTES}()"
_EDGE = rf"(?: [{_STOP}] | \Z )"
_ENDING = rf"[,;:.!?…]*+ {_EDGE}"  # punctuation after a word is no part of it
_LEXEME = regex.compile(
    rf"""
    [{BLANKS}]*+
    (?: (?P<plain> (?! (?: AND | OR | NOT ) {_EDGE} )  # the usual case, in one go
          [\p{{L}}\p{{N}}$] [\p{{L}}\p{{M}}\p{{N}}.,;'’!$&/_-]*+ (?= [{BLANKS})] | \Z )
        )
      | (?P<end> \Z )
      | (?P<open> \( )
      | (?P<close> \) )
      | (?P<phrase> [{QUOTES}] )
      | (?P<range> (?<=:) \[ )
      | (?P<boost> (?<=[^{BLANKS}(]) \^ )
      | (?P<sign> (?<![^{BLANKS}(:]) [-+] (?= [^{BLANKS})^+-] ) )
      | (?<![-+:]) (?P<and> (?: AND | && ) (?= {_EDGE} ) )
      | (?<![-+:]) (?P<or> (?: OR | \|\| ) (?= {_EDGE} ) )
      | (?<![-+:]) (?P<not> NOT (?= {_EDGE} ) )
      | (?! (?i: https? | ftp | mailto | tel | urn ) : )
        (?P<field> [A-Za-z_]{{2,}} : (?= [\p{{L}}\p{{N}}{QUOTES}(\[\\*+\-<>=$€£¥@'’\#] ) )
      | (?P<word> )
    )""",
    regex.VERBOSE | regex.V1,
)
_WORD = regex.compile(rf"\^*+ (?: \\.?+ | [^{_STOP}\\^] )*+", regex.X | regex.S | regex.V1)
_PHRASE = regex.compile(
    rf"[{QUOTES}] ( (?: \\. | [^{QUOTES}\\] )*+ ) [{QUOTES}]", regex.X | regex.S | regex.V1
)
_RANGE = regex.compile(r"\[([^\]]*)\]")
_NEAR = regex.compile(rf"~([0-9]++) (?= \^ | {_ENDING} )", regex.X | regex.V1)
_BOOST = regex.compile(
    rf"\^ ( [0-9]++ (?: \.[0-9]++ )? | \.[0-9]++ ) (?= {_ENDING} )", regex.X | regex.V1
)
_TAIL = regex.compile(rf"[^{_STOP}]*", regex.V1)

_SPECIAL = regex.compile(r"[\\*?~]")
_ESCAPE = regex.compile(r"\\(.)", regex.S)
_FUZZY = regex.compile(r"~([0-9]*+(?:\.[0-9]++)?)[,;:.!?…]*\Z")
_STAR = regex.compile(r"\*[,;:.!?…]*\Z")
_LETTER = regex.compile(r"[\p{L}\p{N}]")
_WILDCARD = regex.compile(r"\*|\?(?=[\p{L}\p{N}])")
_ADDRESS = regex.compile(r"www\.|mailto:|[a-z]+://", regex.IGNORECASE)

Kind = Literal[
    "end", "open", "close", "phrase", "range", "boost", "sign", "and", "or", "not", "field", "word"
]


class Lexeme(NamedTuple):
    """A piece of a query, `source[start:end]`.

    `text` is what counts of it: a word or phrase without quotes and escapes, the name of a
    field, the inside of a range, the number of a boost. `near` is what follows the `~` of a
    word or phrase, `star` tells of a `*` at its end. `*` alone is a word without text.
    """

    kind: Kind
    start: int
    end: int
    text: str
    star: bool = False
    near: str | None = None


def lexemes(source: str) -> Iterator[Lexeme]:
    """All lexemes of `source`; the last one is of kind `end`."""
    lexeme = read(source, 0)
    while lexeme.kind != "end":
        yield lexeme
        lexeme = read(source, lexeme.end)
    yield lexeme


def read(source: str, position: int) -> Lexeme:
    """The first lexeme at or after `position`, which is 0 or the end of the one before."""
    match = _LEXEME.match(source, position)
    kind = match.lastgroup
    start, end = match.span(kind)
    if kind == "plain":
        return Lexeme("word", start, end, match[kind])
    if kind == "word":
        return _word(source, start)
    if kind == "phrase":
        return _phrase(source, start)
    if kind == "field":
        return Lexeme(kind, start, end, match[kind][:-1].lower())
    if kind == "boost":
        return _boost(source, start)
    if kind == "range":
        return _range(source, start)
    return Lexeme(kind, start, end, match[kind])


def shortened(text: str) -> str:
    """`text` for a message."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def replaced(source: str, start: int, end: int, new: str) -> str:
    """`source` with `new` for what stands from `start` to `end`; a corrected query mostly."""
    return source[:start] + new + source[end:]


def _word(source: str, start: int) -> Lexeme:
    end = _WORD.match(source, start).end()
    raw = source[start:end]
    if not _SPECIAL.search(raw):
        return Lexeme("word", start, end, raw)
    if raw == "*":
        return Lexeme("word", start, end, "", star=True)
    # As long as the word; what is escaped has no meaning of its own.
    body = _ESCAPE.sub("\0\0", raw)
    near = _FUZZY.search(body)
    written = _unescaped(raw[: near.start()] if near else raw)
    if not _LETTER.search(written) or _ADDRESS.match(body):
        return Lexeme("word", start, end, _unescaped(raw))
    body = body[: near.start()] if near else body
    star = _STAR.search(body)
    body = body[: star.start()] if star else body
    if wildcard := _WILDCARD.search(body):
        raise _misplaced(source, start, end, wildcard.start())
    if star and near:
        raise QueryError(
            "a word ends with * or with ~, not both",
            start + near.start(),
            corrected=replaced(source, start + star.end(), end, ""),
        )
    text = _unescaped(raw[: len(body)])
    return Lexeme("word", start, end, text, bool(star), near[1] if near else None)


def _misplaced(source: str, start: int, end: int, at: int) -> QueryError:
    bare = source[start:end].strip("*")
    star = "*" if source[end - 1] == "*" else ""
    return QueryError(
        f"a {source[start + at]} stands at the start or in the middle of a word",
        start + at,
        expected="a * at the end of a word",
        hint="put the word in quotes to find it as it is written",
        corrected=None if _SPECIAL.search(bare) else replaced(source, start, end, bare + star),
    )


def _phrase(source: str, start: int) -> Lexeme:
    match = _PHRASE.match(source, start)
    if match is None:
        inside = source[start + 1 :].strip()
        raise QueryError(
            "a quote is opened and never closed",
            start,
            expected='a closing "',
            hint='add a closing ", or write \\" for the character itself',
            corrected=f'{source}"' if inside else source[:start].rstrip(),
        )
    end, near = match.end(), None
    if source.startswith("*", end):
        return Lexeme("phrase", start, end + 1, _unescaped(match[1]), star=True)
    if source.startswith("~", end):
        near = _NEAR.match(source, end)
        if near is None:
            raise QueryError(
                "the ~ after a phrase lacks its number of words",
                end,
                expected='a number of words, as in "heavy rain"~3',
                corrected=replaced(source, end, _TAIL.match(source, end).end(), ""),
            )
        end = near.end()
    return Lexeme("phrase", start, end, _unescaped(match[1]), near=near[1] if near else None)


def _boost(source: str, start: int) -> Lexeme:
    match = _BOOST.match(source, start)
    end = match.end() if match else _TAIL.match(source, start).end()
    factor = float(match[1]) if match else 1.0
    if match and _SMALLEST_BOOST <= factor <= _LARGEST_BOOST:
        return Lexeme("boost", start, end, match[1])
    bound = f"^{_SMALLEST_BOOST if factor < 1 else _LARGEST_BOOST:g}" if match else ""
    raise QueryError(
        "the number after ^ is out of bounds" if match else "the ^ lacks its number",
        start,
        expected=f"a number from {_SMALLEST_BOOST:g} to {_LARGEST_BOOST:g}, as in rain^2",
        hint=r"write \^ for the character itself",
        corrected=replaced(source, start, end, bound),
    )


def _range(source: str, start: int) -> Lexeme:
    match = _RANGE.match(source, start)
    if match is None:
        raise QueryError(
            "a bracket is opened and never closed", start, expected="]", corrected=f"{source}]"
        )
    return Lexeme("range", start, match.end(), match[1])


def _unescaped(raw: str) -> str:
    return _ESCAPE.sub(r"\1", raw) if "\\" in raw else raw
