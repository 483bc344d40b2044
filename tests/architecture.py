"""`python -m tests.architecture > docs/architecture.svg`: the packages of app and who imports whom.

Rows are the layers of the import contract in pyproject.toml, with the first line of each package's
docstring. Arrows are imports that are there, without those that others lead to: an arrow from
`api` to `services` and one from `services` to `articles` stand for one from `api` to `articles`.
"""

from __future__ import annotations

import ast
import importlib
import tomllib
from html import escape
from pathlib import Path

from tests.test_imports import FILES, imports

ROOT = Path(__file__).parents[1]
_WIDTH, _HEIGHT, _PITCH, _MARGIN = 760, 40, 64, 12


def layers() -> list[list[str]]:
    """The packages of each layer, the highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (told,) = (each["layers"] for each in contracts if each.get("containers") == ["app"])
    return [layer.split(" | ") for layer in told]


def arrows() -> list[tuple[str, str]]:
    """Imports between packages of app that no chain of other imports leads to, sorted."""
    names = [name for layer in layers() for name in layer]
    direct: dict[str, set[str]] = {name: set() for name in names}
    for module, path in FILES.items():
        for other in imports(ast.parse(path.read_text(encoding="utf-8"))):
            if "app" not in (module, other):
                direct[module.split(".")[1]].add(other.split(".")[1])
    below: dict[str, set[str]] = {}
    for name in reversed(names):
        below[name] = (direct[name] - {name}).union(*(below[n] for n in direct[name] - {name}))
    return sorted(
        (name, other)
        for name in names
        for other in direct[name] - {name}
        if not any(other in below[n] for n in direct[name] - {name, other})
    )


def draw() -> str:
    """The picture, as an SVG that loads nothing."""
    rows = layers()
    places = {
        name: (row, column, len(layer))
        for row, layer in enumerate(rows)
        for column, name in enumerate(layer)
    }
    height = len(rows) * _PITCH + _MARGIN
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH + 240} {height}" '
            'font-family="system-ui, sans-serif" font-size="13">'
        ),
        "<title>The packages of app and what they import</title>",
        (
            '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto">'
            '<path d="M0 0L8 4L0 8z" fill="#57606a"/></marker></defs>'
        ),
        f'<rect width="100%" height="{height}" fill="#fff"/>',
    ]
    for one, other in arrows():
        parts.append(_arrow(places[one], places[other], f"{one} {other}"))
    for name, place in places.items():
        x, y, width = _box(place)
        line = (importlib.import_module(f"app.{name}").__doc__ or "").split("\n")[0]
        says = f'<tspan dx="10" fill="#57606a">{escape(_about(line))}</tspan>'
        parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{_HEIGHT}" rx="5" fill="#f6f8fa" '
            f'stroke="#57606a"/><text class="package" x="{x + 10}" y="{y + 25}">'
            f'<tspan font-weight="bold">{name}</tspan>{says if place[2] == 1 else ""}</text>'
        )
    return "\n".join([*parts, "</svg>"])


def _about(line: str) -> str:
    line = line.replace("`", "").rstrip(".")
    return line if len(line) <= 88 else f"{line[:87].rsplit(' ', 1)[0]} …"


def _box(place: tuple[int, int, int]) -> tuple[int, int, int]:
    """Left, top and width of a package's box, by its row, column and number of columns."""
    row, column, columns = place
    width = (_WIDTH - _MARGIN * (columns + 1)) // columns
    return _MARGIN + column * (width + _MARGIN), _MARGIN + row * _PITCH, width


def _arrow(one: tuple[int, int, int], other: tuple[int, int, int], title: str) -> str:
    """Straight down into the next row, else in a curve on the right."""
    (x, y, width), (to_x, to_y, to_width) = _box(one), _box(other)
    if other[0] == one[0] + 1:
        middle = max(x, to_x) + min(width, to_width) // 2
        path = f"M{middle} {y + _HEIGHT}L{middle} {to_y}"
    else:
        right = _WIDTH - _MARGIN
        start, end = y + _HEIGHT // 2 + 5, to_y + _HEIGHT // 2 - 5
        reach = right + 24 * (other[0] - one[0])
        path = f"M{x + width} {start}L{right} {start}C{reach} {start} {reach} {end} {right} {end}"
        path += f"L{to_x + to_width} {end}" if to_x + to_width < right else ""
    return (
        f'<path d="{path}" fill="none" stroke="#57606a" marker-end="url(#end)">'
        f"<title>{title.replace(' ', ' imports ')}</title></path>"
    )


if __name__ == "__main__":
    print(draw())
