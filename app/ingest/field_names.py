"""Names that common sources use for the fields of an article, and for languages.

Data only, `field_names.toml`. Names are compared by `folded`; a dot reaches into an object.

    >>> folded(" Published At"), folded("published_at")
    ('publishedat', 'publishedat')
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

_LISTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_FOLDED = re.compile(r"[\s_\-:]+")


def folded(name: str) -> str:
    """A member's name, normalized for comparison."""
    return _FOLDED.sub("", name.strip().strip("\ufeff\"'").casefold())


FIELDS: dict[str, tuple[str, ...]] = {
    field: tuple(names.split()) for field, names in _LISTS["fields"].items()
}
"""The names of each field, the likeliest first."""
DERIVED = frozenset(_LISTS["derived"].split())
PASSED_OVER = frozenset(_LISTS["passed_over"].split())
KNOWN = frozenset(name for names in FIELDS.values() for name in names)
TEXTS = frozenset(FIELDS["body"]) | {"headline"}
"""Names that only an article has, and no list of them."""
LANGUAGES: dict[str, str] = {
    name: code for code, names in _LISTS["languages"].items() for name in names.split()
}
"""ISO 639-1 codes of three-letter codes and English names."""
