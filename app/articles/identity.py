"""Identity: the keys that assign an input to an article, and the similarity of texts.

In: drafts. Out: their canonical address, and digests of their guids, address, third key and
text. All depends on the draft alone, so inputs may come in any order and repeatedly. Digests are
keyed with a secret of the store, so that those of an erased text reveal nothing. Nothing is stored
here; `save` chooses the article.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal, get_args
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
from w3lib.url import canonicalize_url, url_query_cleaner

from app.text import fold, fold_start

LEAD_WORDS = 8
"""Words of the body that distinguish stories with the same headline and day."""
TextField = Literal["headline", "summary", "body", "caption", "credit", "byline", "dateline"]
TEXT: tuple[TextField, ...] = get_args(TextField)
"""The fields whose text makes a version; the others may change without a new one."""
SINGLE = ("url", "third", "before")
"""The keys that have one owner, by their names in an export."""
ALIKE = 0.2
"""The share of the shorter text's runs of three words that makes two texts alike."""
TEASER_WORDS = 100

_PAGES = UUID("5f0c2f0e-6f0b-5d0e-9a57-0d6a3c1b7e42")
_TRACKING = re.compile(
    r"(utm_.*|at_.*|wt[._].*|gad_.*|ns_(mchannel|source|campaign|linkname|fee)|pk_(campaign|kwd)"
    r"|cmp|cmpid|smid|smtyp|xtor|ocid|ito|icid|intcid|fbclid|gclid|dclid|gbraid|wbraid|msclkid"
    r"|yclid|twclid|ttclid|mc_[ce]id|igshid|igsh|mkt_tok|ref_src|ref_url|guccounter"
    r"|guce_referrer(_sig)?|sr_share|s_cid|_ga|_gl|amp|outputtype)",
    re.IGNORECASE,
)
_AMP_HEAD = re.compile(r"^/amp(?=/)")
_AMP_TAIL = re.compile(r"\.amp(?=\.html$)|\.amp$|/amp/?$")
_HOST = re.compile(r"^(www\.|amp\.)+")
_CUT = re.compile(r"(…|\.\.\.|\[\+\d+ chars\])\W*$")
_WORLDWIDE = re.compile(
    r"[a-z][a-z0-9+.-]*:\S|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$", re.IGNORECASE
)


def canonical_url(url: str) -> str:
    """`url` with host and escapes normalised, without fragment and tracking parameters.

    >>> canonical_url("HTTPS://Example.org:443/a?utm_source=x&id=7&CMP=share&ref=12#top")
    'https://example.org/a?id=7&ref=12'
    """
    if "?" in url:
        pairs = (part.partition("=") for part in url.partition("?")[2].partition("#")[0].split("&"))
        tracking = [name for name, _, value in pairs if _is_tracking(name, value)]
        url = url_query_cleaner(url, tracking, remove=True, unique=False)
    canonical = str(canonicalize_url(url))
    for scheme, port in (("http", ":80/"), ("https", ":443/")):
        head, found, tail = canonical.partition(port)
        if found and head.startswith(f"{scheme}://") and "/" not in head[len(scheme) + 3 :]:
            canonical = f"{head}/{tail}"
    return canonical


def _is_tracking(name: str, value: str) -> bool:
    if name.lower() == "ref":  # a number is an article's, a word is where the reader came from
        return not value.isdigit()
    return _TRACKING.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def address(canonical: str) -> tuple[str, str] | None:
    """Host and path of a canonical URL, as far as they identify a page; None for a site's root.

    >>> address("http://www.example.org/amp/dam/") == address("https://example.org/dam")
    True
    >>> address("https://example.org/") is None
    True
    """
    parts = urlsplit(canonical)
    path = _AMP_TAIL.sub("", _AMP_HEAD.sub("", parts.path)).rstrip("/")
    if parts.query:
        path += f"?{parts.query}"
    return (_HOST.sub("", parts.netloc.rpartition("@")[2]), path) if path else None


def article_id(
    *, url: str | None, source: str | None, headline: str, body: str, guid: str | None = None
) -> UUID:
    """The id that a new article gets, unless another one has it.

    It is made of the canonical URL, else of source and guid, else of source, headline and lead
    words, so that the same files mostly give the same ids in another store.
    """
    lead = fold_start(body, LEAD_WORDS)
    return _article_id(url, guid, _folded(source or ""), fold(headline), lead)


def _article_id(url: str | None, guid: str | None, source: str, headline: str, lead: str) -> UUID:
    if url is not None:
        return uuid5(NAMESPACE_URL, url)
    words = ("guid", source, guid) if guid is not None else (source, headline, lead)
    return uuid5(_PAGES, "\n".join(words))


_folded = lru_cache(maxsize=1024)(fold)  # of sources, which are few


def next_id(first: UUID, n: int) -> UUID:
    """The `n`th choice of an id, from 2, if other articles have those before it."""
    return uuid5(first, str(n))


# --- keys


@dataclass(frozen=True, slots=True)
class Marks:
    """The keys of an input, as digests, and the flags that decide which keys count.

    `guids` are the guid within each publisher, `any_guid` is the guid regardless of publisher,
    `nobody` that of an input without a publisher. `third` is the key of an input with neither guid
    nor address. `before` is a digest of all keys and the text, equal for equal inputs only.
    """

    guids: tuple[bytes, ...]
    any_guid: bytes | None
    nobody: bytes | None
    url: bytes | None
    third: bytes
    text: bytes
    before: bytes
    id: UUID
    """The id that a new article would get, unless another one has it."""
    has_text: bool
    has_publisher: bool
    is_worldwide: bool

    def named(self) -> Iterator[tuple[str, bytes]]:
        """The keys by the names that they have in an export."""
        for number, key in enumerate(self.guids):
            yield f"guid{number}", key
        single = (self.url, self.third, self.before)
        for name, found in (("guid", self.any_guid), *zip(SINGLE, single, strict=True)):
            if found is not None:
                yield name, found

    @property
    def all(self) -> tuple[bytes, ...]:
        """Every key to look up in the store."""
        rest = (self.any_guid, self.nobody, self.url)
        return (*self.guids, *filter(None, rest), self.third, self.before)


class Marker:
    """Computes the keyed digests of one store."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def marks(self, fields: Mapping[str, Any]) -> Marks:
        """The keys of an input or a version, from its fields; `url` must be canonical."""
        guid, source, url = fields["guid"], fields["source"], fields["url"]
        is_kill = fields["status"] != "usable"
        has_text = bool(fields["headline"] or fields["summary"] or fields["body"])
        place = address(url) if url is not None else None
        host = _HOST.sub("", urlsplit(url).netloc) if url is not None else None
        publishers = [("source", _folded(source))] if source else []
        publishers += [("host", host)] if host else []
        is_worldwide = guid is not None and (not has_text or bool(_WORLDWIDE.match(guid)))
        guids: tuple[bytes, ...] = ()
        any_guid = nobody = None
        if guid is not None:
            named = publishers or ([("nobody", "")] if is_worldwide else [])
            guids = tuple(self._digest("guid", guid, *each) for each in named)
            any_guid, nobody = self._digest("guid", guid), self._digest("guid", guid, "nobody", "")
        url_key = self._digest("url", *place) if place else None
        headline, lead = fold(fields["headline"]), fold_start(fields["body"], LEAD_WORDS)
        third = self._third(fields, source, headline, lead)
        text = self._digest("text", is_kill, *(fields[name] for name in TEXT))
        before = self._digest(
            "before", is_kill, *(key.hex() for key in (*guids, url_key or b"", third, text))
        )
        return Marks(
            guids=guids,
            any_guid=any_guid,
            nobody=nobody,
            url=url_key,
            third=third,
            text=text,
            before=before,
            id=_article_id(url if place else None, guid, _folded(source or ""), headline, lead),
            has_text=has_text,
            has_publisher=bool(publishers),
            is_worldwide=is_worldwide,
        )

    def _third(
        self, fields: Mapping[str, Any], source: str | None, headline: str, lead: str
    ) -> bytes:
        """The key of source, headline, day and lead words; without a day, of the whole text."""
        at, summary = fields["published_at"], " ".join(fields["summary"])
        if at is None:
            text = [fold(fields["body"]), fold(summary)]
        else:
            text = [lead or fold(summary), str(at.date())]
        return self._digest("third", _folded(source or ""), headline, *text)

    def guid(self, guid: str, source: str | None) -> bytes:
        """The key of a guid within a source, or regardless of publisher."""
        within = () if source is None else ("source", _folded(source))
        return self._digest("guid", guid, *within)

    def sourceless(self, fields: Mapping[str, Any]) -> bytes:
        """The third key that an article would have without its source."""
        lead = fold_start(fields["body"], LEAD_WORDS)
        return self._third(fields, None, fold(fields["headline"]), lead)

    def url_key(self, canonical: str) -> bytes | None:
        """The key of an address; None for a site's root."""
        place = address(canonical)
        return self._digest("url", *place) if place else None

    def _digest(self, *parts: object) -> bytes:
        return blake2b(orjson.dumps(parts), key=self._secret, digest_size=16).digest()


# --- texts


def is_teaser(body: str) -> bool:
    """Whether a body is empty, or short and ends with a mark of truncation.

    >>> is_teaser("The board chose a new pilot …"), is_teaser("The board chose a pilot.")
    (True, False)
    """
    if body and not ("…" in body or "..." in body or " chars]" in body):  # the usual case
        return False
    return not body or (len(body.split()) < TEASER_WORDS and _CUT.search(body) is not None)


def prose(fields: Mapping[str, Any]) -> str:
    """The text to compare: the body, otherwise the summary."""
    return fields["body"] or " ".join(fields["summary"])


def alike(one: str, other: str) -> bool:
    """Whether two texts share a fifth of the shorter one's runs of three words.

    A text without words is like any.

    >>> alike("Engineers opened two gates", "Engineers opened two gates of the five at seven")
    True
    >>> alike("It rained in the north", "Oil prices fell on Monday")
    False
    """
    some, others = _runs(one), _runs(other)
    return not some or not others or len(some & others) >= ALIKE * min(len(some), len(others))


def _runs(text: str) -> set[tuple[str, ...]]:
    words: Sequence[str] = fold(text).split()
    return {tuple(words[n : n + 3]) for n in range(max(1, len(words) - 2)) if words}
