"""Stemming: a word's form and its index terms, by the language of its text.

Snowball's stemmers, after rules for affixes and clitics: elided articles, endings after an
apostrophe, Arabic and Hebrew prefixes, Korean particles. A word in another script than that of the
language is analysed as English.

    >>> analysed("l'Élysée", "fr")[:2], analysed("서울에서", "ko")[:2]
    (('elysee', 'fr:elys'), ('서울', 'ko:서울'))
"""

from __future__ import annotations

import threading
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import regex
import Stemmer

from app.text.folding import folded, joined

_LISTS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
FUNCTION_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split()) for language, words in _LISTS["function_words"].items()
}
"""Words that a question need not match, folded, by ISO 639-1 code; other languages have none."""
IRREGULAR: dict[str, str] = {
    form: word
    for word, *forms in (line.split() for line in _LISTS["irregular"].split(";"))
    for form in forms
}
"""English form -> word."""
CAPITALS = {"US": "u.s.", "WHO": "w.h.o."}
"""Names that would be other words without their capitals, and their terms."""


class _Stemmers(threading.local):
    """Snowball's stemmers by algorithm; they are not thread-safe, so each thread has its own."""

    def __init__(self) -> None:
        self.by_algorithm: dict[str, Callable[[str], str]] = {}


_stemmers = _Stemmers()


def _snowball(algorithm: str) -> Callable[[str], str]:
    """A Snowball stemmer that is safe to share between threads."""

    def stem(word: str) -> str:
        known = _stemmers.by_algorithm
        if algorithm not in known:  # without its cache: terms are cached above it
            known[algorithm] = Stemmer.Stemmer(algorithm, 0).stemWord
        return known[algorithm](word)

    return stem


_stem = _snowball("english")
_POSSESSIVE = regex.compile(r"(?<=\w)'s?\Z")
_ENGLISH = FUNCTION_WORDS["en"]


@dataclass(frozen=True)
class Language:
    """The analysis of a language.

    `bare` removes clitics from a lower-case word, `stem` its ending; `more` gives further terms.
    `accented` is whether people omit accents when they type.
    """

    script: str = "Latin"
    snowball: str | None = None
    bare: Callable[[str], str] = str
    stem: Callable[[str], str] | None = None
    more: Callable[[str], Iterator[str]] = lambda _: iter(())
    accented: bool = True
    lower: Callable[[str], str] = str.lower

    @cached_property
    def own(self) -> regex.Pattern[str]:
        """Matches a word in the script of the language."""
        return regex.compile(rf"\P{{N}}*(?!\p{{N}})\p{{{self.script}}}")

    @cached_property
    def stemmer(self) -> Callable[[str], str]:
        """The function that removes the ending of a word."""
        if self.stem is not None:
            return self.stem
        return _snowball(self.snowball) if self.snowball else str


def analysed(word: str, language: str | None) -> tuple[str, str, tuple[str, ...]]:
    """The form of a word, its index term, and further index terms."""
    spec = LANGUAGES.get(language or "")
    if spec is None or not spec.own.match(word):
        form = folded(word)
        if "." in form and not form[0].isdigit():
            joint = joined(form)
            form = joint if joint not in _ENGLISH else ".".join(joint) + "."
        elif "'" in form:
            form = _POSSESSIVE.sub("", form)
        others = (CAPITALS[word],) if word in CAPITALS else ()
        return form, (_stem(IRREGULAR.get(form, form)) if form.isascii() else form), others
    if "." in word:
        form = joined(folded(word))
        return form, f"{language}:{form}", ()
    lower = spec.lower(unicodedata.normalize("NFKC", _INVISIBLE.sub("", word)))
    bare = spec.bare(lower.replace("’", "'").replace("ʼ", "'")) or lower
    term = folded(spec.stemmer(bare))
    more = dict.fromkeys(folded(each) for each in spec.more(bare))
    more.pop(term, None)
    return folded(bare), f"{language}:{term}", tuple(f"{language}:{each}" for each in more)


_INVISIBLE = regex.compile(r"[\u00ad\u200c\u200d\u2060\u0640\u064b-\u0652\u0591-\u05c7]")


def _without(pattern: str) -> Callable[[str], str]:
    found = regex.compile(pattern, regex.VERBOSE)
    return lambda word: found.sub("", word, count=1)


_ROMANCE = _without(r"\A(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?=\w\w)")
_ITALIAN = _without(
    r"\A(?:[cdlmnstv]|un|gl|(?:d|n|s|qu)ell|[ds]all|dall|all|coll|dell|sull)'(?=\w\w)"
)
_CATALAN = _without(r"\A[dlmnst]'(?=\w\w) | (?<=\w\w)'(?:n|ns|ls|l|m|t|s|hi|ho)\Z")
_APOSTROPHE = _without(r"(?<=\w\w)'\w+\Z")


# --- Turkish: Snowball removes parts of roots (`bakan`, `seçim`)

_TURKISH = regex.compile(
    r"""(?<=\w{3})(?:
      l[ae]r(?:[ıi](?:n(?:d[ae]n?|[ıiae]|[ıi]n)?)?|d[ae]n?|[ıi]n|[ae])?
    | [sn]?[ıiuü]n(?:d[ae]n?|[ıiuü]n?|[ae]) | n?[ıiuü]n | [dt][ae]n? | [sy][ıiuü] | y[ae] | yl[ae]
    )\Z""",
    regex.VERBOSE,
)


def _turkish(word: str) -> str:
    word = _TURKISH.sub("", word, count=1)
    if len(word) > 4 and word[-1] in "ıiuüae":
        word = word[:-1]
    return word[:-1] + "k" if word[-1] == "ğ" else word


def _turkish_lower(word: str) -> str:
    return word.replace("I", "ı").replace("İ", "i").lower()


# --- Arabic and Hebrew: articles, prepositions and pronouns that are written with a word

_arabic_stem = _snowball("arabic")
_ARTICLE = regex.compile(r"\A(?:[وف]?[بك]?ال|[وف]?لل)(?=\w{2})")
_PRONOUN = regex.compile(r"(?<=\w{3})(?:ه|ها|هم|هما|هن|نا|كم)\Z")
_CLITIC = regex.compile(r"\A(?:[وف][بلك]?|[بلك])(?=\w{4})")


def _arabic(word: str) -> str:
    if word[-1:] == "ه":  # as ة is often typed
        word = word[:-1] + "ة"
    # With an article the stemmer takes each word for a noun, and `وزير` keeps its first letter.
    return _arabic_stem("ال" + word)


def _arabic_more(word: str) -> Iterator[str]:
    for shorter in (_PRONOUN.sub("", word), _CLITIC.sub("", word)):
        if shorter != word:
            yield _arabic(shorter.replace("ت", "ة") if shorter[-1:] == "ت" else shorter)
    if _CLITIC.match(word) and _PRONOUN.search(word):
        yield _arabic(_PRONOUN.sub("", _CLITIC.sub("", word)))


_HEBREW = (
    regex.compile(r"\Aו?[בלמשכ]?ה(?=\w{3})"),
    regex.compile(r"\A(?:ו[בלמשכ]?|[בלמשכ])(?=\w{4})"),
)


def _hebrew_more(word: str) -> Iterator[str]:
    for prefix in _HEBREW:
        yield prefix.sub("", word)


# --- German: the last part of a compound, where news is full of it

_german_stem = _snowball("german")
_HEADS = {_german_stem(head) for head in _LISTS["german_heads"].split()}
_OFFICE = regex.compile(r"\A(?:bundes|landes|vize|ex|haupt|sonder|spitzen|gross)(?=\w{6})")
_PARTICLES = frozenset(_LISTS["german_particles"].split())


def _german_more(word: str) -> Iterator[str]:
    """The last part of a compound: `Wahl` of `Bundestagswahl`, not of `Auswahl`."""
    stem = _german_stem(word)
    whole = _OFFICE.sub("", stem)
    if whole != stem:
        yield whole
    for length in range(3, len(stem) - 3):
        if stem[-length:] in _HEADS and stem[:-length] not in _PARTICLES:
            yield stem[-length:]


_spanish_stem = _snowball("spanish")


def _spanish_more(word: str) -> Iterator[str]:
    """The singular of short words, whose ending the stemmer leaves (`urnas`)."""
    if word[-1:] == "s" and _spanish_stem(word) == word:
        yield _spanish_stem(word[:-1])


# --- Korean: particles after a noun, which depend on its last syllable

_PARTICLE = {
    **dict.fromkeys(_LISTS["korean_closed"].split(), True),
    **dict.fromkeys(_LISTS["korean_open"].split(), False),
    **dict.fromkeys(_LISTS["korean_any"].split()),
}
_LONGEST_PARTICLE = max(map(len, _PARTICLE))


def _korean(word: str) -> str:
    for length in range(min(_LONGEST_PARTICLE, len(word) - 2), 0, -1):
        if word[-length:] in _PARTICLE:
            closed = _PARTICLE[word[-length:]]
            final = (ord(word[-length - 1]) - 0xAC00) % 28
            if closed is None or closed == bool(final) or (final == 8 and word[-length] == "로"):
                return word[:-length]
    return word


# --- Persian: Snowball knows its plurals

_persian_stem = _snowball("persian")


_PERSIAN_LETTERS = str.maketrans("يك", "یک")


LANGUAGES: dict[str, Language] = {
    **{
        code: Language(snowball=stemmer)
        for code, _, stemmer in (pair.partition("/") for pair in _LISTS["snowball"].split())
    },
    "es": Language(snowball="spanish", more=_spanish_more),
    "id": Language(snowball="indonesian", accented=False),
    "ca": Language(snowball="catalan", bare=_CATALAN),
    "fr": Language(snowball="french", bare=_ROMANCE),
    "it": Language(snowball="italian", bare=_ITALIAN),
    "de": Language(snowball="german", more=_german_more),
    "tr": Language(bare=_APOSTROPHE, stem=_turkish, lower=_turkish_lower),
    "ru": Language("Cyrillic", snowball="russian", bare=lambda word: word.replace("ё", "е")),
    "sr": Language("Cyrillic", snowball="serbian"),
    "el": Language("Greek", snowball="greek"),
    "hy": Language("Armenian", snowball="armenian"),
    "hi": Language("Devanagari", snowball="hindi"),
    "ne": Language("Devanagari", snowball="nepali"),
    "ta": Language("Tamil", snowball="tamil"),
    "ar": Language(
        "Arabic", bare=lambda word: _ARTICLE.sub("", word), stem=_arabic, more=_arabic_more
    ),
    "fa": Language("Arabic", stem=lambda word: _persian_stem(word.translate(_PERSIAN_LETTERS))),
    "he": Language("Hebrew", more=_hebrew_more),
    "ko": Language("Hangul", bare=_korean),
}
"""Languages with an analysis of their own; all others use the English one."""
