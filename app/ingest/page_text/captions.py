"""Photo captions, separated from their credits.

In: the caption's lines as printed. Out: the caption without its credit, the credit without
brackets (`Photo Courtesy: ISPR`, `AFP`). A credit stands at the end of the caption: in
brackets if it names an agency, a photo, a courtesy or a capitalised source; bare (`AFP`,
`/AFP`, `— AFP`) only if it is a known agency that the sentence does not need, or a name that
`Photo:` or `Courtesy of` announces. Brackets that place a person (`left`, `2nd R`), that spell
the words before them (`Inter-Services Public Relations (ISPR)`), that name a country or that
say when are the caption's own.
"""

from __future__ import annotations

import re

from app.ingest.vocabulary import (
    AGENCIES,
    CREDIT_SIGNS,
    NEEDS_AGENCY,
    POSITIONS,
    REGIONS,
    SMALL_WORDS,
)

_AGENCY = "|".join(map(re.escape, AGENCIES))
_OFTEN = frozenset({"afp", "an", "ap", "spa"})  # spelled by chance: "an Army Parade (AP)"
_SPOKEN = frozenset(agency.casefold() for agency in AGENCIES)
_SPELLED_OUT = ("associated press", "agence france-presse", "saudi press agency")
_SIGN = re.compile("|".join(map(re.escape, CREDIT_SIGNS)) + rf"|\b(?:{_AGENCY})\b", re.IGNORECASE)
_WHEN = re.compile(
    r"\d+(?:st|nd|rd|th|s)?|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)\w*|ca?|circa"
)
_FILE = r"(?: ?/ ?[\w .'’-]{1,40}| (?i:photo|file|images?)s?)?"
_PHOTO = r"(?:(?i:file photo|file|photo) ?/ ?|(?:File photo|Photo) )?"
_BARE = re.compile(
    rf"(?:^|\s)(?P<mark>[/—–-]+ ?|\| ?)?(?P<credit>{_PHOTO}(?:{_AGENCY}){_FILE})\.?$"
)
_LABELLED = re.compile(
    r"(?:^|(?<=[.!?\"”’)]) )(?P<credit>(?:"
    r"(?i:photos?|pictures?|images?|credits?|courtesy|photos? (?:courtesy|credits?)) ?[:/-] ?"
    r"|(?i:photos?|pictures?|images?) (?i:by|courtesy(?: of)?|credits?) |(?i:courtesy of) )"
    r"(?P<name>(?:[A-Z@]|supplied|courtesy)[^.!?()]{0,59}))\.?$"
)
_SHOWN = re.compile(r"(?:file )?(?:photo|image|picture)s? (?:taken|of|shows?|dated)", re.IGNORECASE)
_COUNTED = re.compile(r"^(?:\[\d{1,2}[/ ]\d{1,2}\]|\d{1,2} of \d{1,2} ?[|-]|\d{1,2}/\d{1,2}\b) ?")
_LICENSED = re.compile(
    r" (?:purchase|acquire) licensing rights(?:,? opens new tab)?\.?$|, opens new tab$",
    re.IGNORECASE,
)
_ANNOUNCED = re.compile(
    r"(?:image|photo) (?:source|credit|copyright)[,:] ?(?P<credit>.{2,60})"
    r"|(?:image|photo) caption[,:] ?(?P<caption>.{5,300})"
    r"|(?P<before>.{10,300}?) ?credit(?:\.{3}|…|:) ?(?P<by>.{2,100})",
    re.IGNORECASE,
)
_TAIL = 200  # characters of the end in which a credit stands
_LONGEST = 100  # characters of a credit
_LONGEST_PHOTO = 500  # characters of a photo's line


def split(printed: list[str]) -> tuple[str | None, str | None]:
    """The caption that the lines make, without its credit, and the credit; None for nothing.

    Lines are joined by a space. Each line may end in its own credit (a gallery): different
    credits are joined by `; `.
    """
    texts: list[str] = []
    credited: list[str] = []
    printed = [_LICENSED.sub("", _COUNTED.sub("", line)) for line in printed]
    for number, line in enumerate(printed):
        goes_on = number + 1 < len(printed) and printed[number + 1][:1].islower()
        text, credit = (line, None) if goes_on else _announced(line) or _split(line)
        if text and text not in texts:  # printed again
            texts.append(text)
        if credit and credit not in credited:
            credited.append(credit)
    return " ".join(texts) or None, "; ".join(credited) or None


def is_photos(line: str) -> bool:
    """Whether `line`, one near a headline, can only be of a photo."""
    if len(line) > _LONGEST_PHOTO:
        return False
    if ends_in_credit(line) or _announced(line) is not None or _LICENSED.search(line):
        return True
    labelled = _LABELLED.search(line)
    return labelled is not None and _split(line)[1] is not None


def _announced(line: str) -> tuple[str, str | None] | None:
    """Caption and credit of a line that says which it is: `Image source, AFP`."""
    match = _ANNOUNCED.fullmatch(line)
    if match is None:
        return None
    return (match["caption"] or match["before"] or "").strip(), match["credit"] or match["by"]


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
    labelled = _LABELLED.search(tail)
    if labelled is not None and _is_named(labelled["name"]):
        return head + tail[: labelled.start()].rstrip(), labelled["credit"].strip()
    bare = _BARE.search(tail)
    if bare is not None and _stands_alone(head + tail[: bare.start()], bare):
        return head + tail[: bare.start()].rstrip(" ,"), bare["credit"].strip()
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
    if inside.upper() in REGIONS:  # a player's, a winner's
        return False
    if inside.casefold() in _SPOKEN:
        if inside.casefold() in _OFTEN:
            return not before.casefold().endswith(_SPELLED_OUT)
        return not _spells(inside, before)
    if _SIGN.search(inside):
        return len(words) <= 12 and not _SHOWN.match(inside)
    if set(spoken) & POSITIONS or _spells(inside, before):
        return False
    return len(words) <= 5 and _is_named(inside)


def _is_named(text: str) -> bool:
    """Whether `text` is capitalised words with none but small ones between them."""
    words = re.findall(r"[^\W_]+", text)
    return all(
        word[0].isupper() or word.casefold() in SMALL_WORDS or _SIGN.fullmatch(word)
        for word in words
    )


def _spells(inside: str, before: str) -> bool:
    """Whether `inside` abbreviates the words before it."""
    letters = "".join(char for char in inside if char.isalpha())
    if len(letters) < 2 or not letters[:2].isupper():
        return False
    words = re.findall(r"[^\W_]+", before[-120:])
    named = [word for word in words if word.casefold() not in SMALL_WORDS]
    named = [word for word in named if len(word) > 1 or word.isupper()]  # Tehreek-e-Insaf
    for kept in (words, named):
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
