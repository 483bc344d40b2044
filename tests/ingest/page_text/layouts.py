"""Pages of many layouts with the fields that a reader should take from each.

`layouts.toml` holds the pages. A check is a field that it names, or a text that the body starts
or ends with, has or lacks. `python -m tests.ingest.page_text.layouts` prints the share of right
checks and what was wrong in the pages that may be looked at; `--unseen` shows the others, too.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.ingest.draft import Draft
from tests.ingest.page_text.pages import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

PAGES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("layouts.toml").read_text(encoding="utf-8")
)["page"]


def checks(page: dict[str, Any]) -> Iterator[tuple[str, bool, object]]:
    """Each check of a page: what should hold, whether it does, and what was read instead."""
    found = [each for each in read(page["text"].lstrip("\n")) if isinstance(each, Draft)]
    draft = found[0] if len(found) == 1 else None
    body = draft.body if draft else ""
    for name, value in page.items():
        each = value if isinstance(value, list) else [value]
        if name == "none":
            for field in each:
                came = getattr(draft, field, "no article")
                yield f"{field} is None", came is None, came
        elif name in ("has", "lacks"):
            for text in each:
                holds = draft is not None and (text in body) == (name == "has")
                yield f"body {name} {text!r}", holds, body[:200]
        elif name in ("starts", "ends"):
            holds = body.startswith(value) if name == "starts" else body.endswith(value)
            yield f"body {name} with {value!r}", holds, body[:60] + " … " + body[-60:]
        elif name not in ("name", "text", "unseen"):
            came = _field(draft, name)
            yield f"{name} = {value!r}", came == value, came


def _field(draft: Draft | None, name: str) -> object:
    if draft is None:
        return "no article"
    if name == "published":
        return _instant(draft.published_at, is_day=draft.published_precision == "day")
    if name == "updated":
        at = draft.updated_at
        return _instant(at, is_day=at is not None and at.hour == at.minute == 0)
    value = getattr(draft, name)
    return list(value) if isinstance(value, tuple) else value


def _instant(at: datetime | None, *, is_day: bool) -> str | None:
    if at is None:
        return None
    return f"{at:%Y-%m-%d}" if is_day else f"{at:%Y-%m-%dT%H:%MZ}"


def right(pages: list[dict[str, Any]]) -> tuple[int, int]:
    """How many checks of `pages` hold, and how many there are."""
    holds = [holds for page in pages for _, holds, _ in checks(page)]
    return sum(holds), len(holds)


def shares() -> dict[str, tuple[int, int]]:
    """The right checks and all of them: of the pages seen, of those unseen, of both."""
    seen = [page for page in PAGES if not page.get("unseen")]
    unseen = [page for page in PAGES if page.get("unseen")]
    return {"seen": right(seen), "unseen": right(unseen), "all": right(PAGES)}


def main() -> None:
    """Print what is wrong, and the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unseen", action="store_true", help="show the unseen pages, too")
    shown = parser.parse_args().unseen
    for page in PAGES:
        if page.get("unseen") and not shown:
            continue
        wrong = [(told, came) for told, holds, came in checks(page) if not holds]
        for told, came in wrong:
            print(f"{page['name']}: {told}, came: {came!r}")
    for name, (holding, total) in shares().items():
        print(f"{name}: {holding} of {total}, {100 * holding / total:.1f} %")


if __name__ == "__main__":
    main()
