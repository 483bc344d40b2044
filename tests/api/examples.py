"""Writes the examples of the OpenAPI document anew: `python -m tests.api.examples`.

Each is what the application answers to one request, on three short articles. What differs from
run to run (instants, tokens, times taken, versions of programs) is written as it is in _STILL.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import httpx
import orjson
from asgi_lifespan import LifespanManager

from app.api import create_app
from app.api.openapi import EXAMPLES
from tests import factories
from tests.api.conftest import Client, settled

BASE = "http://127.0.0.1:8000"
FIRST = {
    "headline": "Pakistan, global crypto exchange discuss digital payments",
    "summary": ["Officials and a crypto exchange discuss coordination"],
    "dateline": "ISLAMABAD",
    "body": "Officials of Pakistan met a crypto exchange in Islamabad.\n\nThe talks ended.",
    "source": "Arab News",
    "date": "2025-12-05",
    "language": "en",
    "guid": "urn:example:crypto",
    "keywords": ["crypto", "payments"],
    "subjects": [{"scheme": "medtop", "code": "20000388", "name": "banking"}],
}
SECOND = {
    "headline": "Gemstones of Pakistan go on show in Islamabad",
    "body": "Gemstones of Pakistan go on show in Islamabad, officials said.",
    "source": "Arab News",
    "date": "2025-11-28",
    "language": "en",
}
STORE_ID = UUID("9173b5aa-75c1-432e-af6a-12febe1aa5cc")
_STILL: dict[str, Any] = {
    "extractor": "rules 1",
    "next": "WyI3MjEzMjc3NzhkYzEiXQ",
    "reader_version": 1,
    "took_ms": 2.1,
    "token": "6f0d8e93b1c25a47",
    "versions": {"broadsheet": "0.2.0", "python": "3.11.7", "sqlite": "3.40.1", "whoosh": "2.7.5"},
}
_INSTANT = re.compile(r"\b20\d\d-\d\d-\d\dT(?!00:00:00Z)\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_WRITE = re.compile(r"[0-9a-f]{16}")


def still(value: Any, name: str = "") -> Any:
    """`value`, which stands under `name`, without what differs from run to run."""
    if name == "token" and not _WRITE.fullmatch(value):
        return value  # a query's
    if type(value) is type(_STILL.get(name)) and value is not None:
        return _STILL[name]
    if isinstance(value, dict):
        return {inner: still(each, inner) for inner, each in value.items()}
    if isinstance(value, list):
        return [still(each) for each in value]
    if isinstance(value, str):
        value = re.sub(r"(?<=\"reader_version\":)\d+", "1", value)
        return _INSTANT.sub("2026-11-22T06:00:00Z", value)
    return round(value, 1) if isinstance(value, float) else value


async def made(folder: Path) -> dict[str, Any]:
    """The examples by name, as a new store answers."""
    factories.blank(folder)
    settings = factories.settings(folder, sync_interval_s=3600, extractor="rules")
    with closing(sqlite3.connect(settings.data_dir / "broadsheet.db")) as database, database:
        database.execute("UPDATE store SET id = ?", (STORE_ID.hex,))
    app = create_app(settings)
    async with LifespanManager(app, startup_timeout=120, shutdown_timeout=120) as manager:
        transport = httpx.ASGITransport(manager.app, raise_app_exceptions=False)
        async with Client(transport=transport, base_url=BASE) as client:
            client.app = app
            factories.take_key(app.state.executor.database)
            client.headers.update(factories.KEYED)
            return await _asked(client)


async def _asked(client: httpx.AsyncClient) -> dict[str, Any]:
    lines = b"\n".join(map(orjson.dumps, (FIRST, {"headline": ""}, SECOND)))
    posted = await client.post(
        "/v1/articles", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    imported = posted.json()
    id_ = imported["items"][0]["id"]
    await settled(client)  # else the correction may come before or after the names are read
    corrected = FIRST | {"body": FIRST["body"].replace("ended", "go on")}  # type: ignore[attr-defined]
    (await client.put(f"/v1/articles/{id_}", json=corrected)).raise_for_status()
    await settled(client)
    pakistan = (await client.get("/v1/entities?q=pakistan")).json()["items"][0]["id"]
    search, reconcile = "?q=crypto&facets=place&histogram=month", "/v1/entities/reconcile"
    urls = {
        "entity": f"/v1/entities/{pakistan}",
        "entities": "/v1/entities?limit=1",
        "related": f"/v1/entities/{pakistan}/related",
        "timeline": f"/v1/entities/{pakistan}/timeline?histogram=month",
        "manifest": reconcile,
        "candidates": f'{reconcile}?queries={{"q0":{{"query":"Pakistan"}}}}',
        "preview": f"{reconcile}/preview?id={pakistan}",
        "properties": f"{reconcile}/suggest/property?prefix=wiki",
        "proposed": f"{reconcile}/properties?type=place&limit=1",
        "suggested": f"{reconcile}/suggest?prefix=pak",
        "completions": "/v1/search/suggest?q=pak",
        "explanation": "/v1/search/explain?q=crypto gemstones",
        "similar": f"/v1/articles/{id_}/similar",
        "changes": "/v1/changes?limit=1",
        "article": f"/v1/articles/{id_}",
        "articles": "/v1/articles?limit=1",
        "search": f"/v1/search{search}",
        "versions": f"/v1/articles/{id_}/versions?limit=1",
        "version": f"/v1/articles/{id_}/versions/2",
        "health": "/healthz",
        "status": "/v1/status",
        ".atom": "/v1/search.atom?q=crypto",
        ".json": "/v1/search.json?q=crypto",
        ".csv": "/v1/search.csv?q=crypto",
        ".jsonl": "/v1/search.jsonl?q=crypto",
        ".jsonld": f"/v1/articles/{id_}.jsonld",
        ".txt": f"/v1/articles/{id_}.txt",
        "articles.csv": "/v1/articles.csv?fields=id&fields=headline",
        "entities.csv": "/v1/entities.csv?q=pakistan",
        "related.csv": f"/v1/entities/{pakistan}/related.csv",
        "timeline.csv": f"/v1/entities/{pakistan}/timeline.csv?histogram=month",
    }
    found: dict[str, Any] = {"imported": imported}
    for name, url in urls.items():
        answer = (await client.get(url)).raise_for_status()
        is_json = "json" in answer.headers["content-type"] and name != ".jsonl"
        found[name] = answer.json() if is_json else answer.text
    metrics = (await client.get("/metrics")).text
    held = "".join(re.findall(r"^(?:# \w+ )?broadsheet_articles .*\n", metrics, re.MULTILINE))
    return {name: still(each) for name, each in {**found, "metrics": held}.items()}


def written(examples: dict[str, Any]) -> bytes:
    """The file: an example a line, so that a change of one is a line of a difference."""
    lines = (orjson.dumps(name) + b": " + orjson.dumps(each) for name, each in examples.items())
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder:
        EXAMPLES.write_bytes(written(anyio.run(made, Path(folder))))


if __name__ == "__main__":
    main()
