"""Writes the goldens anew: `python -m tests.ingest.regenerate`.

A golden is what a real page in `seeds/`, or an input of another format, must give. Read the
difference in review: it is right only where the input says so.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app import ingest
from app.ingest import Draft

ROOT = Path(__file__).parents[2]
SEEDS = sorted((ROOT / "seeds").glob("*.txt"))
GOLDENS = Path(__file__).parent / "goldens"
INPUTS = sorted((GOLDENS / "inputs").iterdir())


def golden(seed: Path) -> Path:
    """Where the golden of a seed stands."""
    return GOLDENS / f"{seed.stem}.json"


def read(seed: Path) -> list[dict[str, Any]]:
    """What the reader gives for a seed, as JSON values; paragraphs as a list."""
    found = []
    with seed.open("rb") as stream:
        for one in ingest.read(stream, f"{seed.parent.name}/{seed.name}"):
            fields = asdict(one)
            if isinstance(one, Draft):
                fields["body"] = one.body.split("\n\n")
                fields["published_at"] = one.published_at and one.published_at.isoformat()
            found.append(json.loads(json.dumps(fields)))
    return found


def main() -> None:
    """Write every golden."""
    for seed in [*SEEDS, *INPUTS]:
        text = json.dumps(read(seed), ensure_ascii=False, indent=2)
        golden(seed).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
