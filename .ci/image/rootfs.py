"""Makes a root filesystem that holds a Python and what it needs, and nothing else.

In: the Python that runs this, which is a venv's, and the base image around it. Out: a folder
with the interpreter, the standard library, the shared libraries that these and the venv need,
certificates, and the few files below /etc that a program asks for. The venv itself is not
copied. No shell and no package manager. Each Debian package that a file came from is named in
`var/lib/dpkg/status.d`, where scanners look for it in an image without dpkg.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from fnmatch import fnmatch
from pathlib import Path

UID = 10001

LEFT_OUT = (
    # what develops, draws or tests
    *("__pycache__", "config-3*", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tests"),
    *("tkinter", "turtle.py", "turtledemo", "venv", "EXTERNALLY-MANAGED"),
    *("site-packages", "dist-packages", "sitecustomize.py"),
    # extension modules that pull in a library each: terminals, old databases, sound, NIS
    *("_curses*", "_dbm.*", "_gdbm.*", "_tkinter.*", "nis.*", "ossaudiodev.*", "readline.*"),
    *("_ctypes_test.*", "_test*.so", "_xxtest*", "xxlimited*"),
)
"""Parts of the standard library that are not copied; a `*` stands for anything."""

BY_NAME = ("libgcc_s.so.1",)
"""Libraries that are opened by name, so that nothing says that they are needed."""

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
SETTINGS = ("/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/os-release", CERTIFICATES)

WRITTEN = {
    "etc/passwd": f"root:x:0:0:root:/root:/sbin/nologin\n"
    f"broadsheet:x:{UID}:{UID}:Broadsheet:/nonexistent:/sbin/nologin\n",
    "etc/group": f"root:x:0:\nbroadsheet:x:{UID}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


class Root:
    """A root filesystem in the making: paths of the base go to the same paths in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: set[Path] = set()
        """The files of the base that were copied, with no symbolic link in their paths."""

    def take(self, source: Path) -> None:
        """Copy a file or a folder, and every symbolic link on the way to it."""
        at = Path("/")
        parts = list(source.parts[1:])
        while parts:
            at = at / parts.pop(0)
            if at.is_symlink():
                link = self._inside(at)
                if not link.is_symlink():
                    link.parent.mkdir(parents=True, exist_ok=True)
                    link.symlink_to(at.readlink())
                self.take(Path(os.path.normpath(at.parent / at.readlink())).joinpath(*parts))
                return
        if source.is_dir():
            for inner in sorted(source.iterdir()):
                if not any(fnmatch(inner.name, pattern) for pattern in LEFT_OUT):
                    self.take(inner)
        elif source not in self.taken:
            self._inside(source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, self._inside(source))
            self.taken.add(source)

    def write(self, path: str, text: str) -> None:
        """Make a text file."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def _inside(self, path: Path) -> Path:
        return self.folder / path.relative_to("/")


def make(folder: Path) -> None:
    """Fill the folder."""
    root = Root(folder)
    root.take(Path(sys.executable).resolve())
    stdlib = Path(sysconfig.get_path("stdlib"))
    root.take(stdlib)
    for link in Path(sys.executable).parent.glob("python*"):
        if link.is_symlink() and link.readlink().is_absolute():
            root.take(link.readlink())
    binaries = [path for path in root.taken if _is_elf(path)]
    binaries += [path for path in Path(sys.prefix).rglob("*.so*") if _is_elf(path)]
    for library in _libraries(binaries):
        root.take(library)
    for path in SETTINGS:
        root.take(Path(path))
    for path, text in WRITTEN.items():
        root.write(path, text)
    (folder / "tmp").mkdir()
    (folder / "tmp").chmod(0o1777)
    _record_packages(root)
    subprocess.run(["ldconfig", "-r", folder], check=True)  # noqa: S603, S607
    compiled = compileall.compile_dir(
        folder / stdlib.relative_to("/"),
        quiet=1,
        stripdir=str(folder),
        prependdir="/",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        sys.exit("the standard library was not compiled")


def _is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _libraries(binaries: list[Path]) -> set[Path]:
    """The shared libraries of the base that these files need, the loader included."""
    told = subprocess.run(  # noqa: S603
        ["ldd", *map(str, binaries)],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    if missing := sorted(set(re.findall(r"^\t(\S+) => not found", told, re.MULTILINE))):
        sys.exit(f"the base has no {', '.join(missing)}")
    found = set(map(Path, re.findall(r"(?:=> |^\t)(/\S+) \(0x", told, re.MULTILINE)))
    beside = next(path for path in found if path.name == "libc.so.6").parent
    found |= {beside / name for name in BY_NAME}
    return {path for path in found if not path.is_relative_to(sys.prefix)}


def _record_packages(root: Root) -> None:
    """Write down, with its copyright, each Debian package that a file was taken from."""
    database = Path("/var/lib/dpkg")
    if not database.exists():
        return
    stanzas = (database / "status").read_text(encoding="utf-8").split("\n\n")
    by_name = {m[1]: each for each in stanzas if (m := re.match(r"Package: (\S+)", each))}
    for listing in sorted((database / "info").glob("*.list")):
        name = listing.stem.partition(":")[0]
        files = map(Path, listing.read_text(encoding="utf-8").split("\n"))
        if any(each.parent.resolve() / each.name in root.taken for each in files):
            root.write(f"var/lib/dpkg/status.d/{name}", f"{by_name[name].strip()}\n")
            rights = Path(f"/usr/share/doc/{name}/copyright")
            if rights.exists():
                root.take(rights)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
