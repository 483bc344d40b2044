"""`python -m tests.picture > docs/search.svg`: the README's picture, of a terminal.

Runs COMMAND against the server that `make serve` starts, and draws what curl and jq print.
"""

from __future__ import annotations

import re
import subprocess
from html import unescape
from io import StringIO

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

COLUMNS = 100
COMMAND = r"""curl -sG http://127.0.0.1:8000/v1/search \
    --data-urlencode 'q="peace process" -crypto' -d highlight=true -d facets=person |
  jq '{total, hits: [.items[] | {headline: .article.headline, why: .highlights[-1].text}],
    people: (.facets.person[:4] | map(.label) | join(", ")), complete}'"""


def draw(printed: str) -> str:
    """COMMAND and what it printed as an SVG that loads nothing."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text(f"$ {COMMAND}", style="bold"), soft_wrap=False)
    console.print(Text.from_ansi(printed.strip()))
    svg = console.export_svg(title="Broadsheet", theme=DIMMED_MONOKAI, unique_id="search")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")


def text_of(svg: str) -> str:
    """What a drawn terminal says, without white space, since a terminal wraps lines."""
    shown = re.findall(r'<text class="search-r\d+"[^>]*>([^<]*)<', svg)
    return "".join(unescape("".join(shown)).split())


def main() -> None:
    """Print the picture."""
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND.replace(' jq ', ' jq -C ', 1)}"],
        capture_output=True,
        text=True,
        check=True,
    )
    print(draw(done.stdout))


if __name__ == "__main__":
    main()
