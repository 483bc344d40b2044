"""Two loaders and a server write one store at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from app.articles import changes, history
from app.articles import read as articles
from app.search import open_engine
from app.services import indexing
from app.store import sequence
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment
from tests.faults import house
from tests.faults.victims import _whole

if TYPE_CHECKING:
    import random
    from pathlib import Path

pytestmark = pytest.mark.long

STORIES, VERSIONS = 150, 4


def story(number: int, version: int) -> dict[str, object]:
    """A text of a story: of each the last version has the newest date."""
    return {
        "headline": f"Story {number}",
        "body": f"Number {number} tells of apples, in the version {version} of it.",
        "url": f"https://example.org/{number}",
        "updated_at": f"2024-03-0{version + 1}T12:00:00Z",
        "published_at": "2024-03-01",
    }


def test_loaders_and_a_server_at_once_lose_and_double_nothing(
    tmp_path: Path, chance: random.Random
) -> None:
    every = [(number, version) for number in range(STORIES) for version in range(VERSIONS)]
    for name in ("one.jsonl", "two.jsonl"):
        mine = chance.sample(every, len(every) * 2 // 3)
        lines = (json.dumps(story(*each)) + "\n" for each in mine)
        (tmp_path / name).write_text("".join(lines))
        every_posted = [each for each in every if each not in mine]
    house.filled(tmp_path, 1, words="pears")
    with house.serving(tmp_path) as server:
        loaders = [
            programs.Popen(broadsheet("load", str(tmp_path / name)), env=environment(tmp_path))
            for name in ("one.jsonl", "two.jsonl")
        ]
        for each in every_posted:
            assert server.client.post("/v1/articles", json=story(*each)).status_code == 200
        assert [loader.wait(timeout=house.WAIT_S) for loader in loaders] == [0, 0]
        house.eventually(
            lambda: server.get("/v1/search", q="apples").json()["total"] == STORIES,
            "every story is found once",
        )
    loaded = {
        (line["url"], line["body"])
        for name in ("one.jsonl", "two.jsonl")
        for line in map(json.loads, (tmp_path / name).read_text().splitlines())
    } | {(str(story(*each)["url"]), str(story(*each)["body"])) for each in every_posted}
    engine = open_engine(factories.settings(tmp_path))
    with factories.store(tmp_path) as database:
        kept = set()
        with database.reading() as session:
            assert sequence.count(session) == STORIES + 1
            for id_, _ in changes.versions(session):
                shown = articles.get(session, id_)
                for listed in history.versions(session, id_).items:
                    text = history.version(session, id_, listed.version)
                    kept.add((text["url"], text["body"]))
                    if listed.updated_at is not None:
                        assert shown.updated_at is not None
                        assert listed.updated_at <= shown.updated_at
        assert loaded <= kept
        assert len(kept) == len(loaded) + 1
        assert indexing.check(database, engine).agrees
    engine.close()
    _whole(tmp_path)
