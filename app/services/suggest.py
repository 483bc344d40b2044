"""Suggestions for a query: spelling corrections and completions.

Asks the engine for words and ids and the store for names and texts. No HTTP is known here and
nothing is written.
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
from app.search import query, suggest
from app.search.deadline import Deadline
from app.search.engine import Engine, Request
from app.search.query.tree import And, Near, Or, Prefix, Query, Within, Word
from app.services.search import MOST_LANGUAGES, search

_MOST_CORRECTED = 5  # words: each costs a look through all words of the index


def suggestion(
    session: Session, engine: Engine, q: str, tree: Query | None, *, timeout_s: float = math.inf
) -> str | None:
    """`q` with each unknown or rare word put right from the index's own words; or None.

    A word is put right by one of one edit, else of two, that stands beside its neighbours most
    often, else by the commonest. One that some articles hold is taken for a misspelling only
    beside a word that is one edit away and a hundred times as common, and never where the
    archive holds it in its own right; see `_is_at_home`. What is suggested finds something. None
    too where the time is up before all words were looked up.
    """
    deadline = Deadline(timeout_s)
    words = suggest.words(tree) if tree is not None else []
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
    known = suggest.frequencies(engine, [surface], languages, exact=False)[surface]
    distances: tuple[Literal[1, 2], ...] = (1,) if known or len(form) <= 5 else (1, 2)
    for distance in distances:
        near = engine.fuzzy_terms(form, distance, _NEAREST)
        others = [word for word, _ in near if text.stem(word) != token]
        counts = suggest.frequencies(engine, others, languages, exact=True)
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
    """Whether a rare word is one of its own, and no misspelling of the common `other`.

    It stands beside its neighbours in some article; or more than once in one of those that hold
    it, since few misspell a word twice; or it is a name, written large inside a sentence, which
    the other is not.
    """
    if _beside(session, engine, form, beside, deadline):
        return True
    words = [Word(text=each, token=each, exact=True) for each in (form, other)]
    names = []
    for word in words:
        asked = Request(query=word, limit=_SAMPLE, timeout_s=deadline.remaining_s)
        ids = [hit.id for hit in search(session, engine, asked).hits]
        read = list(articles.texts(session, ids).values())
        inside = [suggest.inside(each, word.token) for each in read]
        if word.token == form and any(len(surfaces) > 1 for surfaces in inside):
            return True
        surfaces = [surface for each in inside for surface in each]
        large = sum(surface[:1].isupper() for surface in surfaces)
        names.append(bool(surfaces) and 2 * large > len(surfaces))
    return names[0] and not names[1]


def _beside(
    session: Session, engine: Engine, form: str, beside: list[Word], deadline: Deadline
) -> int:
    """In how many articles a word stands near one of the others."""
    word = Word(text=form, token=text.stem(form))
    near: list[Query] = [Near((word, other), _NEAR) for other in beside]
    if not near or not deadline.in_time():
        return 0
    return _total(session, engine, Or(tuple(near)) if len(near) > 1 else near[0], deadline)


_NEAREST = 12  # words that are compared by their neighbours
_NEAR = 2  # words from a neighbour
_SAMPLE = 10  # articles in which it is looked how a word is written


CompletionKind = Literal["word", "person", "organization", "place", "source", "section", "headline"]


@dataclass(frozen=True, slots=True)
class Completion:
    """What a beginning may become."""

    text: str
    kind: CompletionKind
    count: Annotated[int, Field(description="Articles with it.")]
    id: Annotated[UUID | None, Field(description="Of the headline's article, or the entity.")]


def completions(session: Session, engine: Engine, beginning: str, limit: int) -> list[Completion]:
    """How `beginning` may go on: names, its last word, and headlines that hold all of it.

    A word is one of articles that hold the words before it, with their number.
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
    if run := suggest.CJK_RUN.search(beginning):
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
    """The last word of `beginning` as words of articles that hold those before it."""
    *_, last = text.tokens(beginning)
    before = beginning[: last.start]
    context = suggest.context(before)
    if context:
        timeout_s = deadline.remaining_s / 2
        words = engine.following(context, last.form, _FORMS * limit, timeout_s=timeout_s)
    else:
        words = engine.terms(last.form, _FORMS * limit)
    closed = '"' if before.count('"') % 2 else ""
    written = (f"{before}{word}{closed}" for word, _ in suggest.distinct(words)[: 2 * limit])
    return _found(session, engine, written, limit, deadline)


def _found(
    session: Session, engine: Engine, written: Iterable[str], limit: int, deadline: Deadline
) -> list[Completion]:
    """The texts that a search finds, with how much it finds."""
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
    """How a run of Chinese or Japanese characters goes on in the articles that hold it."""
    tree = query.parse(f'"{run}"')
    asked = Request(query=tree, limit=_READ, timeout_s=deadline.remaining_s)
    ids = [hit.id for hit in search(session, engine, asked).hits]
    stored, bodies = articles.some(session, ids), articles.texts(session, ids)
    read = (
        "\n".join((stored[id_].headline, *stored[id_].summary, bodies[id_]))
        for id_ in ids
        if id_ in stored
    )
    written = (beginning + end for end in suggest.endings(run, read))
    return _found(session, engine, written, limit, deadline)


_READ = 50  # articles whose texts are read for how a run goes on
_WORDS_TIMEOUT_S = 0.5
_HEADLINES_TIMEOUT_S = 0.25  # a letter or two stand for very many words
_FORMS = 5  # of one word, that are not listed one by one


def _mixed(found: list[Completion], headlines: list[Completion], limit: int) -> list[Completion]:
    """Half of each kind where both have enough; the same text once."""
    half = max(limit - len(headlines), limit - limit // 2)
    seen: dict[str, Completion] = {}
    for each in [*found[:half], *headlines]:
        seen.setdefault(text.fold(each.text), each)
    return list(seen.values())[:limit]
