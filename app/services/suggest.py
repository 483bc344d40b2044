"""Suggestions for a query: corrections ("did you mean") and completions.

Words and ids come from the engine, names and texts from the store. Knows no HTTP and writes
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from app import text
from app.articles import read as articles
from app.entities import read as entities
from app.errors import QueryError
from app.search import query, suggestion_words
from app.search.deadline import Deadline
from app.search.engine import Engine, Request
from app.search.query.tree import And, Near, Or, Prefix, Query, Within, Word
from app.services.search import MOST_LANGUAGES, search

_MOST_CORRECTED = 5  # words: each costs a scan of the index's vocabulary


def suggestion(
    session: Session, engine: Engine, q: str, tree: Query | None, *, timeout_s: float = math.inf
) -> str | None:
    """`q` with its unknown or rare words corrected to words of the index; None without a change.

    A correction is one edit away, otherwise two; the one that occurs most often near the word's
    neighbours is taken, then the commonest. A word of the index is corrected only to one that is
    one edit away and over a hundred times as common, and not if `_is_at_home`. A suggestion has
    hits. None too if the time limit passes or `q` has more than _MOST_CORRECTED words.
    """
    deadline = Deadline(timeout_s)
    words = suggestion_words.words(tree) if tree is not None else []
    if len(words) > _MOST_CORRECTED:
        return None
    corrected = q
    languages = [language for language, _ in engine.terms("", MOST_LANGUAGES, field="language")]
    for number in range(len(words) - 1, -1, -1):
        if not deadline.in_time():
            return None
        leaf = words[number]
        beside = [words[at] for at in (number - 1, number + 1) if 0 <= at < len(words)]
        surface = q[leaf.start : leaf.end]
        better = _better(session, engine, surface, beside, languages, deadline)
        if better is not None:
            corrected = corrected[: leaf.start] + better + corrected[leaf.end :]
    return corrected if corrected != q and _finds(session, engine, corrected, deadline) else None


def _finds(session: Session, engine: Engine, q: str, deadline: Deadline) -> bool:
    try:
        tree = query.parse(q)
    except QueryError:  # it was plain words
        tree = query.parse(q, match="any")
    return bool(_total(session, engine, tree, deadline))


def _total(session: Session, engine: Engine, tree: Query, deadline: Deadline) -> int:
    return search(
        session, engine, Request(query=tree, limit=1, timeout_s=deadline.remaining_s)
    ).total


def _better(
    session: Session,
    engine: Engine,
    surface: str,
    beside: list[Word],
    languages: list[str],
    deadline: Deadline,
) -> str | None:
    found = list(text.tokens(surface))
    if len(found) != 1 or len(found[0].form) < 4 or not found[0].form.isalpha():
        return None
    form, token = found[0].form, found[0].text
    known = suggestion_words.frequencies(engine, [surface], languages, exact=False)[surface]
    distances: tuple[Literal[1, 2], ...] = (1,) if known or len(form) <= 5 else (1, 2)
    for distance in distances:
        near = engine.fuzzy_terms(form, distance, _NEAREST)
        others = [word for word, _ in near if text.stem(word) != token]
        counts = suggestion_words.frequencies(engine, others, languages, exact=True)
        likely = [word for word, count in counts.items() if count > 100 * known]
        if likely:
            if known and _is_at_home(session, engine, form, likely[0], beside, deadline):
                return None
            together = {word: _beside(session, engine, word, beside, deadline) for word in likely}
            word = max(likely, key=lambda each: (together[each], counts[each]))
            return surface[: found[0].start] + word + surface[found[0].end :]
    return None


def _is_at_home(
    session: Session, engine: Engine, form: str, other: str, beside: list[Word], deadline: Deadline
) -> bool:
    """Whether a rare word is spelled as meant, and not a misspelling of the common `other`.

    It is if it occurs near its neighbours in some article, or repeatedly in one article, or if it
    is mostly capitalized inside sentences, like a name, and `other` is not.
    """
    if _beside(session, engine, form, beside, deadline):
        return True
    words = [Word(text=each, token=each, exact=True) for each in (form, other)]
    names = []
    for word in words:
        asked = Request(query=word, limit=_SAMPLE, timeout_s=deadline.remaining_s)
        ids = [hit.id for hit in search(session, engine, asked).hits]
        read = list(articles.texts(session, ids).values())
        inside = [suggestion_words.inside(each, word.token) for each in read]
        if word.token == form and any(len(surfaces) > 1 for surfaces in inside):
            return True
        surfaces = [surface for each in inside for surface in each]
        large = sum(surface[:1].isupper() for surface in surfaces)
        names.append(bool(surfaces) and 2 * large > len(surfaces))
    return names[0] and not names[1]


def _beside(
    session: Session, engine: Engine, form: str, beside: list[Word], deadline: Deadline
) -> int:
    """The number of articles in which a word occurs near one of the others."""
    word = Word(text=form, token=text.stem(form))
    near: list[Query] = [Near((word, other), _NEAR) for other in beside]
    if not near or not deadline.in_time():
        return 0
    return _total(session, engine, Or(tuple(near)) if len(near) > 1 else near[0], deadline)


_NEAREST = 12  # candidates for a correction
_NEAR = 2  # slop, in words, to a neighbour
_SAMPLE = 10  # articles that are read for the capitalization of a word


CompletionKind = Literal["word", "person", "organization", "place", "source", "section", "headline"]


@dataclass(frozen=True, slots=True)
class Completion:
    """What a beginning may become."""

    text: str
    kind: CompletionKind
    count: Annotated[int, Field(description="Articles with it.")]
    id: Annotated[UUID | None, Field(description="Of the headline's article, or the entity.")]


def completions(session: Session, engine: Engine, beginning: str, limit: int) -> list[Completion]:
    """Completions of `beginning`: names, words for its last one, and headlines with all of it.

    A word occurs in articles with the words before it; its count is the number of these.
    """
    forms = [token.form for token in text.tokens(beginning)]
    if not forms:
        return []
    folded = text.fold(beginning)
    known: Any = entities.beginning(session, folded, limit)
    found = [Completion(name, type_, count, id_) for id_, type_, name, count in known]
    for name in ("place", "source", "section"):
        named = engine.terms(folded, limit, field=name)
        labels = articles.labels(session, name, [key for key, _ in named])
        kind: Any = name
        found += [Completion(labels.get(key, key), kind, count, None) for key, count in named]
    found.sort(key=lambda each: -each.count)
    deadline = Deadline(_WORDS_TIMEOUT_S)
    if run := suggestion_words.CJK_RUN.search(beginning):
        found += _going_on(session, engine, beginning, run[0], limit, deadline)
    else:
        found += _words_behind(session, engine, beginning, limit, deadline)
    leaves: list[Query] = [Word(text=f, token=text.stem(f)) for f in forms[:-1]]
    leaves.append(Prefix(prefix=forms[-1]))
    tree = And(clauses=tuple(leaves)) if len(leaves) > 1 else leaves[0]
    within = Within(field="headline", node=tree)
    in_headlines = Request(query=within, limit=limit, timeout_s=_HEADLINES_TIMEOUT_S)
    hits = search(session, engine, in_headlines).hits
    stored = articles.some(session, [hit.id for hit in hits])
    headlines = [
        Completion(stored[hit.id].headline, "headline", 1, hit.id)
        for hit in hits
        if hit.id in stored
    ]
    return _mixed(found, headlines, limit)


def _words_behind(
    session: Session, engine: Engine, beginning: str, limit: int, deadline: Deadline
) -> list[Completion]:
    """Completions of the last word of `beginning`, from articles with the words before it."""
    *_, last = text.tokens(beginning)
    before = beginning[: last.start]
    context = suggestion_words.context(before)
    if context:
        timeout_s = deadline.remaining_s / 2
        words = engine.following(context, last.form, _FORMS * limit, timeout_s=timeout_s)
    else:
        words = engine.terms(last.form, _FORMS * limit)
    closed = '"' if before.count('"') % 2 else ""
    written = (
        f"{before}{word}{closed}" for word, _ in suggestion_words.distinct(words)[: 2 * limit]
    )
    return _found(session, engine, written, limit, deadline)


def _found(
    session: Session, engine: Engine, written: Iterable[str], limit: int, deadline: Deadline
) -> list[Completion]:
    """The first `limit` texts that have hits as queries, with their totals."""
    found: list[Completion] = []
    for each in written:
        if len(found) == limit or not deadline.in_time():
            break
        try:
            tree = query.parse(each)
        except QueryError:  # what is typed so far is wrong
            continue
        asked = Request(query=tree, question=each, limit=1, timeout_s=deadline.remaining_s)
        answer = search(session, engine, asked)
        if answer.total and answer.complete:
            found.append(Completion(each, "word", answer.total, None))
    return found


def _going_on(
    session: Session, engine: Engine, beginning: str, run: str, limit: int, deadline: Deadline
) -> list[Completion]:
    """Completions of a run of Chinese or Japanese characters, from the articles with it."""
    tree = query.parse(f'"{run}"')
    asked = Request(query=tree, limit=_READ, timeout_s=deadline.remaining_s)
    ids = [hit.id for hit in search(session, engine, asked).hits]
    stored, bodies = articles.some(session, ids), articles.texts(session, ids)
    read = (
        "\n".join((stored[id_].headline, *stored[id_].summary, bodies[id_]))
        for id_ in ids
        if id_ in stored
    )
    written = (beginning + end for end in suggestion_words.endings(run, read))
    return _found(session, engine, written, limit, deadline)


_READ = 50  # articles that are read for completions of a run
_WORDS_TIMEOUT_S = 0.5
_HEADLINES_TIMEOUT_S = 0.25  # a prefix of one or two letters matches very many words
_FORMS = 5  # terms read per completion: the forms of one word are listed once


def _mixed(found: list[Completion], headlines: list[Completion], limit: int) -> list[Completion]:
    """Half of `limit` from each list if both have enough; the same text once."""
    half = max(limit - len(headlines), limit - limit // 2)
    seen: dict[str, Completion] = {}
    for each in [*found[:half], *headlines]:
        seen.setdefault(text.fold(each.text), each)
    return list(seen.values())[:limit]
