"""Identity: which inputs are the same article, and which of two versions is kept.

Both answers depend on the drafts alone, so that inputs may come in any order and any
number of times. Nothing is stored here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

from w3lib.url import canonicalize_url, url_query_cleaner

from app.text import fold

if TYPE_CHECKING:
    from datetime import datetime

LEAD_WORDS = 8
"""Words of the body that tell two stories of one headline apart; a revision keeps its lead."""

_PAGES = UUID("5f0c2f0e-6f0b-5d0e-9a57-0d6a3c1b7e42")
_TRACKING: tuple[str, ...] = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
)
_TRACKING += ("fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "cmpid")


def canonical_url(url: str) -> str:
    """`url` with host and escapes normalised, without fragment and tracking parameters.

    >>> canonical_url("HTTPS://Example.org:443/a?utm_source=x&id=7#top")
    'https://example.org/a?id=7'
    """
    cleaned = url_query_cleaner(url, _TRACKING, remove=True, unique=False)
    canonical = str(canonicalize_url(cleaned))
    for scheme, port in (("http", ":80/"), ("https", ":443/")):
        head, found, tail = canonical.partition(port)
        if found and head.startswith(f"{scheme}://") and "/" not in head[len(scheme) + 3 :]:
            canonical = f"{head}/{tail}"
    return canonical


def article_id(*, url: str | None, source: str | None, headline: str, body: str) -> UUID:
    """The id for life: of the canonical URL, or of source, headline and lead words, folded."""
    if url is not None:
        return uuid5(NAMESPACE_URL, url)
    lead = " ".join(fold(body[: 64 * LEAD_WORDS]).split()[:LEAD_WORDS])
    return uuid5(_PAGES, "\n".join((fold(source or ""), fold(headline), lead)))


def supersedes(
    new: tuple[datetime | None, int], old: tuple[datetime | None, int], *, same_input: bool
) -> bool:
    """Whether a version of (published_at, word_count) replaces another one that differs.

    The newest date wins, and any date wins over none. Of one date the fuller version wins,
    unless both were read from one place of one input: then the input was corrected.
    """
    new_at, old_at = new[0], old[0]
    if new_at != old_at:
        return old_at is None or (new_at is not None and new_at > old_at)
    return same_input or new[1] >= old[1]
