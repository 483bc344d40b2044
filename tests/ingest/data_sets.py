"""`python -m tests.ingest.data_sets`: what `load` makes of public data sets, as rows of a table.

Loads each set as it is, by one command and without a map of names, into an archive of its own in
a temporary folder, and counts: records read, articles stored, records that were the same or a
version of another, records rejected with their reasons, and the share of the articles that
have each field. The sets are for research only and stay outside, in `../shared/data` or where
BROADSHEET_DATA_SETS says; one that is not there is left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.ingest.draft import FIELDS

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("BROADSHEET_DATA_SETS") or ROOT.parent / "shared/data")
SETS = {
    "Reuters-21578": "news/reuters21578.jsonl.gz",
    "Cranfield": "ir/cranfield/docs.jsonl",
    "Medline": "ir/medline/docs.jsonl",
    "LISA": "ir/lisa/docs.jsonl",
}
HEADER = (
    "| data set | records | articles | same | versions | rejected | fields filled, % of articles"
    " | fields with a warning, % |\n|---|---|---|---|---|---|---|---|"
)
_SHOWN = [name for name in FIELDS if name not in {"published_precision", "warnings"}]
_TAKEN = ("saved", "unchanged", "revised", "stale", "withheld", "removed", "rejected_total")


@dataclass(frozen=True)
class Loaded:
    """What became of a file: counts, rejected records by reason, articles by field."""

    records: int
    articles: int
    same: int
    versions: int
    rejected: Counter[str]
    filled: dict[str, int]
    warned: dict[str, int]

    def row(self, name: str) -> str:
        """A row of the table."""
        reasons = [f"{count:,}: {why}" for why, count in sorted(self.rejected.items())]
        counts = (self.records, self.articles, self.same, self.versions)
        cells = [name, *(f"{each:,}" for each in counts), "; ".join(reasons) or "0"]
        cells += [self._shares(self.filled), self._shares(self.warned)]
        return f"| {' | '.join(cells)} |"

    def _shares(self, fields: dict[str, int]) -> str:
        shares = [f"`{name}` {_percent(n, self.articles)}" for name, n in fields.items() if n]
        return ", ".join(shares) or "none"


def load(path: Path) -> Loaded:
    """What one `load` of a file makes of it."""
    with tempfile.TemporaryDirectory() as folder:
        told: dict[str, Any] = json.loads(_broadsheet(folder, "load", "--json", str(path)))
        lines = _broadsheet(folder, "export").splitlines()
    articles = [json.loads(line) for line in lines]
    listed = len(told["rejected"])
    if listed != told["rejected_total"]:
        raise SystemExit(f"{path}: {told['rejected_total']} rejected, of which {listed} are told")
    return Loaded(
        records=sum(told[each] for each in _TAKEN),
        articles=len(articles),
        same=told["unchanged"],
        versions=told["revised"] + told["stale"],
        rejected=Counter(each["reason"] for each in told["rejected"]),
        filled={name: sum(bool(article[name]) for article in articles) for name in _SHOWN},
        warned={
            name: sum(
                any(each.startswith(f"{name}: ") for each in article["warnings"])
                for article in articles
            )
            for name in _SHOWN
        },
    )


def _percent(part: int, whole: int) -> str:
    if part == whole:
        return "100"
    return "<1" if part * 100 < whole else str(min(round(100 * part / whole), 99))


def _broadsheet(folder: str, *arguments: str) -> str:
    settings = {"BROADSHEET_DATA_DIR": folder, "BROADSHEET_EXTRACTOR": "none"}
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env={**os.environ, **settings},
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode not in (0, 3):  # 3: some records were rejected
        raise SystemExit(done.stderr.decode())
    return done.stdout.decode()


def main() -> None:
    """Print the table."""
    print(HEADER)
    for name, path in SETS.items():
        if (FOLDER / path).is_file():
            print(load(FOLDER / path).row(name), flush=True)


if __name__ == "__main__":
    main()
