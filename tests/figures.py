"""`python -m tests.figures`: the figures of the README, measured on an archive of its own.

Loads the seeds and 1,000 further stories into a temporary folder, serves them on a free port
of 127.0.0.1, and asks over HTTP as any client would. Prints a line for each claim. Needs
nothing but the packages that the server needs; entities are those of the extractor that is
installed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parent.parent
STORIES, ADDED, REMOVED, PAGE = 1000, 200, 20, 50


class Archive:
    """A served archive; `key` may write."""

    def __init__(self, address: str, key: str) -> None:
        self._address = address
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}

    def get(self, path: str, **parameters: object) -> Any:
        return json.loads(self.text(path, **parameters))

    def text(self, path: str, **parameters: object) -> str:
        with urlopen(f"{self._address}{path}?{urlencode(parameters)}") as answer:
            return str(answer.read().decode())

    def pages(self, path: str, **parameters: object) -> Iterator[Any]:
        """Every page of a list, by its cursors."""
        page = self.get(path, **parameters)
        yield page
        while page["next"]:
            page = self.get(path, **parameters, cursor=page["next"])
            yield page

    def add(self, numbers: Iterable[int]) -> list[str]:
        request = Request(f"{self._address}/v1/articles", stories(numbers), self._headers)
        with urlopen(request) as answer:
            return [each["id"] for each in json.load(answer)["items"]]

    def remove(self, id_: str) -> None:
        path = f"{self._address}/v1/articles/{id_}"
        urlopen(Request(path, headers=self._headers, method="DELETE")).close()


def stories(numbers: Iterable[int]) -> bytes:
    """Different articles as JSON Lines, each with the word `rain`."""
    articles = (
        {
            "headline": f"Rain on day {n}",
            "body": f"Rain fell for {n} days.\n\n" + "Wet. " * (n % 50),
        }
        for n in numbers
    )
    return "".join(json.dumps(article) + "\n" for article in articles).encode()


def broadsheet(*arguments: str, folder: Path, stdin: bytes = b"", **settings: str) -> str:
    """What a command prints on standard output."""
    command = [sys.executable, "-m", "app", *arguments]
    environment = {**os.environ, "BROADSHEET_DATA_DIR": str(folder), **settings}
    done = subprocess.run(
        command, env=environment, cwd=ROOT, input=stdin, capture_output=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    return done.stdout.decode().strip()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server on the folder, ready to answer."""
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    settings = {"BROADSHEET_EXTRACTOR": "none", "BROADSHEET_LOG_REQUESTS": "none"}
    environment = {**os.environ, **settings, "BROADSHEET_DATA_DIR": str(folder)}
    server = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        log = iter(server.stderr or ())
        told = (re.search(r"running on (http://\S+)", line) for line in log)
        address = next((each[1] for each in told if each), None)
        if address is None:
            raise SystemExit("the server has ended")
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


# --- the claims


def totals(archive: Archive) -> str:
    """`total` beside the hits of an export, which has no pages."""
    total = archive.get("/v1/search", q="rain", limit=1)["total"]
    return f"total is {total:,}, an export has {len(_exported(archive)):,} hits"


def cursors(archive: Archive) -> str:
    """Walk a search, best hits first, while articles are added that it finds too."""
    before = _exported(archive)
    met: Counter[str] = Counter()
    numbers = iter(range(STORIES, STORIES + ADDED))
    added = 0
    for page in archive.pages("/v1/search", q="rain", limit=PAGE):
        met.update(each["article"]["id"] for each in page["items"])
        added += len(archive.add(islice(numbers, ADDED * PAGE // STORIES)))
    once = sum(met[id_] == 1 for id_ in before)
    twice = sum(count > 1 for count in met.values())
    return f"{once:,} of {len(before):,} hits walked once, {twice} twice, while {added} were added"


def _exported(archive: Archive) -> list[str]:
    lines = archive.text("/v1/search.jsonl", q="rain").splitlines()
    return [json.loads(line)["id"] for line in lines]


def changes(archive: Archive) -> str:
    """Keep a copy by /v1/changes alone while articles come and go; compare it with the archive."""
    copy: dict[str, int] = {}

    def follow(since: int) -> int:
        for page in archive.pages("/v1/changes", since=since, limit=100):
            since = max(since, page["last"])
            for each in page["items"]:
                if each["kind"] == "deleted":
                    copy.pop(each["id"], None)
                else:
                    copy[each["id"]] = each["change"]
        return since

    last = follow(0)
    begin = STORIES + ADDED
    for number in range(begin, begin + REMOVED):
        (id_,) = archive.add([number])
        archive.remove(id_) if number % 2 else None
        last = follow(last) if number % 3 else last
    follow(last)
    listed = {
        each["id"]: each["change"]
        for page in archive.pages("/v1/articles", limit=100)
        for each in page["items"]
    }
    different = sum(copy.get(id_) != listed.get(id_) for id_ in copy.keys() | listed.keys())
    return f"a follower has {len(copy):,} of {len(listed):,} articles, {different} differ"


def explain(archive: Archive) -> str:
    answer = archive.get("/v1/search/explain", q="taliban crypto islamabad")
    without = ", ".join(f"{each['query']} {each['without']}" for each in answer["clauses"])
    return f"taliban crypto islamabad: {answer['total']} hits; without {without}"


def provenance(archive: Archive) -> str:
    """Every stored digest of the seeds, compared with the files."""
    sources = [
        source
        for page in archive.pages("/v1/articles", source="arab news")
        for each in page["items"]
        for source in archive.get(f"/v1/articles/{each['id']}")["sources"]
    ]
    files = {source["path"] for source in sources}
    right = sum(
        hashlib.sha256((ROOT / source["path"]).read_bytes()).hexdigest() == source["sha256"]
        for source in sources
    )
    return f"{len(sources)} articles of {len(files)} files, {right} name the SHA-256 of their file"


def entities(archive: Archive) -> str:
    types = ("person", "organization", "place")
    found = [archive.get("/v1/entities", type=type_, limit=1)["total"] for type_ in types]
    return "{} people, {} organizations, {} places in the seeds".format(*found)


def feeds(archive: Archive) -> str:
    """One search in every form, each counted by what its format calls a hit."""
    total = archive.get("/v1/search", q="taliban")["total"]
    forms = {
        "atom": archive.text("/v1/search.atom", q="taliban").count("<entry"),
        "json": len(archive.get("/v1/search.json", q="taliban")["items"]),
        "csv": len(list(csv.DictReader(io.StringIO(archive.text("/v1/search.csv", q="taliban"))))),
        "jsonl": len(archive.text("/v1/search.jsonl", q="taliban").splitlines()),
    }
    told = ", ".join(f"{count} in .{form}" for form, count in forms.items())
    return f"taliban: {total} hits, {told}"


CLAIMS = {
    "exact totals": totals,
    "stable cursors": cursors,
    "gap-free changes": changes,
    "explain": explain,
    "provenance": provenance,
    "entities": entities,
    "feeds": feeds,
}


def main() -> None:
    """Print a line for each claim."""
    with tempfile.TemporaryDirectory(prefix="broadsheet-figures-") as path:
        folder = Path(path)
        broadsheet("load", "seeds", folder=folder, BROADSHEET_SOURCE="Arab News")
        read = {"BROADSHEET_EXTRACTOR": "none"}
        broadsheet("load", "-", folder=folder, stdin=stories(range(STORIES)), **read)
        key = broadsheet("keys", "create", "figures", "--scope", "write", folder=folder)
        with serving(folder) as address:
            archive = Archive(address, key)
            for name, claim in CLAIMS.items():
                print(f"{name:17} {claim(archive)}", flush=True)


if __name__ == "__main__":
    main()
