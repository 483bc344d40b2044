"""Makes `.venv` hold what serving or developing needs; targets of the Makefile begin with it.

In: the lock files, and the interpreter that runs this. Out: a whole `.venv`, or an error. It never
resolves: pip installs what a lock names, and only files whose hash the lock has. It never touches a
`.venv` that it did not make, unless that holds nothing yet.

`.venv/.installed` says what is there, as JSON, and is empty while pip works. So a `.venv` that was
left halfway, was moved or lost its interpreter is made anew, not used.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STATE = VENV / ".installed"
PYTHON = VENV / "bin" / "python"
OLDEST, NEWEST = (3, 11), (3, 14)
RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"
LOCKS = {
    "bare": ("requirements.txt", "requirements-build.txt"),
    "entities": ("requirements-entities.txt", "requirements-build.txt"),
    "develop": ("requirements-dev.txt",),
}
"""Each has all that the one before it has."""


def main() -> None:
    """Read the options, wait for another `make` in this folder, do it."""
    parser = argparse.ArgumentParser(description="Make .venv hold what is needed.")
    parser.add_argument("use", choices=("serve", "develop"))
    parser.add_argument("--entities", choices=("0", "1"), default="1", help="0: without spaCy")
    parser.add_argument("--exactly", action="store_true", help="with the Python that runs this")
    options = parser.parse_args()
    served = "entities" if options.entities == "1" else "bare"
    try:
        # The kernel drops the lock with the process, however it ends. Some network file systems
        # have none for a folder.
        with contextlib.suppress(OSError):
            fcntl.flock(os.open(ROOT, os.O_RDONLY), fcntl.LOCK_EX)
        ensure(served if options.use == "serve" else options.use, exactly=options.exactly)
    except subprocess.CalledProcessError as error:
        sys.exit(f"install: failed: {' '.join(str(word) for word in error.cmd)}")
    except KeyboardInterrupt:
        sys.exit(130)


def ensure(level: str, *, exactly: bool) -> None:
    """`.venv` has `level` or more, as the locks are now."""
    found, fault = read(exactly=exactly)
    level = max(level, found.get("level", level), key=list(LOCKS).index)
    wanted = {
        "level": level,
        "locks": digest("pyproject.toml", *LOCKS[level]),
        "folder": str(ROOT),
        "python": found.get("python", RUNNING),
    }
    if found == wanted:
        return
    if not found:
        make(fault)
    fill(LOCKS[level], before=json.dumps(found) if found else "")
    STATE.write_text(json.dumps(wanted), encoding="utf-8")


def read(*, exactly: bool) -> tuple[dict[str, str], str]:
    """What `.venv` has; or nothing, and why what is there can't be used."""
    if not os.path.lexists(VENV) or (VENV.is_dir() and not any(VENV.iterdir())):
        return {}, ""
    if not STATE.exists():
        python = made_by_hand()
        if not python or (exactly and python != RUNNING):
            sys.exit("install: .venv is not make's\nhint: move it away, or remove it: make clean")
        return {"folder": str(ROOT), "python": python}, ""
    try:
        found: dict[str, str] = json.loads(STATE.read_text(encoding="utf-8"))
    except ValueError:
        return {}, "was left halfway"
    if found["folder"] != str(ROOT):
        return {}, f"was made in {found['folder']}"
    runs = running()
    if not runs:
        return {}, "lost its interpreter"
    for python in (runs, RUNNING if exactly else runs):
        if found["python"] != python:
            return {}, f"was made with Python {found['python']}, not {python}"
    return found, ""


def made_by_hand() -> str:
    """The Python of a `.venv` that someone made just before, with pip alone; else nothing."""
    config = VENV / "pyvenv.cfg"
    own = config.exists() and "system-site-packages = false" in config.read_text(encoding="utf-8")
    found = {path.name.partition("-")[0] for path in VENV.glob("lib/*/site-packages/*.dist-info")}
    if not own or "pip" not in found or not found <= {"pip", "setuptools", "wheel"}:
        return ""
    python = running()
    known = range(OLDEST[1], NEWEST[1] + 1)
    return python if python in {f"3.{minor}" for minor in known} else ""


def running() -> str:
    """The version that `.venv/bin/python` has today; nothing if it can't run."""
    program = "import sys; print(*sys.version_info[:2], sep='.')"
    try:
        return subprocess.check_output([PYTHON, "-I", "-c", program], text=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def digest(*names: str) -> str:
    """One hash of all these files."""
    return hashlib.sha256(b"\0".join((ROOT / name).read_bytes() for name in names)).hexdigest()


def make(fault: str) -> None:
    """A `.venv` with pip alone, of the interpreter that runs this."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        first, last = (".".join(str(part) for part in each) for each in (OLDEST, NEWEST))
        sys.exit(
            f"install: Broadsheet needs Python {first} to {last}, not {sys.version.split()[0]}\n"
            f"hint: make PYTHON=python{last} … chooses another one"
        )
    if fault:
        say(f".venv {fault}, it is made anew")
    VENV.mkdir(exist_ok=True)
    STATE.write_text("", encoding="utf-8")
    for each in VENV.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each != STATE:
            each.unlink()
    # Where that .venv is active, its interpreter runs this and was just removed.
    python = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([python, "-m", "venv", VENV], check=True)


def fill(locks: tuple[str, ...], *, before: str) -> None:
    """What the locks name and Broadsheet itself are installed."""
    say(f"{' and '.join(locks)} into .venv")
    packages = next(VENV.glob("lib/python*/site-packages"))
    changed_at = packages.stat().st_mtime_ns
    STATE.write_text("", encoding="utf-8")
    # Modules are compiled when first imported: a quarter less time and a sixth less space.
    pip = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    pip += ["--no-deps", "--no-compile"]
    named = [word for lock in locks for word in ("--requirement", lock)]
    try:
        subprocess.run([*pip, "--require-hashes", *named], check=True, cwd=ROOT)
        # setuptools warns of every editable installation, and pip 26.3 shows it.
        quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
        pip += ["--no-build-isolation", "--editable", "."]
        subprocess.run(pip, check=True, cwd=ROOT, env=quiet)
    except subprocess.CalledProcessError:
        # pip fetches everything before it changes anything: without network nothing was lost.
        if packages.stat().st_mtime_ns == changed_at:
            STATE.write_text(before, encoding="utf-8")
        raise


def say(what: str) -> None:
    """A line for the person at the terminal."""
    print(f"install: {what}", file=sys.stderr)


if __name__ == "__main__":
    main()
