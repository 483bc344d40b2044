"""What every engine owes: these tests run over each row of ENGINES."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.search.contract.articles import ENGINES, STORE, change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.search.engine import Engine


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Opens one more engine on the same folder, as another process would."""
    opened: list[Engine] = []

    def _make() -> Engine:
        opened.append(ENGINES[request.param](tmp_path / "index"))
        return opened[-1]

    yield _make
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(make: Callable[[], Engine]) -> Engine:
    """An engine with an empty index."""
    made = make()
    with made.rebuilding(STORE):
        pass
    return made


@pytest.fixture
def orchard(engine: Engine) -> Engine:
    """Articles for the whole query language."""
    engine.apply(
        [
            change(0, 1, "Green apples", body="They rot.", place=["Cairo"], source=["Nile Post"]),
            change(1, 1, "Pears", body="Apples are not green pears.", place=["Abu Dhabi"]),
            change(2, 1, "Apple and a green leaf", body="Presidents eat them.", day=400),
            change(3, 1, "Figs", summary=["Apples fall"], body="The president said so.", day=800),
            change(4, 1, "Rain", caption="Green hills", body="It rained on appels.", day=None),
        ],
        1,
    )
    return engine
