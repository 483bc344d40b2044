"""Where a photo caption ends and its credit begins.

In: the caption's lines as printed. Out: the caption without its credit, the credit without
brackets (`Photo Courtesy: ISPR`, `AFP`). A credit stands at the end of the caption: in
brackets if it names an agency, a photo, a courtesy or a capitalised source; bare (`AFP`,
`/AFP`, `— AFP`) only if it is a known agency that the sentence does not need. Brackets that
place a person (`left`, `2nd R`), that spell the words before them (`Inter-Services Public
Relations (ISPR)`) or that say when are the caption's own.
"""

from __future__ import annotations

import re

from app.ingest.vocabulary import AGENCIES, CREDIT_SIGNS, NEEDS_AGENCY, POSITIONS, SMALL_WORDS

_AGENCY = "|".join(map(re.escape, AGENCIES))
_SPOKEN = frozenset(agency.casefold() for agency in AGENCIES)
_SPELLED_OUT = ("associated press", "agence france-presse", "saudi press agency")
_SIGN = re.compile("|".join(map(re.escape, CREDIT_SIGNS)) + rf"|\b(?:{_AGENCY})\b", re.IGNORECASE)
_WHEN = re.compile(
    r"\d+(?:st|nd|rd|th|s)?|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)\w*|ca?|circa"
)
_FILE = r"(?: ?/ ?[\w .'’-]{1,40}| (?i:photo|file|images?)s?)?"
_BARE = re.compile(rf"(?:^|\s)(?P<mark>[/—–-]+ ?|\| ?)?(?P<credit>(?:{_AGENCY}){_FILE})\.?$")
_LABELLED = re.compile(
    r"(?:^|(?<=[.!?\"”’)]) )(?P<credit>(?i:photos?|pictures?|images?|credits?)"
    r"(?: (?i:courtesy|credits?|by|of))*(?: ?[:/-] ?| )(?=[A-Z@])[^.!?()]{1,60})\.?$"
)
_SHOWN = re.compile(r"(?:file )?(?:photo|image|picture)s? (?:taken|of|shows?|dated)", re.IGNORECASE)
_TAIL = 200  # characters of the end in which a credit stands
_LONGEST = 100  # characters of a credit


def split(printed: list[str]) -> tuple[str | None, str | None]:
    """The caption that the lines make, without its credit, and the credit; None for nothing.

    Lines are joined by a space. Each line may end in its own credit (a gallery): different
    credits are joined by `; `.
    """
    texts: list[str] = []
    credited: list[str] = []
    for number, line in enumerate(printed):
        goes_on = number + 1 < len(printed) and printed[number + 1][:1].islower()
        text, credit = (line, None) if goes_on else _split(line)
        if text:
            texts.append(text)
        if credit and credit not in credited:
            credited.append(credit)
    return " ".join(texts) or None, "; ".join(credited) or None


def ends_in_credit(line: str) -> bool:
    """Whether `line` reads as a caption because a bracketed credit closes it."""
    return line.endswith((")", "]")) and _split(line)[1] is not None


def _split(line: str) -> tuple[str, str | None]:
    tail = line[-_TAIL:]
    head = line[: len(line) - len(tail)]
    text = tail.rstrip(" .") if tail.rstrip(" .").endswith((")", "]")) else tail
    if text.endswith((")", "]")):
        opening = _opening(text)
        if opening is not None:
            before, inside = text[:opening].rstrip(), text[opening + 1 : -1].strip()
            if inside.removesuffix(".").casefold() in _SPOKEN:
                inside = inside.removesuffix(".")
            if _is_credit(inside, before):
                if tail.endswith(".") and before and before[-1].isalnum():
                    before += "."
                return head + before, inside
    elif (opening := tail.rfind("(")) > tail.rfind(")") and _SIGN.search(tail[opening:][:_LONGEST]):
        inside = tail[opening + 1 :].strip()
        if len(inside) <= 40 and _is_credit(inside, ""):
            return head + tail[:opening].rstrip(), inside
    for pattern in (_BARE, _LABELLED):
        match = pattern.search(tail)
        if match and (pattern is _LABELLED or _stands_alone(head + tail[: match.start()], match)):
            return head + tail[: match.start()].rstrip(), match["credit"].strip()
    return line, None


def _opening(text: str) -> int | None:
    """Where the bracket that the last character closes was opened."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] in ")]") - (text[at] in "([")
        if depth == 0:
            return at
    return None


def _is_credit(inside: str, before: str) -> bool:
    words = re.findall(r"[^\W_]+", inside)
    spoken = [word.casefold() for word in words]
    if len(inside) > _LONGEST or all(map(_WHEN.fullmatch, spoken)):
        return False
    if all(word in POSITIONS | SMALL_WORDS or word.isdigit() for word in spoken):
        return False
    if inside.casefold() in _SPOKEN:
        if len(inside) < 4:  # too short to tell from chance: "an Army Parade (AP)"
            return not before.casefold().endswith(_SPELLED_OUT)
        return not _spells(inside, before)
    if _SIGN.search(inside):
        return len(words) <= 12 and not _SHOWN.match(inside)
    if set(spoken) & POSITIONS or _spells(inside, before):
        return False
    return len(words) <= 5 and all(
        word[0].isupper() or word.casefold() in SMALL_WORDS for word in words
    )


def _spells(inside: str, before: str) -> bool:
    """Whether `inside` abbreviates the words before it."""
    letters = "".join(char for char in inside if char.isalpha())
    if len(letters) < 2 or not letters[:2].isupper():
        return False
    words = re.findall(r"[^\W_]+", before[-120:])
    for kept in (words, [word for word in words if word.casefold() not in SMALL_WORDS]):
        initials = "".join(
            word[0].upper() if word[0].isupper() or word in SMALL_WORDS else " " for word in kept
        )
        if initials.endswith(letters) or (len(letters) > 3 and initials.endswith(letters[:-1])):
            return True
    return False


def _stands_alone(before: str, match: re.Match[str]) -> bool:
    if not before or match["mark"] or before[-1] in '.!?"”’)':
        return True
    return before.rsplit(None, 1)[-1].strip(
        "“”\"'‘’,"
    ).casefold() not in NEEDS_AGENCY and not match.group().endswith(".")
