"""Clients in TypeScript and Python, made from the document of a real server and used on it.

`make clients` installs the generators into `.venv/clients`. Each client is compiled strictly with
`use.ts` or `use.py` and with what docs/howto.md shows of it; both print the same of one archive.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import factories
from tests.faults.house import eventually, serving
from tests.test_docs import HOST, blocks, page

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long
HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / ".venv" / "clients"
NEEDS = "is not installed: make clients"
ARTICLES = [
    {
        "headline": f"Rain in {place}",
        "body": f"{place}: It rained all night in {place}, officials said.",
        "dateline": place.upper(),
        "places": [place],
        "source": source,
        "language": "en",
        "published_at": f"2020-05-0{number}",
    }
    for number, (place, source) in enumerate(
        [("Cairo", "Arab News"), ("Islamabad", "Arab News"), ("Riyadh", "Reuters")], 1
    )
]
UNKNOWN_TO_PYTHON = {
    *("text/plain", "text/csv", "text/tab-separated-values"),
    *("application/x-ndjson", "application/jsonl", "application/atom+xml"),
}
"""Media types that openapi-python-client leaves out, with a warning; docs/howto.md says so."""


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server with three articles and their places."""
    factories.blank(tmp_path)
    with serving(tmp_path, BROADSHEET_EXTRACTOR="rules") as running:
        running.client.post("/v1/articles", json=ARTICLES).raise_for_status()

        def settled() -> bool:
            status = running.get("/v1/status").json()
            return bool(status["index"]["lag"] == status["extraction"]["lag"] == 0)

        eventually(settled, "index and mentions follow")
        (tmp_path / "openapi.json").write_bytes(running.get("/openapi.json").content)
        yield str(running.client.base_url).rstrip("/")


def expected(*, more: str = "") -> list[str]:
    """What `use.py` prints, and `use.ts` with one more article and its line."""
    return [
        "article Rain in Cairo 2020-05-01T00:00:00Z day",
        *("facet Arab News 2", "facet Reuters 1"),
        "found Rain in Cairo, Rain in Islamabad, Rain in Riyadh",
        *("by body 3 1", "sent saved", *([more] if more else [])),
        "problem urn:broadsheet:problem:malformed-query 400 2",
        "problem urn:broadsheet:problem:unauthorized 401",
        f"changes {','.join(['added'] * (5 if more else 4))}",
        *(f"entity place {each['places'][0]} 1" for each in ARTICLES),
        "rows 4",
    ]


def test_a_client_in_typescript_compiles_strictly_and_works(server: str, tmp_path: Path) -> None:
    packages = INSTALLED / "node_modules"
    if not (shutil.which("node") and packages.exists()):
        pytest.skip(f"openapi-typescript, or node, {NEEDS}")
    (tmp_path / "node_modules").symlink_to(packages)
    for name in ("package.json", "tsconfig.json", "use.ts"):
        shutil.copy(HERE / name, tmp_path)
    (shown,) = blocks(page("docs/howto.md"), "ts")
    (tmp_path / "howto.ts").write_text(shown.replace(HOST, server).replace("peace", "rain"))
    programs = packages / ".bin"
    run(programs / "openapi-typescript", "openapi.json", "-o", "broadsheet.ts", folder=tmp_path)
    run(programs / "tsc", "-p", ".", folder=tmp_path)
    walked = run("node", "howto.js", folder=tmp_path)
    assert sorted(walked.splitlines()) == [
        f"{a['published_at']}T00:00:00Z {a['headline']}" for a in ARTICLES
    ]
    told = run("node", "use.js", server, factories.KEY, folder=tmp_path)
    assert told.splitlines() == expected(more="lines 1")


def test_a_client_in_python_passes_strict_checks_and_works(server: str, tmp_path: Path) -> None:
    generator = INSTALLED / "bin" / "openapi-python-client"
    if not generator.exists():
        pytest.skip(f"openapi-python-client {NEEDS}")
    shutil.copy(HERE / "use.py", tmp_path)
    *_, shown = blocks(page("docs/howto.md"), "python")
    (tmp_path / "howto.py").write_text(shown.replace(HOST, server).replace("peace", "rain"))
    made = run(
        *(generator, "generate", "--path", "openapi.json"),
        *("--meta", "none", "--output-path", "broadsheet_client"),
        folder=tmp_path,
        PATH=f"{generator.parent}{os.pathsep}{os.environ['PATH']}",
    )
    left_out = set(re.findall(r"Unsupported content.type ([\w/+-]+)", made))
    assert left_out == UNKNOWN_TO_PYTHON
    assert made.count("WARNING") == made.count("Unsupported content")
    names = {each.stem for each in (tmp_path / "broadsheet_client" / "models").glob("*.py")}
    assert [each for each in names if re.search(r"type_\d|_\d$|body_", each)] == []
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nstrict = True\n"
        "[mypy-broadsheet_client.client]\nignore_errors = True\n"  # the generator's, for any API
    )
    run(sys.executable, "-m", "mypy", "use.py", "howto.py", "broadsheet_client", folder=tmp_path)
    walked = run(sys.executable, "howto.py", folder=tmp_path)
    assert sorted(walked.splitlines()) == [
        f"{a['published_at']} 00:00:00+00:00 {a['headline']}" for a in ARTICLES
    ]
    told = run(sys.executable, "use.py", server, factories.KEY, folder=tmp_path)
    assert told.splitlines() == expected()
