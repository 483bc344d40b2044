"""What is random in a test is drawn from one seed, which is told and can be given again."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from tests import programs

PYTEST = "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
DRAWING = """
from hypothesis import given, settings, strategies as st

def test_chance(chance):
    print("drawn:", chance.random())

def test_other(chance):
    print("drawn:", chance.random())

def test_hypothesis():
    @settings(max_examples=3, database=None)
    @given(st.permutations(range(20)))  # integers may be constants of what is imported by then
    def draw(order):
        print("drawn:", order)

    draw()
    assert False
"""


def drawn(folder: Path, *arguments: str) -> tuple[str, list[str]]:
    """The seed that a run prints, and what its tests draw."""
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_drawing.py").write_text(DRAWING)
    options = ("-rP", "-p", "no:cacheprovider", "-p", "no:schemathesis", "--rootdir", str(folder))
    done = programs.run(
        [sys.executable, "-c", PYTEST, *options, *arguments, str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    found = re.findall(r"^drawn: (.*)", done.stdout, re.MULTILINE)
    header, footer = re.findall(r"^seed: (\w+),", done.stdout, re.MULTILINE)
    assert header == footer, "at the start, and at the end of a run that failed"
    return header, found


def test_a_run_is_repeated_by_its_seed(tmp_path: Path) -> None:
    seed, found = drawn(tmp_path)
    assert len(set(found)) >= 3, "each test draws its own"
    again, repeated = drawn(tmp_path, f"--hypothesis-seed={seed}", "-n", "1")
    assert (again, sorted(repeated)) == (seed, sorted(found))
