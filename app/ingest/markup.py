r"""Conversion of a record's text, HTML or plain, to clean paragraphs.

HTML becomes its text, a paragraph per block, without scripts, styles and comments. Character
references are resolved, also if they were escaped twice, and so are line ends that are written as
a backslash and `n`. Hard-wrapped lines are joined to paragraphs. What only looks like a tag, such
as the ticker symbol in `Sears <S>`, is text: an element has an end tag, an attribute with a value,
or needs no end.

    >>> paragraphs("<p>AT&amp;T rose.</p><script>x()</script><p>It <b>fell</b> later.<br>So.")
    'AT&T rose.\n\nIt fell later.\n\nSo.'
    >>> paragraphs("The board chose a new\npilot on Friday.\n   He starts soon, on\nMonday.")
    'The board chose a new pilot on Friday.\n\nHe starts soon, on Monday.'
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection
from itertools import pairwise

from app.ingest import cleaning

_BLOCKS = (
    "p|div|br|hr|ul|ol|li|dl|dt|dd|table|thead|tbody|tfoot|tr|caption|h[1-6]|article|section"
    "|header|footer|nav|main|aside|figure|figcaption|blockquote|pre|form|fieldset|address|html"
    "|body|head|title|center"
)
_INLINE = (
    "a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|img|ins|kbd|label|link|mark"
    "|meta|nobr|o:p|picture|q|rp|ruby|s|samp|small|source|span|strike|strong|sub|sup|svg|path"
    "|time|tt|u|var|video|audio|track|wbr|iframe|embed|object|param|input|button|amp-[a-z-]+"
)
_DROPPED = "script|style|noscript|template|textarea|select|rt|iframe|svg|math"
_TAG = re.compile(
    rf"</?(?P<name>{_BLOCKS}|td|th|{_INLINE}|{_DROPPED})"
    r"(?P<attributes>[\s/](?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+)?>",
    re.IGNORECASE,
)
_ALONE = re.compile(
    "br|hr|img|input|link|meta|source|track|embed|param|wbr|p|li|d[dt]|t[dhr]|html|body|head",
    re.IGNORECASE,
)
"""Elements whose end tag does not exist or may be left out."""
_SWITCHES = re.compile(
    r"(?:[\s/]+(?:allowfullscreen|async|autoplay|border|compact|controls|defer|disabled|hidden"
    r"|loop|muted|noshade|nowrap|open|playsinline|reversed|selected)?)*+",
    re.IGNORECASE,
)
"""Attributes without a value."""
_END = re.compile(r"</([A-Za-z][\w:-]*)")
_WITHIN_SENTENCE = re.compile(r"[\w’'\"] $")
_BLOCK = re.compile(rf"(?:{_BLOCKS})", re.IGNORECASE)
_DROP = re.compile(rf"<(?P<name>{_DROPPED})(?=[\s/>])", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ESCAPED_TAG = re.compile(r"&lt;/?(?:p|div|br|span|a|b|i|em|strong|ul|li|h[1-6])\b", re.IGNORECASE)
_WRITTEN_END = re.compile(r"(?:\\r)?\\n")
_WRITTEN = re.compile(r"(?:\\r)?\\n(?:(?:\\r)?\\n|\s|[^\w\s]|[A-ZÀ-Þ]|$)")
_SENTENCE_END = re.compile(r"[.!?…:。！？][\"'”’»)\]]*$")
_COLUMNS = re.compile(r"\S(?: {3,}|\t+)\S")
_WIDEST = 130  # characters of the longest line of a wrapped text
_SHORTEST = 20
_FULL = 0.75  # of the width: a line ends there because the next word did not fit
_TIGHT = 0.85  # for scripts that have no small letters to tell that a sentence goes on


def paragraphs(text: str) -> str:
    """`text` as clean paragraphs, one blank line between them."""
    return cleaning.paragraphs(unwrapped(plain(text)))


def line(text: str) -> str:
    """`text` as a single clean line."""
    return cleaning.one_line(plain(text))


def plain(text: str) -> str:
    """`text` without markup and references; the lines are as they were, or a block each."""
    if "\\n" in text and "\n" not in text and _WRITTEN.search(text):
        text = _WRITTEN_END.sub("\n", text).replace('\\"', '"').replace("\\t", " ")
    if "&" in text and "<" not in text and _ESCAPED_TAG.search(text):
        text = _resolved(text)
    if "<" in text:
        text = _untagged(text)
    if "&" in text:
        text = _resolved(text)
        if "&" in text:  # of a text that was escaped twice
            text = _resolved(text)
    return text


def _resolved(text: str) -> str:
    return _REFERENCE.sub(lambda match: html.unescape(match.group()), text)


def _untagged(text: str) -> str:
    """The text between tags, a block a line; as it is where it has no tags."""
    text = _without_dropped(_without_comments(text))
    if (tag := _TAG.search(text)) is None:
        return text
    pieces: list[str] = []
    # In HTML a line end is a blank, but for a text that has no other paragraphs than its lines.
    is_html = re.search(r"<(?:p|br|div|li)[\s/>]", text, re.IGNORECASE) is not None
    at, ended = 0, {name.lower() for name in _END.findall(text)}
    while tag is not None:
        if not _is_markup(tag, text, ended):
            tag = _TAG.search(text, tag.end())
            continue
        between = text[at : tag.start()]
        pieces.append(" ".join(between.split("\n")) if is_html else between)
        name = tag["name"]
        if _BLOCK.fullmatch(name):
            pieces.append("\n")
        elif name.lower() in {"td", "th"}:
            pieces.append(" ")
        at = tag.end()
        tag = _TAG.search(text, at)
    pieces.append(text[at:].replace("\n", " ") if is_html else text[at:])
    return "".join(pieces)


def _is_markup(tag: re.Match[str], text: str, ended: Collection[str]) -> bool:
    """Whether it is a tag of `text`, which has the end tags `ended`; `<S>` may be a company."""
    name, attributes = tag["name"].lower(), tag["attributes"] or ""
    if tag.group().startswith("</") or "=" in attributes:
        return True
    if not _SWITCHES.fullmatch(attributes):
        return False
    if not _ALONE.fullmatch(name):
        return name in ended
    before = text[max(tag.start() - 2, 0) : tag.start()]
    return name not in {"p", "dd"} or name in ended or not _WITHIN_SENTENCE.search(before)


def _without_comments(text: str) -> str:
    return _without(text, "<!--", "-->") if "<!--" in text else text


def _without(text: str, start: str, end: str) -> str:
    pieces, at = [], 0
    while (found := text.find(start, at)) >= 0:
        pieces.append(text[at:found])
        closed = text.find(end, found + len(start))
        if closed < 0:
            return "".join(pieces)
        at = closed + len(end)
    pieces.append(text[at:])
    return "".join(pieces)


def _without_dropped(text: str) -> str:
    """`text` without the elements whose content is no text; one that never ends goes to the end."""
    pieces, at = [], 0
    endless: set[str] = set()
    while found := _DROP.search(text, at):
        pieces.append(text[at : found.start()])
        name, at = found["name"].lower(), found.end()
        end = re.compile(rf"</{name}\s*>", re.IGNORECASE)
        closed = None if name in endless else end.search(text, at)
        if closed is not None:
            at = closed.end()
        elif name in {"script", "style"}:
            at = len(text)
        else:
            endless.add(name)
            at = text.find(">", at) + 1 or len(text)
            pieces.append(text[found.start() : at])  # may be no tag
    pieces.append(text[at:])
    return "".join(pieces)


def unwrapped(text: str) -> str:
    """`text` with each paragraph on one line, if its lines are those of a fixed width."""
    if "\n" not in text:
        return text
    found = text.replace("\r\n", "\n").split("\n")
    bare = [each.strip() for each in found]
    if not _is_wrapped(bare):
        return text
    width = max(map(len, bare))
    indents = [len(each) - len(each.lstrip(" \t\u3000")) for each in found]
    margin = min(indent for indent, each in zip(indents, bare, strict=True) if each)
    joined: list[str] = []
    before, least = "", margin
    for line, indent in zip(bare, indents, strict=True):
        if not before or not line or indent > least + 1 or _begins(before, line, width):
            joined.append(line)
        else:
            glue = "" if before[-1] == "-" or _is_wide(before[-1], line[0]) else " "
            joined[-1] += glue + line
        before, least = line, max(margin, indent)
    return "\n".join(joined)


def _begins(before: str, line: str, width: int) -> bool:
    """Whether `line` begins a paragraph after the line `before`, if it stands no further in."""
    if _has_columns(line) or _has_columns(before):
        return True
    return len(before) < _FULL * width and _ends_sentence(before)


def _ends_sentence(line: str) -> bool:
    return not line[-1].isalnum() and _SENTENCE_END.search(line[-8:]) is not None


def _has_columns(line: str) -> bool:
    return ("   " in line or "\t" in line) and _COLUMNS.search(line) is not None


def _is_wrapped(bare: list[str]) -> bool:
    """Whether lines, stripped, end in mid-sentence because the next word did not fit."""
    lengths = [len(each) for each in bare if each]
    if len(lengths) < 2 or not _SHORTEST <= (width := max(lengths)) <= _WIDEST:
        return False
    goes_on = pairs = 0
    for before, line in pairwise(bare):
        if not before or not line:
            continue
        pairs += 1
        if len(before) < width / 2 or _ends_sentence(before):
            continue
        first = line[0] if line[0].isalpha() else line.lstrip("\"'“‘(")[:1]
        if first.islower():
            goes_on += 1
        elif first.isalpha() and not first.isupper():
            goes_on += len(before) + 1 + len(line.split(maxsplit=1)[0]) > _TIGHT * width
    return goes_on > 0 and goes_on >= pairs / 4


def _is_wide(last: str, first: str) -> bool:
    """Whether both are of a script that sets no blanks between words."""
    return "\u2e80" <= last < "\uac00" and "\u2e80" <= first < "\uac00"
