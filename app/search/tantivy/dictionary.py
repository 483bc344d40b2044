"""The term dictionary: words and names of the index with their counts, and what follows words.

Counts are of documents with a word of the same stem.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

from tantivy import Occur
from tantivy import Query as Tantivy

from app import text
from app.search import histogram
from app.search.query.tree import Prefix, Word, in_languages
from app.search.tantivy.queries import Translator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.search.deadline import Deadline
    from app.search.query.tree import Fuzzy
    from app.search.tantivy.snapshots import Snapshot

_RUN = 3  # words before a completion that count
_MOST_FOLLOWING = 200  # candidate forms, the commonest in all articles


def words(
    snapshot: Snapshot, leaf: Prefix | Fuzzy, limit: int, deadline: Deadline
) -> list[tuple[str, int]]:
    """The forms that match a prefix or a fuzzy word, commonest first."""
    forms = Translator(snapshot, deadline, "UTC").forms(leaf)
    counts = {form: _holding(snapshot, form) for form in forms}
    return histogram.top(counts, limit, tie=lambda form: (len(form), form))


def _holding(snapshot: Snapshot, form: str) -> int:
    """How many documents have a word of a form's stem, in any language."""
    key = "holding", form
    found: int | None = snapshot.spelt.get(key)
    if found is None:
        found = sum(
            snapshot.frequency("words", term)
            for terms in text.alternatives(form, snapshot.languages, exact=False)
            for term in terms
            if term[0] != "="
        )
        snapshot.spelt.put(key, found, 200)
    return found


def names(snapshot: Snapshot, field: str, prefix: str, limit: int) -> list[tuple[str, int]]:
    """The names in a field that begin with `prefix`, commonest first."""
    live = Tantivy.all_query()  # without it deleted documents count
    found = snapshot.terms(field, prefix, live)
    return histogram.top({name: count for name, count in found if count}, limit)


def following(
    snapshot: Snapshot, before: Sequence[Word], prefix: str, limit: int, deadline: Deadline
) -> list[tuple[str, int]]:
    """The forms with `prefix` in the documents with all words of `before`, with their counts.

    Those that most often follow the last words of `before` come first: a document counts a hundred
    times as much for each of these words that stand side by side before the form.
    """
    translator = Translator(snapshot, deadline, "UTC")
    counted, languages = snapshot.count_of, snapshot.languages
    known = [_in_languages(word, languages) for word in before]
    every = translator.all_of(known)
    there = set(snapshot.forms_from(prefix, every))
    holding: dict[str, int] = {}
    behind: Counter[str] = Counter()
    for form, _ in words(snapshot, Prefix(prefix), _MOST_FOLLOWING, deadline):
        if not deadline.in_time():
            break
        stem = _in_languages(Word(form, text.stem(form)), languages)
        holding[form] = counted(translator.all_of([*known, stem]))
        exact = _in_languages(Word(form, form, exact=True), languages)
        gained = 0
        for length in range(1, min(_RUN, len(known)) + 1):
            if form not in there:
                break
            behind_run = translator.side_by_side([*known[-length:], exact])
            among = [(Occur.Must, every), (Occur.Must, behind_run)]
            count = counted(Tantivy.boolean_query(among))
            behind[form] += count * (100**length - gained)
            gained = 100**length
            if not count:
                break
    found = [(form, count) for form, count in holding.items() if count]
    found.sort(key=lambda pair: (-behind[pair[0]], -pair[1], len(pair[0]), pair[0]))
    return found[:limit]


def _in_languages(word: Word, languages: Sequence[str]) -> Word:
    return cast("Word", in_languages(word, languages))
