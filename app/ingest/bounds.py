"""Bounds of an article's fields, for all readers: plausible dates, longest texts and lists.

A date out of range is left out, with a warning that quotes it. A text or a list that is too long
rejects the article, because cut short it would be another one. The body is bounded by the readers'
own limits of an input.

    >>> implausible(datetime(1, 1, 1, tzinfo=UTC))
    'is before 1450'
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.ingest.draft import LISTS, Draft

FIRST_YEAR = 1450
"""There was no press before."""
AHEAD = timedelta(days=2)
"""How far a date may be ahead of this machine's clock, since other zones have tomorrow."""

HEADLINE_CHARS = 1_000
URL_CHARS = 2_048  # the most that a sitemap may name
TEXT_CHARS = 10_000
LIST_TEXTS = 200

_TEXTS = ("caption", "credit", "byline", "dateline", "source", "section", "usage_terms")
_LISTS = tuple(name for name in LISTS if name != "subjects")


def implausible(at: datetime, *, now: datetime | None = None) -> str | None:
    """Why an aware instant is no plausible date, to end a sentence; None if it is one."""
    if at.year < FIRST_YEAR:
        return f"is before {FIRST_YEAR}"
    if at > (now or datetime.now(UTC)) + AHEAD:
        return f"is over {AHEAD.days} days ahead"
    return None


def excess(draft: Draft) -> str | None:
    """The first field of a draft that is too long, with its limit; None if none is."""
    texts: list[tuple[str, str | None, int]] = [("headline", draft.headline, HEADLINE_CHARS)]
    texts += [("url", draft.url, URL_CHARS), ("guid", draft.guid, URL_CHARS)]
    texts += [(name, getattr(draft, name), TEXT_CHARS) for name in _TEXTS]
    for name in _LISTS:
        several = getattr(draft, name)
        if len(several) > LIST_TEXTS:
            return f"{name}: {len(several):,} texts, more than {LIST_TEXTS}"
        texts += [(name, each, TEXT_CHARS) for each in several]
    if len(draft.subjects) > LIST_TEXTS:
        return f"subjects: {len(draft.subjects):,}, more than {LIST_TEXTS}"
    for subject in draft.subjects:
        parts = (subject.scheme, subject.code, subject.name)
        texts += [("subjects", part, TEXT_CHARS) for part in parts]
    for name, text, most in texts:
        if text is not None and len(text) > most:
            return f"{name}: {len(text):,} characters, more than {most:,}"
    return None
