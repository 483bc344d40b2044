"""What the lock files name, and what is missing in them.

    python3 -m tests.setup.locks            installs each lock, needs nothing but Python
    python3 -m tests.setup.locks FILE…      these only

A lock is installed into a fresh venv by the pip that the first release of this Python brought, with
nothing resolved and nothing compiled. A lock is complete if each package has what it needs, extras
of others included: without them pip before 24.1 stops once a newer release is out.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
OLDEST_PIP = {(3, 11): "22.3", (3, 12): "23.2.1", (3, 13): "24.2", (3, 14): "25.2"}


@dataclass(frozen=True)
class Entry:
    """One package of a lock."""

    version: str
    extras: frozenset[str]
    hashes: tuple[str, ...]


def locks() -> list[str]:
    """The lock files of the project."""
    return sorted(path.name for path in ROOT.glob("requirements*.txt"))


def entries(lock: str) -> list[tuple[str, str, Entry]]:
    """Name, marker and entry of each package of a lock, in its order."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    found = []
    for each in re.findall(r"^\S.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL):
        head = re.match(r"([\w.-]+)(?:\[([\w.,-]+)\])?==([^\s;]+)(?: ; (.+?))? \\\n", each)
        if not head:
            raise ValueError(f"{lock}: {each.splitlines()[0]} is not pinned")
        name, extras, version, marker = head.groups(default="")
        digests = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", each))
        extra_names = frozenset(extras.split(",")) - {""}
        found.append((name, marker, Entry(version, extra_names, digests)))
    return found


def wanted(lock: str) -> list[str]:
    """The requirements that a lock was resolved from."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = lock.removeprefix("requirements").removesuffix(".txt").removeprefix("-")
    if (source := ROOT / f"requirements-{extra}.in").exists():
        lines = source.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if re.match(r"\w", line)]
    told: list[str] = list(project["dependencies"])
    named = [extra] if extra else []
    for name in named:
        for each in project["optional-dependencies"][name]:
            own = re.fullmatch(rf"{project['name']}\[(.+)\]", each)
            named += own[1].split(",") if own else []
            told += [] if own else [each]
    return told


def missing(lock: str, requirements: Iterable[str]) -> list[str]:
    """What the installed packages of a lock need and the lock does not have."""
    # pip brings this module; a bare machine has no other.
    from pip._vendor.packaging.markers import Marker
    from pip._vendor.packaging.requirements import Requirement
    from pip._vendor.packaging.utils import canonicalize_name

    here = {
        name: entry
        for name, marker, entry in entries(lock)
        if not marker or Marker(marker).evaluate()
    }
    installed = {canonicalize_name(each.metadata["Name"]): each for each in distributions()}
    faults = []
    queue = [("", lock, each) for each in requirements]
    seen = set()
    while queue:
        step = queue.pop()
        if step in seen:
            continue
        seen.add(step)
        extra, needing, text = step
        need = Requirement(text)
        if need.marker and not need.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(need.name)
        entry, package = here.get(name), installed.get(name)
        if entry is None:
            faults.append(f"{needing} needs {text}: not locked")
        elif not need.specifier.contains(entry.version, prereleases=True):
            faults.append(f"{needing} needs {text}: {entry.version} is locked")
        elif not {canonicalize_name(each) for each in need.extras} <= entry.extras:
            faults.append(f"{needing} needs {text}: locked without the extra")
        elif package is None or package.version != entry.version:
            faults.append(f"{needing} needs {text}: {entry.version} is not installed")
        else:
            given = package.metadata.get_all("Provides-Extra", [])
            extras = [each for each in given if canonicalize_name(each) in entry.extras]
            needs = package.requires or []
            queue += [(each, name, line) for each in ("", *extras) for line in needs]
    return sorted(faults)


def install(lock: str, pip: str) -> bool:
    """Whether a lock can be installed and is complete; says so."""
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/bin/python"
        run = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        steps = (
            [sys.executable, "-m", "venv", folder],
            [*run, f"pip=={pip}"],
            [
                *run,
                "--no-deps",
                "--no-compile",
                "--only-binary=:all:",
                "--require-hashes",
                "-r",
                lock,
            ],
            [python, "-m", "tests.setup.locks", "--installed", lock],
        )
        held = all(subprocess.run(step, cwd=ROOT, check=False).returncode == 0 for step in steps)
    print(f"{lock}: {'complete' if held else 'FAILED'} with pip {pip}", flush=True)
    return held


def main() -> None:
    """Install the locks; the exit status is 1 if one fails."""
    parser = argparse.ArgumentParser(description="Install each lock by the oldest pip.")
    parser.add_argument("locks", nargs="*", default=locks())
    parser.add_argument("--pip", default=OLDEST_PIP.get(sys.version_info[:2]), help="its version")
    parser.add_argument("--installed", action="store_true", help="they are here: what is missing?")
    options = parser.parse_args()
    if options.installed:
        faults = [fault for lock in options.locks for fault in missing(lock, wanted(lock))]
        sys.exit("\n".join(faults) or None)
    held = [install(lock, options.pip) for lock in options.locks]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
