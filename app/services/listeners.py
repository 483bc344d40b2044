"""The addresses on which the servers of a store listen, from Linux's /proc; none elsewhere.

In: the path of a database. Out: the addresses on which processes that have it or its lock open
accept connections. Processes that this user may not inspect are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

_PROC = Path("/proc")
_LISTEN = "0A"  # <net/tcp_states.h>


def addresses(database: Path) -> list[tuple[IPv4Address | IPv6Address, int]]:
    """Address and port of each socket that a process with `database` open listens on."""
    sockets = set(_sockets(str(database.absolute().resolve())))
    return sorted(
        {each for inode, each in _listeners() if inode in sockets},
        key=lambda each: (each[0].version, each),
    )


def _sockets(database: str) -> Iterator[str]:
    """The inodes of all sockets of processes that have the database or its lock open."""
    for process in _PROC.glob("[0-9]*"):
        opened = list(_opened(process / "fd"))
        if any(each.startswith(database) for each in opened):
            yield from (each[8:-1] for each in opened if each.startswith("socket:["))


def _opened(folder: Path) -> Iterator[str]:
    """The files that a process has open; none of a process that may not be inspected."""
    with suppress(OSError):
        for each in folder.iterdir():
            with suppress(FileNotFoundError):
                yield str(each.readlink())


def _listeners() -> Iterator[tuple[str, tuple[IPv4Address | IPv6Address, int]]]:
    for name in ("tcp", "tcp6"):
        try:
            table = (_PROC / "net" / name).read_text(encoding="ascii")
        except OSError:
            continue
        for row in table.splitlines()[1:]:
            _, local, _, state, *more = row.split()
            if state == _LISTEN:
                address, _, port = local.partition(":")
                yield more[5], (_address(address), int(port, 16))


def _address(written: str) -> IPv4Address | IPv6Address:
    """An address in hexadecimal as the kernel writes it: 32-bit words in host byte order.

    >>> _address("00000000"), _address("0" * 32)
    (IPv4Address('0.0.0.0'), IPv6Address('::'))
    """
    words = (int(written[at : at + 8], 16) for at in range(0, len(written), 8))
    return ip_address(b"".join(each.to_bytes(4, sys.byteorder) for each in words))
