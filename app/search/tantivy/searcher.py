"""The searcher: one search over a snapshot. It sorts, pages and counts the hits.

The order is exact, with ids to break ties: more rows are read until no other can come before them.
Pages after the first are read from the generation that the PageKey names. tantivy cannot be
interrupted, so a search that is likely to take long runs in slices of the articles, and the
deadline is checked between them.
"""

from __future__ import annotations

import math
import time
import uuid
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tantivy import Occur, Order
from tantivy import Query as Tantivy

from app.search import histogram, ranking
from app.search.collapse import collapsed, hit_of
from app.search.deadline import Deadline
from app.search.engine import DAY_US, Found, PageKey, Request
from app.search.query.tree import in_languages, ranks
from app.search.tantivy import schema
from app.search.tantivy.queries import Translator
from app.search.tantivy.schema import SKETCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tantivy import DocAddress

    from app.filters import Filters
    from app.search.engine import Bucket, Sort, Unit
    from app.search.tantivy.snapshots import Snapshot

_MORE = 20  # extra rows that are read, for ties
_GROWTH = 4
_ROW_BYTES = 200
_SHARE = 0.25  # of the remaining time: the longest expected search without slices
_MOST_SLICES = 32
_MOST_VALUES = 65_000  # tantivy counts no more values of a field in a segment
_HALVES = 2**64
_SINCE_1980_US = 315_532_800_000_000  # clocks differ by quarters of an hour since
_QUARTER_US = 900_000_000
_EPOCH_DAY = 719_163  # 1970-01-01 as an ordinal


@dataclass(frozen=True, slots=True)
class Row:
    """A hit: its score, its id, its date (None without one)."""

    score: float
    id: bytes
    published: int | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """The first rows of a result in order; `total` of all, `members` by id of a row."""

    rows: list[Row]
    total: int
    members: Mapping[bytes, Sequence[bytes]]

    @property
    def is_whole(self) -> bool:
        """Whether there are no more rows."""
        return len(self.rows) == self.total


@dataclass(frozen=True, slots=True)
class PageRows:
    """The rows of a page, whether there are more, and the number of all."""

    rows: list[Row]
    more: bool
    total: int
    members: Mapping[bytes, Sequence[bytes]] = field(default_factory=dict)


def snapshot_of(request: Request) -> tuple[str, int]:
    """The name of the generation for a page, and the newest day for `recent`.

    The name is empty for a first page. Raises ValueError for a snapshot of another engine.
    """
    if request.after is None or not request.after.snapshot:
        return "", 0
    name, _, newest = request.after.snapshot.partition("_")
    directory, _, number = name.partition(".")
    if not (directory.isalnum() and directory.isascii() and _is_number(number, newest)):
        raise ValueError(name)
    return name, int(newest)


def _is_number(*texts: str) -> bool:
    return all(each.isascii() and each.isdigit() and len(each) < 19 for each in texts)


def search(snapshot: Snapshot, request: Request, deadline: Deadline, newest_day: int) -> Found:
    """The answer to `request`, incomplete if the deadline passes."""
    return Search(snapshot, request, deadline, newest_day).found()


def entries(snapshot: Snapshot, first: int, end: int) -> Iterator[tuple[uuid.UUID, int]]:
    """Id and change of the articles whose id has its high half in the interval."""
    query = Translator(snapshot, Deadline(math.inf), "UTC").between("high", first, end)
    _, hits = snapshot.search(query, snapshot.count_of(query))
    addresses = [address for _, address in hits]
    values = [snapshot.column(name, addresses) for name in ("high", "low", "change")]
    for high, low, change in zip(*values, strict=True):
        yield uuid.UUID(bytes=schema.id_bytes(high, low)), change


class Search:
    """A search while it is made."""

    def __init__(
        self, snapshot: Snapshot, request: Request, deadline: Deadline, newest_day: int
    ) -> None:
        chosen = dict(request.filters.named).get("language")
        if request.query is not None:
            languages = (chosen and chosen.wanted) or snapshot.languages
            request = replace(request, query=in_languages(request.query, languages))
        self._snapshot = snapshot
        self._request = request
        self._deadline = deadline
        self._scored = ranks(request.query)
        self._translator = Translator(snapshot, deadline, request.filters.time_zone)
        self._query = self._translator.search(request.query, request.filters)
        self._slices = self._sliced()
        self._newest = newest_day
        if request.recent and self._scored and not newest_day:
            self._newest = self._newest_day()

    def _sliced(self) -> list[Tantivy | None]:
        cost_s, left_s = self._translator.cost_s, self._deadline.remaining_s * _SHARE
        if cost_s <= left_s:
            return [None]
        count = min(_MOST_SLICES, math.ceil(cost_s / max(left_s, 0.01)) + 1)
        bounds = [number * _HALVES // count for number in range(count)]
        return [
            self._translator.between("high", first, end)
            for first, end in zip(bounds, [*bounds[1:], None], strict=True)
        ]

    def found(self) -> Found:
        """The answer."""
        request = self._request
        page = self._page()
        stamp = self._snapshot.stamp
        return Found(
            hits=[hit_of(row.id, row.score, page.members) for row in page.rows],
            total=page.total,
            after=self._key(page.rows[-1]) if page.more and page.rows else None,
            cursor=stamp.cursor,
            store_id=stamp.store_id,
            history=stamp.history,
            facets={name: self._facet(name) for name in request.facets},
            histogram=self._histogram(),
            complete=not self._deadline.late,
        )

    @property
    def _sort(self) -> Sort:
        return self._request.sort

    def _key(self, row: Row) -> PageKey:
        value = row.score if self._sort == "relevance" else row.published
        needs = self._scored or self._request.collapse
        snapshot = f"{self._snapshot.name}_{self._newest}" if needs else ""
        return PageKey((value,), uuid.UUID(bytes=row.id), snapshot)

    # --- rows

    def _page(self) -> PageRows:
        limit, after = self._request.limit, self._request.after
        if self._request.collapse:
            ranked = self._kept("collapsed", lambda: self._collapsed(self._query))
        elif self._scored:
            ranked = self._ranked()
        else:
            total, _ = self._top(self._query, 1)
            if self._sort == "relevance":
                rows = self._next_by_id(self._query, after.id if after else None, limit + 1)
            else:
                rows = self._next_by_date(after, limit + 1)
            return PageRows(rows[:limit], len(rows) > limit, total)
        first = 0 if after is None else _place(ranked.rows, after, self._sort)
        rows = ranked.rows[first : first + limit]
        return PageRows(rows, first + limit < ranked.total, ranked.total, ranked.members)

    def _ranked(self) -> Ranked:
        """The first rows of a scored search, at least to the end of the page.

        Rows for later pages are cached.
        """
        limit, after = self._request.limit, self._request.after
        if after is None:
            return self._best(limit + 1)
        ranked = self._kept("best", lambda: self._best(_GROWTH * (limit + 1)))
        while not ranked.is_whole and not self._deadline.late:
            if _place(ranked.rows, after, self._sort) + limit < len(ranked.rows):
                break
            ranked = self._kept("best", partial(self._best, _GROWTH * len(ranked.rows)), anew=True)
        return ranked

    def _kept(self, kind: str, made: Callable[[], Ranked], *, anew: bool = False) -> Ranked:
        """Rows from the snapshot's cache, otherwise computed and cached."""
        request = self._request
        query = (kind, request.query, str(request.query), request.filters, request.sort)
        key = (*query, request.recent, self._newest)
        found: Ranked | None = None if anew else self._snapshot.ranked.get(key)
        if found is None:
            found = made()
            if not self._deadline.late:
                self._snapshot.ranked.put(key, found, _ROW_BYTES * (1 + len(found.rows)))
        return found

    def _best(self, needed: int) -> Ranked:
        """At least the first `needed` rows of a scored search, all if there are no more."""
        if self._sort != "relevance":
            return self._scored_by_date(needed)
        limit = needed + _MORE
        while True:
            total, hits = self._top(self._query, limit)
            scores = [_rounded(score) for score, _ in hits]
            rows = self._rows([address for _, address in hits], scores)
            if self._request.recent:
                rows = [self._recent(row) for row in rows]
            if len(hits) < total and not self._deadline.late:
                # Hits that were not read score at most as much as the last one that was.
                least = _rounded(scores[-1] * (2 if self._request.recent else 1))
                rows = [row for row in rows if row.score > least]
            if len(rows) >= min(needed, total) or self._deadline.late:
                rows.sort(key=_order(self._sort))
                return Ranked(rows, total, {})
            limit = min(limit * _GROWTH, total)

    def _recent(self, row: Row) -> Row:
        if row.published is None:
            return row
        boost = ranking.recency(row.published, self._newest * DAY_US)
        return replace(row, score=_rounded(row.score * boost))

    def _newest_day(self) -> int:
        """The newest day, at most today: an article may be dated in the future."""
        everything = Tantivy.all_query()
        _, found = self._snapshot.search(everything, 1, order_by_field="published")
        newest = found[0][0] if found else None
        return int(max(1.0, min(newest or 0, time.time() * 1e6) // DAY_US))

    def _top(self, query: Tantivy, limit: int, **order: Any) -> tuple[int, list[Any]]:
        """The number of hits, and the first `limit` with their score or ordered value."""
        total, found = 0, list[Any]()
        for part in self._slices:
            if not self._deadline.in_time():
                break
            count, hits = self._snapshot.search(_also(query, part), limit, **order)
            total += count
            found += hits
        if len(self._slices) > 1:
            descending = order.get("order", Order.Desc) == Order.Desc
            known = [hit for hit in found if hit[0] is not None]
            known.sort(key=itemgetter(0), reverse=descending)
            found = [*known, *(hit for hit in found if hit[0] is None)]
        return total, found[:limit]

    def _rows(self, addresses: list[DocAddress], scores: Sequence[float]) -> list[Row]:
        high, low, published = (
            self._snapshot.column(name, addresses) for name in ("high", "low", "published")
        )
        return [
            Row(score, schema.id_bytes(*halves), at)
            for score, at, *halves in zip(scores, published, high, low, strict=True)
        ]

    # --- orders that need no score

    def _next_by_id(self, query: Tantivy, after: uuid.UUID | None, needed: int) -> list[Row]:
        """The first `needed` rows after an id, by descending ids for newest."""
        down = self._sort == "newest"
        order = Order.Desc if down else Order.Asc
        if after is not None:
            high, low = schema.key_of(after)
            between = self._translator.between
            same = between("high", high, high + 1)
            if down:
                halves = [_also(same, between("low", None, low)), between("high", None, high)]
            else:
                halves = [
                    _also(same, between("low", low + 1, None)),
                    between("high", high + 1, None),
                ]
            query = _also(query, Tantivy.boolean_query([(Occur.Should, each) for each in halves]))
        limit = needed
        while True:
            total, hits = self._top(query, limit, order_by_field="high", order=order)
            rows = self._rows([address for _, address in hits], [0.0] * len(hits))
            if len(hits) < total and not self._deadline.late and len(hits) >= limit:
                last = rows[-1].id[:8]
                rows = [row for row in rows if row.id[:8] != last] if len(rows) > 1 else []
            if len(rows) >= min(needed, total) or self._deadline.late:
                return sorted(rows, key=lambda row: row.id, reverse=down)[:needed]
            limit = limit * _GROWTH + 1

    def _next_by_date(self, after: PageKey | None, needed: int) -> list[Row]:
        """The first `needed` rows by date, after a key or from the start."""
        rows: list[Row] = []
        between = self._translator.between
        down = self._sort == "newest"
        dated: Tantivy | None = self._query
        if after is not None:
            (at,) = after.values
            rows = self._next_by_id(self._on(self._query, at), after.id, needed)
            if at is None:
                dated = None
            elif down:
                dated = _also(self._query, between("published", None, at))
            else:
                dated = _also(self._query, between("published", at + 1, None))
        if dated is not None and len(rows) < needed:
            dated = _also(dated, self._has("dated"))
            order = Order.Desc if down else Order.Asc
            _, hits = self._top(dated, needed, order_by_field="published", order=order)
            if hits:  # of the last date they may not be the first ones by id
                last = hits[-1][0]
                before = [address for at, address in hits if at != last]
                whole = self._rows(before, [0.0] * len(before))
                rows += sorted(whole, key=_order(self._sort))
                rows += self._next_by_id(self._on(self._query, last), None, needed)
        if len(rows) < needed and (after is None or after.values[0] is not None):
            rows += self._next_by_id(self._on(self._query, None), None, needed)
        return rows[:needed]

    def _on(self, query: Tantivy, at: int | None) -> Tantivy:
        """The hits of one date, or (None) the undated ones."""
        if at is None:
            return _also(query, self._has("undated"))
        return _also(query, self._translator.between("published", at, at + 1))

    def _has(self, flag: str) -> Tantivy:
        found = Tantivy.term_query(self._snapshot.schema, "has", flag, "basic")
        return Tantivy.const_score_query(found, 0.0)

    def _scored_by_date(self, needed: int) -> Ranked:
        total, _ = self._top(self._query, 1)
        rows = self._next_by_date(None, min(needed, total))
        scores: dict[bytes, float] = {}
        if rows:
            own = Tantivy.term_set_query(self._snapshot.schema, "id", [r.id.hex() for r in rows])
            own = Tantivy.const_score_query(own, 0.0)
            _, hits = self._top(_also(self._query, own), len(rows))
            listed = self._rows([address for _, address in hits], [score for score, _ in hits])
            scores = {row.id: _rounded(row.score) for row in listed}
        scored = [replace(row, score=scores.get(row.id, 0.0)) for row in rows]
        if self._request.recent:
            scored = [self._recent(row) for row in scored]
        return Ranked(scored, total, {})

    # --- near-duplicates

    def _collapsed(self, query: Tantivy) -> Ranked:
        """All rows but those that are near-duplicates of an earlier one."""
        total, _ = self._top(query, 1)
        _, hits = self._top(query, max(total, 1))
        addresses = [address for _, address in hits]
        rows = self._rows(addresses, [_rounded(score) for score, _ in hits])
        if self._request.recent:
            rows = [self._recent(row) for row in rows]
        parts = [self._snapshot.column(name, addresses) for name in SKETCH]
        sketches = map(schema.sketch_of, zip(*parts, strict=True))
        known = dict(zip((row.id for row in rows), sketches, strict=True))
        rows.sort(key=_order(self._sort))
        kept, members = collapsed([(row.id, known[row.id]) for row in rows], self._deadline)
        return Ranked([rows[place] for place in kept], len(kept), members)

    # --- counts

    def _counted(self, filters: Filters) -> Tantivy:
        """The query whose hits are counted, with other filters than the request's."""
        same = filters == self._request.filters
        query = self._query
        if not same:
            query = self._translator.search(self._request.query, filters)
        if not self._request.collapse:
            return query
        whole = partial(self._collapsed, query)
        rows = (self._kept("collapsed", whole) if same else whole()).rows
        if not rows:
            return Tantivy.empty_query()
        ids = [row.id.hex() for row in rows]
        return Tantivy.term_set_query(self._snapshot.schema, "id", ids)

    def _facet(self, name: str) -> list[tuple[str, int]]:
        """The commonest values of the hits without the filter on `name`, ties by name."""
        query = self._counted(self._request.filters.without(name))
        return histogram.top(self._values(query, name), self._request.facet_limit)

    def _values(self, query: Tantivy, field: str) -> Counter[Any]:
        """How many hits have each value of a field."""
        counts: Counter[Any] = Counter()
        terms = {"field": field, "size": _MOST_VALUES, "segment_size": _MOST_VALUES}
        for part in self._slices:
            if not self._deadline.in_time():
                break
            made = self._snapshot.aggregate(_also(query, part), {"values": {"terms": terms}})
            for bucket in made["values"]["buckets"]:
                counts[bucket["key"]] += bucket["doc_count"]
        return counts

    def _histogram(self) -> list[Bucket]:
        request = self._request
        if request.histogram is None:
            return []
        counts = self._periods(self._counted(request.filters), request.histogram)
        coverage = None
        if request.coverage:
            everything = self._translator.search(None, request.filters)
            coverage = self._periods(everything, request.histogram)
        bounds = histogram.bounds(request.filters, request.histogram)
        zone = request.filters.time_zone
        return histogram.histogram(counts, request.histogram, coverage, bounds, zone)

    def _periods(self, query: Tantivy, unit: Unit) -> Counter[int]:
        """How many hits were published in each hour or day, see `histogram.period`."""
        zone = ZoneInfo(self._request.filters.time_zone)
        if unit != "hour" and zone.key == "UTC":
            days = self._values(query, "day")
            return Counter({_EPOCH_DAY + day: count for day, count in days.items()})
        counts: Counter[int] = Counter()
        if unit != "hour":
            days = self._values(_also(query, Tantivy.exists_query("whole_day")), "day")
            counts = Counter({_EPOCH_DAY + day: count for day, count in days.items()})
            query = _also(query, Tantivy.exists_query("instant"))
        known: dict[int, int] = {}
        for at in self._dates(query):
            # Midnight alone is a day; other instants of a quarter of an hour share their period.
            quarter = at - at % _QUARTER_US + (at % DAY_US != 0) if at >= _SINCE_1980_US else at
            period = known.get(quarter)
            if period is None:
                period = known[quarter] = histogram.period(quarter, unit, zone)
            counts[period] += 1
        return counts

    def _dates(self, query: Tantivy) -> list[int]:
        """The dates of all hits that have one."""
        total, _ = self._top(query, 1)
        _, hits = self._top(query, max(total, 1))
        found = self._snapshot.column("published", [address for _, address in hits])
        return [at for at in found if at is not None]


def _also(query: Tantivy, other: Tantivy | None) -> Tantivy:
    return (
        query
        if other is None
        else Tantivy.boolean_query(
            [(Occur.Must, query), (Occur.Must, Tantivy.const_score_query(other, 0.0))]
        )
    )


def _rounded(score: float) -> float:
    """A score without the noise of adding in another order: equal articles tie."""
    return float(f"{score:.5g}")


def _order(sort: Sort) -> Callable[[Row], tuple[Any, ...]]:
    """The key by which rows are sorted; ids break ties, larger first for newest."""
    if sort == "relevance":
        return lambda row: (-row.score, row.id)
    if sort == "oldest":
        return lambda row: (row.published is None, row.published or 0, row.id)
    return lambda row: (
        row.published is None,
        -(row.published or 0),
        -int.from_bytes(row.id, "big"),
    )


def _place(rows: Sequence[Row], after: PageKey, sort: Sort) -> int:
    """The place behind the row of a key, which need not be there."""
    (value,) = after.values
    score = value if sort == "relevance" else 0.0
    row = Row(score, after.id.bytes, None if sort == "relevance" else value)
    return bisect_right(rows, _order(sort)(row), key=_order(sort))
