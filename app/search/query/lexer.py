"""The lexer of the query language: words, phrases and operators with their positions.

Takes text and a position, returns the next lexeme with its escapes resolved. The grammar is
the parser's. Any text is read in linear time.

    >>> read('place:"Abu Dhabi" rain*', 6)
    Lexeme(kind='phrase', start=6, end=17, text='Abu Dhabi', star=False, near=None)
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import regex

from app.errors import QueryError
from app.search.query.tree import ANY, FIELDS, ONE, QUOTES

# White space, and the zero-width marks that copied right-to-left text contains.
BLANKS = r"\s\u200b\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff"

_SMALLEST_BOOST, _LARGEST_BOOST = 0.1, 100.0

FIELD_ALIASES = {
    alias: field
    for field, aliases in {
        "headline": "title intitle allintitle",
        "body": "text content intext allintext",
        "published": "date pubdate published_at when before after",
        "place": "location",
        "source": "publisher",
        "section": "category",
        "language": "lang",
        "author": "authors",
        "keyword": "tag tags label labels keywords",
        "domain": "site host",
        "url": "link inurl allinurl",
    }.items()
    for alias in aliases.split()
}
"""Field names of other systems -> ours."""

_STOP = rf"{BLANKS}{QUOTES}()"
_EDGE = rf"(?: [{_STOP}] | \Z )"
_ENDING = rf"[,;:.!?…]*+ {_EDGE}"  # trailing punctuation is not part of a word
_OURS = rf"(?i: {'|'.join(FIELDS)} ) :"
_THEIRS = rf"(?i: {'|'.join(FIELD_ALIASES)} ) :"
_AFTER_FIELD = rf"(?<= (?<! [\p{{L}}\p{{N}}_] ) {_OURS} [{BLANKS}]* )"
_LEXEME = regex.compile(
    rf"""
    [{BLANKS}]*+
    (?: (?P<plain>  # the usual word, in one match
          (?! (?: AND | OR | NOT | NEAR ) {_EDGE} | (?i: near | w | pre | adj | within ) / )
          [\p{{L}}\p{{N}}$] (?: [\p{{L}}\p{{M}}\p{{N}},;'’!$/_-] | \.(?!\.) | &(?!&) )*+
          (?= [{BLANKS})] | \Z )
        )
      | (?P<end> \Z )
      | (?P<open> \( )
      | (?P<close> \) )
      | (?P<phrase> [{QUOTES}] | (?=') {_AFTER_FIELD} ' (?= [^'{QUOTES}]*+ ' {_EDGE} ) )
      | (?P<range> (?= [\[{{] ) {_AFTER_FIELD} . )
      | (?P<boost> (?<= [^{BLANKS}(] | \\[{BLANKS}(] ) \^ )
      | (?P<sign> (?<![^{BLANKS}(:|&]) [-+!]++ (?= [^{BLANKS})^|&] ) )
      | (?P<and> (?<![-+:]) AND (?= {_EDGE} ) | && )
      | (?P<or> (?<![-+:]) OR (?= {_EDGE} ) | \|\|? )
      | (?<![-+:]) (?P<not> NOT (?= {_EDGE} ) )
      | (?P<near>
          (?: NEAR (?: / [^{_STOP}]* )? | (?i: near | w | o?near | pre | adj | within ) / \d+ )
          (?= {_EDGE} )
        | (?: AROUND | NEAR ) [{BLANKS}]* \( \d+ \)
        )
      | (?! (?i: https? | ftp | mailto | tel | urn ) : )
        (?P<field> {_OURS} | {_THEIRS} (?= [^{BLANKS})] )
        | [feLS] : (?= \d ) | [A-Za-z_]+ (?: \.[A-Za-z_]+ )+ : (?= [\p{{L}}{QUOTES}(] )
        | [A-Za-z_]{{2,}} : (?= [\p{{L}}\p{{N}}{QUOTES}(\[\\*+\-<>=$€£¥@'’\#] )
        )
      | (?P<word> )
    )""",
    regex.VERBOSE | regex.V1,
)
_WORD = regex.compile(
    rf"\^*+ (?: \\.?+ | [^{_STOP}\\^|&] | &(?!&) )*+", regex.X | regex.S | regex.V1
)
_PHRASE = regex.compile(
    rf"[{QUOTES}] ( (?: \\. | [^{QUOTES}\\] )*+ ) [{QUOTES}] | ' ( [^']*+ ) '",
    regex.X | regex.S | regex.V1,
)
_RANGE = regex.compile(r"[\[{]([^\]}]*)[\]}]")
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
_WILDCARD = regex.compile(r"\*|\?(?=\?*[\p{L}\p{N}*])")
_ADDRESS = regex.compile(r"www\.|mailto:|[a-z]+://", regex.IGNORECASE)
_EXPRESSION = regex.compile(r"/(?:[^/\s\\]|\\.)+/")  # /regular expression/

Operator = Literal["and", "or", "not", "near"]
Kind = Literal[
    Operator, "end", "open", "close", "phrase", "range", "boost", "sign", "field", "word"
]


class Lexeme(NamedTuple):
    """A piece of a query, `source[start:end]`.

    `text` is its value: a word or phrase without quotes and escapes, the name of a field, the
    inside of a range, the number of a boost. `near` is the number after the `~` of a word or
    phrase, `star` whether it ends with `*`. `*` alone is a word with an empty `text`. Other
    wildcards are ANY and ONE in `text`.
    """

    kind: Kind
    start: int
    end: int
    text: str
    star: bool = False
    near: str | None = None


def read(source: str, position: int) -> Lexeme:
    """The first lexeme at or after `position`, which is 0 or the end of the previous one."""
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
    """`source` with `new` in place of `source[start:end]`, mostly as a corrected query."""
    return source[:start] + new + source[end:]


def _word(source: str, start: int) -> Lexeme:
    end = _WORD.match(source, start).end()
    if source[start] == "/" and (expression := _EXPRESSION.match(source, start)):
        raise _no_expression(source, start, expression.end())
    raw = source[start:end]
    if not _SPECIAL.search(raw):
        return Lexeme("word", start, end, raw)
    if raw in ("*", "*:*"):
        return Lexeme("word", start, end, "", star=True)
    # Escapes are blanked, not removed: positions stay those of `raw`.
    body = _ESCAPE.sub("\0\0", raw)
    near = _FUZZY.search(body)
    written = _unescaped(raw[: near.start()] if near else raw)
    if not _LETTER.search(written) or _ADDRESS.match(body):
        return Lexeme("word", start, end, _unescaped(raw))
    body = body[: near.start()] if near else body
    star = _STAR.search(body)
    text, stem = raw[: len(body)], body[: star.start()] if star else body
    wild = _WILDCARD.search(body[: star.end()] if star else body)
    if star and wild and wild.start() == star.start():
        wild = None  # the only wildcard is the * at the end
    if near and (star or wild):
        raise QueryError(
            "a word holds * or ends with ~, not both",
            start + near.start(),
            corrected=replaced(source, start + near.start(), end, ""),
        )
    if wild:
        text = _marked(text[: star.start() + 1] if star else text)
        return Lexeme("word", start, end, text)
    text = _unescaped(raw[: len(stem)])
    return Lexeme("word", start, end, text, bool(star), near[1] if near else None)


def _marked(raw: str) -> str:
    """`raw` without escapes, its wildcards as ANY and ONE."""
    body = _ESCAPE.sub("\0\0", raw)
    signs = list(raw)
    for match in _WILDCARD.finditer(body):
        signs[match.start()] = ANY if match[0] == "*" else ONE
    return _unescaped("".join(signs))


def _no_expression(source: str, start: int, end: int) -> QueryError:
    end = _WORD.match(source, end).end()
    written = source[start:end]
    return QueryError(
        "a regular expression is not understood",
        start,
        expected="a word, in which * stands for any letters and ? for one",
        hint=f"put it in quotes if it is text: {shortened(chr(34) + written + chr(34))}",
        corrected=replaced(source, start, end, f'"{written}"') if "*" not in written else None,
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
    inner = match[2] if match[1] is None else match[1]
    text = _starred(inner) if "*" in inner else _unescaped(inner)
    if source.startswith("*", end):
        return Lexeme("phrase", start, end + 1, text, star=True)
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
    return Lexeme("phrase", start, end, text, near=near[1] if near else None)


def _starred(raw: str) -> str:
    """The inside of quotes without escapes, each `*` as ANY; `?` is no wildcard there."""
    body = _ESCAPE.sub("\0\0", raw)
    marked = (ANY if sign == "*" else written for sign, written in zip(body, raw, strict=True))
    return _unescaped("".join(marked))


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
            "a bracket is opened and never closed",
            start,
            expected="]" if source[start] == "[" else "}",
            corrected=f"{source}{']' if source[start] == '[' else '}'}",
        )
    return Lexeme("range", start, match.end(), match[1])


def _unescaped(raw: str) -> str:
    return _ESCAPE.sub(r"\1", raw) if "\\" in raw else raw
