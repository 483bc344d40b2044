"""Fixtures that more than one module uses."""

from __future__ import annotations

import os
import random
import signal
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import hypothesis
import pytest
from hypothesis import HealthCheck

from app.search import deadline, open_engine
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.search.engine import Engine
    from app.store.database import Database

# An example that takes long on a busy machine is no fault. What is random is so everywhere,
# and again by its seed.
hypothesis.settings.register_profile(
    "untimed",
    deadline=None,
    derandomize=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Draw a seed where none is given; workers get that of the run.

    Signals that nohup, or a shell's `&`, has taken from this process are given back, so that the
    programs that tests start can be stopped by them.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = random.SystemRandom().randrange(10**6)


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {_seed(config)}, given again by SEED= or --hypothesis-seed="


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    if exitstatus:
        terminalreporter.write_line(pytest_report_header(config))


def _seed(config: pytest.Config) -> str:
    return str(config.option.hypothesis_seed)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """A source of what is random, drawn from the seed of the run and the test's own name."""
    return random.Random(f"{_seed(request.config)} {request.node.nodeid}")


@pytest.fixture(autouse=True)
def _umask_stays() -> Iterator[None]:
    """A command that runs in this process sets its umask for good."""
    before = os.umask(0o077)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("BROADSHEET_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _searches_in_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search in this process loses no time to other programs."""
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=time.process_time))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty store."""
    with factories.store(tmp_path) as opened:
        yield opened


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The engine beside the store of `database`; it has no index yet."""
    opened = open_engine(factories.settings(tmp_path))
    yield opened
    opened.close()
