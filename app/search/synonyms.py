r"""Query-time synonyms, from a file of ours and one of the operator's.

Expands a query's tree right before the engine runs it. The index has no synonyms, so a changed
file takes effect at once. Quoted text is not expanded. A file is UTF-8 with one rule a line;
`#` begins a comment:

    EU, European Union                 each term also matches the others
    NHS => National Health Service     the left term also matches the right one

A hyphen separates words as a space does. A word of a rule includes its inflections.

    >>> from app.search.query import parse
    >>> rules = read("lift, elevator\nNHS => health service", "mine.txt")
    >>> str(Synonyms(rules).widened(parse('NHS -snow "lift"')))
    '(NHS OR \\health\\ service) -snow "lift"'
    >>> Synonyms(rules).widened(parse("lifts")).tokens
    ('lift', 'elev')
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import regex

from app.errors import SynonymsUnusable
from app.search.query.terms import quoted, words
from app.search.query.tree import (
    And,
    Boost,
    Favoring,
    Near,
    Not,
    Or,
    Phrase,
    Query,
    Spelt,
    Within,
    Word,
)
from app.text import fold
from app.text.stems import FUNCTION_WORDS

MOST_RULES = 10_000
"""Most rules of a file."""
MOST_TERMS = 20
"""Most terms on a side of a rule."""
LONGEST_TERM = 5
"""Most words of a term."""
_CHARS = 1_000_000

Tokens = tuple[str, ...]


class Rule(NamedTuple):
    """Each of `terms` also matches each of `others`."""

    terms: tuple[str, ...]
    others: tuple[str, ...]


class _Entry(NamedTuple):
    """A folded term of a rule, and its synonyms."""

    form: str
    others: tuple[str, ...]


def load(path: Path | None) -> Synonyms:
    """The built-in spelling variants, and the rules of the file at `path`.

    Raises SynonymsUnusable, which names the file and the line.
    """
    if path is None:
        return _builtin()
    try:
        if path.stat().st_size > _CHARS:
            raise SynonymsUnusable(str(path), None, f"is larger than {_CHARS:,} bytes")
        own = read(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        raise SynonymsUnusable(str(path), None, error.strerror or "cannot be read") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SynonymsUnusable(str(path), line, "is not UTF-8") from error
    return Synonyms([*_spellings(), *own])


@cache
def _builtin() -> Synonyms:
    return Synonyms(_spellings())


@cache
def _spellings() -> Sequence[Rule]:
    builtin = (files("app.search") / "spellings.txt").read_text(encoding="utf-8")
    return read(builtin, "spellings.txt")


def read(text: str, name: str) -> list[Rule]:
    """The rules in `text`; errors name the file `name`. Raises SynonymsUnusable."""
    rules: list[Rule] = []
    for number, written in enumerate(text.splitlines(), 1):
        line = written.partition("#")[0].strip()
        if not line:
            continue
        if len(rules) == MOST_RULES:
            raise SynonymsUnusable(name, number, f"more than {MOST_RULES:,} rules")
        try:
            rules.append(_rule(line))
        except ValueError as error:
            raise SynonymsUnusable(name, number, str(error)) from error
    return rules


def _rule(line: str) -> Rule:
    """The rule of a line; raises ValueError with the reason."""
    sides = [_terms(side) for side in line.split("=>")]
    if len(sides) > 2:
        raise ValueError("has more than one =>")
    if len(sides) == 2:
        return Rule(*sides)
    if len(sides[0]) < 2:
        raise ValueError("has one term and nothing that it stands for")
    return Rule(sides[0], sides[0])


def _terms(side: str) -> tuple[str, ...]:
    terms = tuple(term.strip() for term in side.split(","))
    for term in terms:
        node = words(term, 0, 0)
        if node is None:
            raise ValueError(f"has a term without a letter or digit: {term[:60]!r}")
        if len(_tokens(node)) > LONGEST_TERM:
            raise ValueError(f"has a term of more than {LONGEST_TERM} words: {term[:60]!r}")
    if len(terms) > MOST_TERMS:
        raise ValueError(f"has more than {MOST_TERMS} terms")
    return terms


class Synonyms:
    """Synonyms of words and runs of words."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._entries: dict[Tokens, list[_Entry]] = {}
        self._longest = 1
        state = hashlib.blake2b(digest_size=8)
        for rule in rules:
            state.update(repr(rule).encode("utf-8", "surrogatepass"))
            for term in rule.terms:
                others = tuple(other for other in rule.others if fold(other) != fold(term))
                for form in _with_and_without_function_words(fold(term)) if others else ():
                    tokens = _tokens(words(form, 0, 0))
                    self._longest = max(self._longest, len(tokens))
                    self._entries.setdefault(tokens, []).append(_Entry(form, others))
        self.version = state.hexdigest()
        """Differs where the rules do."""

    def widened(self, tree: Query) -> Query:
        """`tree` with the synonyms of its words, except quoted ones."""
        match tree:
            case Word() | Phrase() if not tree.exact:
                return self._term(tree)
            case Phrase() if (other := _respaced(tree.text)) is not None:
                node = quoted(other, tree.start, tree.end, tree.slop)
                return tree if node is None else Or((tree, node), start=tree.start, end=tree.end)
            case Near():
                return replace(tree, clauses=tuple(map(self.widened, tree.clauses)))
            case And():
                return replace(tree, clauses=_distinct(self._clauses(tree)))
            case Or():
                found = (self.widened(clause) for clause in tree.clauses)
                flat = [
                    c for node in found for c in (node.clauses if isinstance(node, Or) else (node,))
                ]
                return replace(tree, clauses=_distinct([*flat, *self._beside(tree.clauses)]))
            case Within() | Boost() | Not() | Favoring():
                return replace(tree, node=self.widened(tree.node))
        return tree

    def _term(self, node: Word | Phrase) -> Query:
        """A word, or a word of several tokens such as `health-care`, with its synonyms."""
        others = self._others(_tokens(node), node.text)
        if isinstance(node, Phrase) and "-" in node.text and node.slop == 0:
            others.append(node.text.replace("-", ""))
        return _either(node, others)

    def _clauses(self, tree: And) -> Iterator[Query]:
        """The clauses of an And; a run that is a term also matches its synonyms."""
        at = 0
        while at < len(tree.clauses):
            for run in _runs(tree.clauses, at, self._longest):
                if others := self._of_run(run):
                    both = And(tuple(map(self.widened, run)), start=run[0].start, end=run[-1].end)
                    yield _either(both, others)
                    at += len(run)
                    break
            else:
                yield self.widened(tree.clauses[at])
                at += 1

    def _beside(self, clauses: Sequence[Query]) -> Iterator[Query]:
        """The synonyms of the runs of an Or's clauses."""
        for at in range(len(clauses)):
            for run in _runs(clauses, at, self._longest):
                yield from _nodes(self._of_run(run), run[0].start, run[-1].end)

    def _of_run(self, run: Sequence[Word]) -> list[str]:
        tokens = tuple(word.token for word in run)
        return self._others(tokens, " ".join(word.text for word in run))

    def _others(self, tokens: Tokens, text: str) -> list[str]:
        entries = self._entries.get(tokens)
        if entries is None:
            return []
        form = fold(text)
        return [o for each in entries if _is_form_of(form, each.form) for o in each.others]


def _respaced(text: str) -> str | None:
    """`text` with the initials of a name closed up, or spaced if they are closed; None without any.

    >>> _respaced("J. R. R. Tolkien"), _respaced("J.R.R. Tolkien"), _respaced("the U.S.")
    ('J.R.R. Tolkien', 'J. R. R. Tolkien', None)
    """
    found, space = (_APART, ".") if _APART.search(text) else (_TOGETHER, ". ")
    other: str = found.sub(space, text)
    return other if other != text else None


_APART = regex.compile(r"(?<=(?<!\p{L})\p{L})\.\s+(?=\p{L}\.)")
_TOGETHER = regex.compile(r"(?<=(?<!\p{L})\p{L})\.(?=(?:\p{L}\.)+\s*\p{Lu}\p{L})")


def _with_and_without_function_words(term: str) -> Iterable[str]:
    """A folded term, and the term without the function words of each language."""
    forms = {term: None}
    if " " not in term:
        return forms
    for function_words in FUNCTION_WORDS.values():
        content = [word for word in term.split() if word not in function_words]
        if len(content) > 1:
            forms[" ".join(content)] = None
    return forms


def _is_form_of(form: str, term: str) -> bool:
    """Whether `form` inflects `term`; equal stems alone would take `nation` for `nationalize`."""
    return form.startswith(term[: max(len(term) - 2, 1)])


def _runs(clauses: Sequence[Query], at: int, longest: int) -> Iterator[list[Word]]:
    """The runs of two or more bare words from clause `at` on, longest first."""
    run: list[Word] = []
    for clause in clauses[at : at + longest]:
        if not isinstance(clause, Word) or clause.exact:
            break
        run.append(clause)
    for length in range(len(run), 1, -1):
        yield run[:length]


def _nodes(others: Iterable[str], start: int, end: int) -> list[Word | Phrase]:
    """The nodes of the terms, each at the position of the original."""
    nodes = (words(other, 0, 0) for other in dict.fromkeys(others))
    return [replace(node, start=start, end=end) for node in nodes if node is not None]


def _either(node: Query, others: Sequence[str]) -> Query:
    """`node` or any of `others`; single words are scored as one word with several spellings."""
    nodes = _nodes(others, node.start, node.end)
    if isinstance(node, Word):
        spelt = {node.token: node}
        for each in nodes:
            if isinstance(each, Word):
                spelt.setdefault(each.token, each)
        if len(spelt) > 1:
            node = Spelt(tuple(spelt.values()), start=node.start, end=node.end)
        nodes = [each for each in nodes if isinstance(each, Phrase)]
    clauses = _distinct([node, *nodes])
    return Or(clauses, start=node.start, end=node.end) if len(clauses) > 1 else node


def _distinct(nodes: Iterable[Query]) -> tuple[Query, ...]:
    return tuple(dict.fromkeys(nodes))


def _tokens(node: Word | Phrase | None) -> Tokens:
    if node is None:
        return ()
    return (node.token,) if isinstance(node, Word) else node.tokens
