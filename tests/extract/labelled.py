"""Articles with the entities that a reader would list, and how near an extractor comes.

The measure: for each article the distinct pairs of type and name, the name folded; right
ones, missed ones and surplus ones are counted over all articles, and F1 is made of the sums.
`python -m tests.extract.labelled` prints it, what was wrong, and with `--steps` the gain of
each step of `app.extract.pipeline`. `sport.toml` holds our own reports of sport and markets; what
is wrong in the unseen ones is never printed, so that no rule is made for them. The articles of
`wire.toml` are those of the benchmark's news data, which stays outside: without it they are left
out.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from app import ingest
from app.extract import Resolving, open_extractor, pipeline
from app.extract.base import Failure, Text
from app.text import fold
from tests.bench import corpus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.extract.base import Extractor, Mention

HERE = Path(__file__).parent
SEEDS = HERE.parents[1] / "seeds"

Names = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Labelled:
    """An article and the entities in it."""

    text: Text
    names: Names


@dataclass(frozen=True)
class Score:
    """Right, missed and surplus names."""

    right: int
    missed: int
    surplus: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, of 100."""
        return 200 * self.right / (2 * self.right + self.missed + self.surplus)


def _names(row: dict[str, list[str]]) -> Names:
    return frozenset(
        (type_, fold(name)) for type_ in ("person", "organization", "place") for name in row[type_]
    )


def invented() -> list[Labelled]:
    """Our own articles."""
    return [_labelled(row) for row in _rows("articles.toml")]


def sport() -> dict[str, list[Labelled]]:
    """Our own reports of sport and markets: those seen, those unseen."""
    found: dict[str, list[Labelled]] = {"sport seen": [], "sport unseen": []}
    for row in _rows("sport.toml"):
        found["sport unseen" if row.get("unseen") else "sport seen"].append(_labelled(row))
    return found


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((HERE / name).read_text(encoding="utf-8"))["article"]
    return rows


def _labelled(row: dict[str, Any]) -> Labelled:
    return Labelled(
        Text(
            headline=row["headline"],
            summary=tuple(row.get("summary", ())),
            caption=row.get("caption"),
            dateline=row.get("dateline"),
            body=row["body"].strip(),
        ),
        _names(row),
    )


def seeds() -> list[Labelled]:
    """The articles of the seed pages."""
    by_headline = {row["headline"]: row for row in _rows("seeds.toml")}
    found = []
    for path in sorted(SEEDS.iterdir()):
        with path.open("rb") as stream:
            drafts = [d for d in ingest.read(stream, path.name) if isinstance(d, ingest.Draft)]
        for draft in drafts:
            text = Text(draft.headline, draft.summary, draft.caption, draft.dateline, draft.body)
            found.append(Labelled(text, _names(by_headline[draft.headline])))
    return found


def wire() -> dict[str, list[Labelled]]:
    """The agency's articles: those seen, those unseen, and of both the reports of markets."""
    wanted = {row["id"]: row for row in _rows("wire.toml")}
    found: dict[str, list[Labelled]] = {"wire seen": [], "wire unseen": [], "wire market": []}
    path = corpus.data_file()
    if not path.is_file():
        return {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for item in map(orjson.loads, lines):
            if (row := wanted.get(item["id"])) is None:
                continue
            printed = f"{item['title']}\n{item['body']}"
            assert hashlib.sha256(printed.encode()).hexdigest() == row["sha256"], item["id"]
            dateline = item["dateline"].rstrip(" -")
            article = Labelled(
                Text(item["title"], dateline=dateline, body=item["body"]), _names(row)
            )
            found["wire unseen" if row.get("unseen") else "wire seen"].append(article)
            if row.get("market"):
                found["wire market"].append(article)
    return found


def found_names(mentions: Sequence[Mention]) -> Names:
    """The distinct names of an article's mentions."""
    return frozenset((each.type, fold(each.name)) for each in mentions)


def compare(extractor: Extractor, articles: Sequence[Labelled]) -> list[tuple[Names, Names]]:
    """What was missed and what was surplus in each article."""
    compared = []
    for article, found in zip(
        articles, extractor.extract([each.text for each in articles]), strict=True
    ):
        assert not isinstance(found, Failure), found
        names = found_names(found)
        compared.append((article.names - names, names - article.names))
    return compared


def score(extractor: Extractor, articles: Sequence[Labelled]) -> Score:
    """How near an extractor comes to the labels."""
    compared = compare(extractor, articles)
    missed = sum(len(each) for each, _ in compared)
    surplus = sum(len(each) for _, each in compared)
    return Score(sum(len(each.names) for each in articles) - missed, missed, surplus)


def main() -> None:
    """Print scores and what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.extract.labelled")
    parser.add_argument("--extractor", choices=("spacy", "rules"), default="spacy")
    parser.add_argument("--steps", action="store_true", help="leave out one step after another")
    asked = parser.parse_args()
    extractor = open_extractor(asked.extractor)
    assert isinstance(extractor, Resolving)
    sets = {"seeds": seeds(), "invented": invented(), **sport(), **wire()}
    for name, articles in sets.items():
        result = score(extractor, articles)
        print(f"{name}: F1 {result.f1:.1f} {result}")
        if not asked.steps and not name.endswith("unseen"):
            for article, (missed, surplus) in zip(
                articles, compare(extractor, articles), strict=True
            ):
                if missed or surplus:
                    print(f"  {article.text.headline}\n    missed {sorted(missed)}")
                    print(f"    surplus {sorted(surplus)}")
    if asked.steps:
        sets.pop("wire market", None)  # its articles are in other sets, too
        _steps(extractor, [each for articles in sets.values() for each in articles])


def _steps(extractor: Resolving, articles: Sequence[Labelled]) -> None:
    """The gain of each step: all steps, less all steps but this one."""
    names = [name for name, _ in (*pipeline.BEFORE, *pipeline.STEPS)]
    whole = score(extractor, articles).f1
    bare = score(Resolving(extractor._finder, without=names), articles).f1
    print(f"no step: F1 {bare:.1f}\nall steps: F1 {whole:.1f}")
    for name in names:
        less = score(Resolving(extractor._finder, without=[name]), articles).f1
        print(f"{name}: {whole - less:+.1f}")


if __name__ == "__main__":
    main()
