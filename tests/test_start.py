"""How little the command line imports before it knows what it is to do.

Counted in modules, not in seconds: a clock tells more about the machine than about a start.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from app import cli, ingest
from tests.test_docs import COMMANDS

TYPER = {"annotated_doc", "annotated_types", "pydantic", "pydantic_core", "shellingham", "typer"}
NEEDED = {*TYPER, "app", "orjson", "typing_extensions", "typing_inspection"}
"""What it takes beside the standard library to explain a command; typer reads types by pydantic."""

PROBE = """
import sys
before = set(sys.modules)
from app import cli
sys.argv = ["broadsheet", *sys.argv[1:]]
try:
    cli.main()
except SystemExit as ended:
    assert not ended.code
imported = {name.partition(".")[0] for name in set(sys.modules) - before}
ours = imported - sys.stdlib_module_names
print(*(name for name in ours if not name.startswith("_sysconfigdata")), file=sys.stderr)
"""

GROUPS = {name.partition(" ")[0] for name in COMMANDS if " " in name}


@pytest.mark.parametrize(
    "arguments",
    ["--version", "--help", *(f"{name} --help" for name in sorted({*GROUPS, *COMMANDS}))],
)
def test_what_explains_a_command_imports_nothing_that_it_works_with(arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments.split()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout
    assert set(done.stderr.split()) <= NEEDED


def test_the_help_of_load_names_every_format() -> None:
    shown = CliRunner().invoke(cli.cli, ["load", "--help"]).stdout
    assert f"One of: {', '.join(ingest.FORMATS)}." in " ".join(shown.split())
