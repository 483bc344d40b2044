"""The README and the how-tos, run as a reader runs them: a served archive, curl, jq and a shell.

The archive holds the seeds, read by the extractor that is installed. Only the server's port,
the place of its data and the folder of the programs differ from what the pages say. `…` in
shown output stands for what is left out.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from app.settings import Settings
from tests import picture, programs
from tests.cli.test_cli import broadsheet, environment, port_of
from tests.test_docs import HOST, ROOT, Step, blocks, page, steps
from tests.test_serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = ("README.md", "docs/howto.md")
FIGURES, *_ = steps("README.md")
STEPS = {name: [step for step in steps(name) if step != FIGURES] for name in PAGES}
EVERY = [pytest.param(s, id=f"{s.page}-{s.number}") for all_ in STEPS.values() for s in all_]
UNIT = "docs/systemd/broadsheet.service"

reader = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq"
)


class Reader:
    """A shell in a folder of its own, beside a served archive."""

    def __init__(self, folder: Path, address: str, command: Path) -> None:
        self.folder = folder
        self._address = address
        (folder / "seeds").symlink_to(ROOT / "seeds")
        path = f"{command}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**environment(folder), "PATH": path}

    def run(self, *program: str) -> str:
        """What a program prints, here on this address."""
        here = [each.replace(HOST, self._address) for each in program]
        done = subprocess.run(
            here,
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return done.stdout.replace(self._address, HOST)

    def shell(self, *commands: str) -> list[str]:
        """What each of the commands prints, in one shell."""
        marked = "\n".join(f"{{ {each}\n}} 2>&1; printf '\\0'" for each in commands)
        return self.run("bash", "-c", marked.replace(".venv/bin/", "")).split("\0")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the seeds, loaded as `make serve` does."""
    folder = tmp_path_factory.mktemp("loaded")
    settings = environment(folder, BROADSHEET_EXTRACTOR="auto", BROADSHEET_SOURCE="Arab News")
    programs.run(broadsheet("load", "seeds"), env=settings, cwd=ROOT, check=True)
    return folder / "data"


@pytest.fixture(scope="module")
def readers(loaded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Reader]]:
    """Who reads each page, beside an archive of its own."""
    with programs.command() as command, ExitStack() as servers:
        found = {}
        for name in PAGES:
            folder = tmp_path_factory.mktemp("reader")
            shutil.copytree(loaded, folder / "data")
            _, address, _ = servers.enter_context(serving(folder))
            found[name] = Reader(folder, address, command)
        yield found


@pytest.fixture(scope="module")
def printed(readers: dict[str, Reader]) -> dict[Step, str]:
    """What every shown command prints."""
    return {
        step: answer
        for name, found in STEPS.items()
        for step, answer in zip(
            found, readers[name].shell(*(step.command for step in found)), strict=False
        )
    }


@reader
@pytest.mark.parametrize("step", EVERY)
def test_a_shown_command_prints_what_is_shown(step: Step, printed: dict[Step, str]) -> None:
    pattern = ".*".join(map(re.escape, step.shown.split("…")))
    assert re.fullmatch(pattern, printed[step].strip(), re.DOTALL), printed[step]


@pytest.mark.long
def test_the_figures_are_those_of_the_command_beside_them() -> None:
    program = FIGURES.command.removeprefix(".venv/bin/python ").split()
    done = subprocess.run(
        [sys.executable, *program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == FIGURES.shown


@reader
def test_the_picture_shows_what_a_terminal_does(readers: dict[str, Reader]) -> None:
    (answer, _) = readers["README.md"].shell(picture.COMMAND)
    shown = picture.text_of(page("docs/search.svg"))
    assert shown == "".join(f"$ {picture.COMMAND}{answer}".split())


def test_the_tour_shows_what_the_server_can_do() -> None:
    tour = "\n".join(step.command for step in STEPS["README.md"])
    shown = ("/articles?", "/articles/", 'q="', "cursor=", "/entities?", "/changes?", "load --json")
    for wanted in (*shown, "facets=", "histogram=", "highlight=", "search.csv", "/explain"):
        assert wanted in tour
    assert any('"status": 4' in step.shown for step in STEPS["README.md"])


# --- the how-tos that are no console block


def test_python_walks_a_search_and_follows_the_changes(readers: dict[str, Reader]) -> None:
    terminal = readers["docs/howto.md"]
    walk, follow, _ = blocks(page("docs/howto.md"), "python")  # the last in tests.clients
    found = terminal.run(sys.executable, "-c", walk).splitlines()
    assert [each.split()[:2] for each in found] == [
        ["2020-05-09T00:00:00Z", "Khalilzad"],
        ["2021-04-14T00:00:00Z", "Blinken"],
    ]
    client = walk.partition("for page in")[0] + follow
    first = terminal.run(sys.executable, "-c", client).splitlines()
    assert [each.split()[0] for each in first[:4]] == ["added"] * 4
    assert len({each.split()[1] for each in first}) == len(first)
    assert terminal.run(sys.executable, "-c", client) == ""


def test_cron_loads_a_folder_once(tmp_path: Path) -> None:
    (tab,) = blocks(page("docs/howto.md"), "cron")
    *times, command = tab.strip().split(maxsplit=5)
    assert len(times) == 5
    shutil.copytree(ROOT / "seeds", tmp_path / "incoming")
    for theirs, here in (
        ("/var/lib/broadsheet", str(tmp_path / "data")),
        ("/opt/broadsheet/bin/broadsheet", f"{sys.executable} -m app"),
        ("/srv/in", str(tmp_path / "incoming")),
    ):
        assert theirs in command
        command = command.replace(theirs, here)
    settings = environment(tmp_path)
    told = [
        subprocess.check_output(["sh", "-c", command], env=settings, cwd=ROOT, text=True)
        for _ in range(2)
    ]
    assert [each.split(", ")[:2] for each in told] == [
        ["saved 4", "unchanged 0"],
        ["saved 0", "unchanged 4"],
    ]


def test_a_proxy_is_believed_and_foreign_names_are_not(tmp_path: Path) -> None:
    (settings,) = (each for each in blocks(page("docs/howto.md"), "sh") if "export" in each)
    exported = dict(re.findall(r"^export BROADSHEET_(\w+)=(.*)$", settings, re.MULTILINE))
    assert len(exported) == 2
    with serving(tmp_path, **exported) as (_, address, _):
        proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": exported["ALLOWED_HOSTS"]}
        feed = httpx.get(f"{address}/v1/search.atom", headers=proxied).text
        assert f'href="https://{exported["ALLOWED_HOSTS"]}/v1/search.atom' in feed
        for name in ("Host", "X-Forwarded-Host"):
            foreign = httpx.get(f"{address}/v1/articles", headers={name: "elsewhere.example"})
            assert foreign.status_code == 421, name


# --- the unit file


@pytest.fixture(scope="module")
def service() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(page(UNIT))
    return unit["Service"]


def test_the_service_starts_answers_and_stops_in_time(
    tmp_path: Path, service: configparser.SectionProxy
) -> None:
    state = f"/var/lib/{service['StateDirectory']}"
    given = dict(each.split("=", 1) for each in shlex.split(service["Environment"]))
    assert given["BROADSHEET_DATA_DIR"] == service["WorkingDirectory"] == state
    program, *arguments = shlex.split(service["ExecStart"])
    assert program == "/opt/broadsheet/bin/broadsheet"
    arguments[arguments.index("--port") + 1] = "0"
    data = tmp_path / "state"
    data.mkdir(mode=int(service["StateDirectoryMode"], 8))
    log = tmp_path / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            broadsheet(*arguments),
            env={"PATH": os.environ["PATH"], **given, "BROADSHEET_DATA_DIR": str(data)},
            cwd=ROOT,
            umask=int(service["UMask"], 8),
            stderr=stderr,
        )
    try:
        port = port_of(process, log.read_text)
        assert httpx.get(f"http://127.0.0.1:{port}/v1/articles").json()["total"] == 0
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=float(service["TimeoutStopSec"]))
    finally:
        process.kill()
    assert process.returncode in (0, -signal.SIGTERM)  # systemd counts both as a clean end
    assert json.loads(log.read_text().partition("\n")[0])["level"] == "info"
    kept = [data, *data.rglob("*")]
    assert kept[1:]
    assert [each for each in kept if each.stat().st_mode & 0o077] == []


def test_the_service_has_the_time_to_stop(service: configparser.SectionProxy) -> None:
    settings = Settings()
    assert float(service["TimeoutStopSec"]) >= settings.drain_s + settings.stop_timeout_s + 20


def test_the_how_to_installs_what_the_unit_starts(service: configparser.SectionProxy) -> None:
    installs, runs = (each for each in blocks(page("docs/howto.md"), "sh") if "/opt/" in each)
    home = Path(service["ExecStart"].split()[0]).parent.parent
    assert f"python3 -m venv {home}\n" in installs
    assert re.search(rf"^useradd .* {service['User']}$", installs, re.MULTILINE)
    assert f"cp {UNIT} " in installs
    assert f"runuser -u {service['User']} " in runs
    assert service["Environment"].split()[0] in runs


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_takes_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    unit = tmp_path / "broadsheet.service"
    unit.write_text(page(UNIT).replace("/opt/broadsheet/bin/broadsheet", sys.executable))
    verified = analyze("verify", str(unit))
    assert (verified.returncode, verified.stdout) == (0, "")
    assessed = analyze("security", "--offline=true", "--threshold=20", str(unit))
    assert assessed.returncode == 0, assessed.stdout


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
