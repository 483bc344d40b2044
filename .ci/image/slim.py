"""Takes out of a venv what a running program never opens.

In: a site-packages folder. It loses the tests of libraries, the sources of compiled modules and
the symbols of shared objects. Never the sources of Python modules, which tracebacks show, and
never a licence. spaCy's many languages stay: it imports several of them for every model.
"""

from __future__ import annotations

import os
import shutil
import struct
import sys
from pathlib import Path

TESTS = ("test", "tests")
SOURCES = (".a", ".c", ".cpp", ".h", ".hh", ".hpp", ".pxd", ".pyi", ".pyx")

_HEADER = "<16s H H I Q Q Q I H H H H H H"
_SEGMENT = "<I I Q Q Q Q Q Q"
_ELF64 = b"\x7fELF\x02\x01"


def slim(packages: Path) -> None:
    """Make the folder smaller; do it before its modules are compiled."""
    for folder in sorted(packages.glob("*/**/")):
        if folder.name in TESTS and (folder / "__init__.py").exists():
            shutil.rmtree(folder)
    for path in packages.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        if path.suffix in SOURCES:
            path.unlink()
        elif path.suffix == ".so" or ".so." in path.name:
            strip(path)


def strip(path: Path) -> None:
    """Cut off what lies behind the last segment, which is all that a loader reads.

    As sstrip does: debugging information, symbols other than the dynamic ones and the table of
    sections. Unlike binutils' strip it moves nothing, which libraries that were patched for a
    wheel don't always survive, and it needs nothing that a slim base lacks. Anything but a
    64-bit little-endian ELF file stays as it is.
    """
    with path.open("r+b") as file:
        raw = file.read(struct.calcsize(_HEADER))
        if not raw.startswith(_ELF64):
            return
        header = list(struct.unpack(_HEADER, raw))
        segments_at, size, count = header[5], header[9], header[10]
        end = segments_at + size * count
        for number in range(count):
            file.seek(segments_at + size * number)
            segment = struct.unpack(_SEGMENT, file.read(struct.calcsize(_SEGMENT)))
            end = max(end, segment[2] + segment[5])
        if end >= os.fstat(file.fileno()).st_size:
            return
        header[6] = header[12] = header[13] = 0  # no table of sections
        file.seek(0)
        file.write(struct.pack(_HEADER, *header))
        file.truncate(end)


if __name__ == "__main__":
    slim(Path(sys.argv[1]))
