"""Suggestions: the words of a query and an index that completions and corrections need.

Takes trees, texts and an engine's counts, returns words. Knows no store.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import regex

from app import text
from app.errors import QueryError
from app.search import query
from app.search.engine import Engine
from app.search.query.tree import And, Boost, Phrase, Query, Within, Word, walk

_CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}ー]"
CJK_RUN = regex.compile(rf"{_CJK}+\Z")
"""The Chinese or Japanese characters at the end of a query."""
_END = r"\p{Han}{1,4}|\p{Hiragana}{1,4}|[\p{Katakana}ー]{1,10}"
_ENDING = re.compile(r"(?:ings?|ies|ied|ying|ed|es|e|y|(?<![su])s)$")
_DOUBLED = re.compile(r"(.)\1$")


def words(tree: Query) -> list[Word]:
    """The single words of a query, in order."""
    return [node for node in walk(tree) if isinstance(node, Word)]


def frequencies(
    engine: Engine, words: list[str], languages: list[str], *, exact: bool
) -> dict[str, int]:
    """The approximate document frequency of each word: a misspelling may share the right stem."""
    terms = {word: text.alternatives(word, languages, exact=exact)[0] for word in words}
    counts = engine.frequencies(term for found in terms.values() for term in found)
    return {word: sum(counts[term] for term in found) for word, found in terms.items()}


def inside(body: str, form: str) -> list[str]:
    """The spellings of a word in `body`, except at the start of a sentence."""
    return [
        body[token.start : token.end]
        for token in text.tokens(body)
        if token.form == form and body[: token.start].rstrip(" “\"'(")[-1:] not in "\n.!?:"
    ]


def context(before: str) -> list[Word]:
    """The words that every article found by `before` has; all its tokens if it does not parse."""
    try:
        waiting = [query.parse(before)] if before.strip() else []
    except QueryError:
        found = text.tokens(before)
        return [Word(text=before[t.start : t.end], token=t.text) for t in found]
    words: list[Word] = []
    while waiting:
        match waiting.pop(0):
            case Word() as word:
                words.append(word)
            case Phrase() as phrase:
                words += [
                    Word(text=token, token=text.stem(token) if phrase.exact else token)
                    for token in phrase.tokens
                    if "*" not in token
                ]
            case And(clauses=inner):
                waiting = [*inner, *waiting]
            case Within(node=inner) | Boost(node=inner):
                waiting.insert(0, inner)
    return words


def endings(run: str, texts: Iterable[str]) -> list[str]:
    """The continuations of a run of Chinese or Japanese characters in `texts`, commonest first.

    Nothing separates words there. What follows in one script counts as the rest of a word, as
    far as it is the same in all texts that begin it.
    """
    counts: Counter[str] = Counter()
    for each in texts:
        ends = regex.findall(f"{run}({_END})", each)
        counts.update({end[:length] for end in ends for length in range(1, len(end) + 1)})
    whole = [
        end
        for end, count in counts.items()
        if not any(longer.startswith(end) and counts[longer] == count and longer != end
                   for longer in counts)
    ]  # fmt: skip
    return sorted(whole, key=lambda end: (-counts[end], len(end), end))


def distinct(words: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """`words`, sorted by count and length, without inflections of another one.

    An inflection finds what the word itself finds. Equal stems alone would take `govern` for
    `government`, and `universe` for `university`.

    >>> distinct([("process", 9), ("processing", 9), ("govern", 5), ("government", 5)])
    [('process', 9), ('govern', 5), ('government', 5)]
    """
    first: dict[tuple[str, str], tuple[str, int]] = {}
    for word, count in words:
        bare = _DOUBLED.sub(r"\1", _ENDING.sub("", word))
        first.setdefault((text.stem(word), bare), (word, count))
    return list(first.values())
