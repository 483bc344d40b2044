"""Documentation under test: what it describes is what there is, and its examples run.

Everything is asked of the program (settings, commands, routes, problem types, Makefile), so
that something new fails here until it is described. `console` blocks are run against a
store that holds the seeds: `curl` against the application in this process, all else by a
shell. In shown output `…` stands for what is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import doctest
import importlib
import json
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import httpx
import pytest
import typer
import typer.core
from asgi_lifespan import LifespanManager
from typer.testing import CliRunner

import app
from app import api, cli, extract, ingest, search
from app.api import components, create_app, feeds, problems
from app.api.middleware import proxy
from app.api.schemas import responses
from app.cli.common import DIFFERENT, FAILED, REJECTED, WRONG_USE
from app.errors import QueryError
from app.extract import pool
from app.ingest.field_names import DERIVED
from app.search import query
from app.search.query.parser import DEEPEST_QUERY, MOST_CLAUSES
from app.search.query.terms import LARGEST_SLOP
from app.search.query.tree import FIELDS
from app.settings import Settings
from tests import architecture, programs
from tests.fake_extractor import FakePool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parent.parent
HOST = "http://127.0.0.1:8000"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
RUN = (
    "docs/operations.md",
    "docs/settings.md",
    "docs/cli.md",
    "docs/http.md",
    "docs/query-language.md",
)
"""Pages whose `console` blocks are run here; `test_howto` runs those of the README."""


# --- what a page says


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str = r"\w*") -> list[str]:
    """The code blocks of a page in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def sections(text: str, level: int) -> dict[str, str]:
    """Heading -> what stands below it, up to the next heading of this level or above."""
    found: dict[str, str] = {}
    parts = re.split(rf"^(#{{1,{level}}}) (.+)$", prose(text), flags=re.MULTILINE)
    for mark, heading, below in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if len(mark) == level:
            assert heading not in found, f"{heading} is described twice"
            found[heading] = below
    return found


def rows(text: str) -> dict[str, list[str]]:
    """First cell -> other cells of every table row whose first cell is code."""
    found: dict[str, list[str]] = {}
    for row in re.findall(r"^\| `([^`]+)` \|(.*)\|$", text, re.MULTILINE):
        assert row[0] not in found, f"{row[0]} is described twice"
        found[row[0]] = [cell.strip() for cell in row[1].split("|")]
    return found


def line(text: str, label: str) -> str:
    """What stands after `label:` on the one line that begins with it."""
    found = re.findall(rf"^(?:- )?{label}: (.+)$", text, re.MULTILINE)
    assert len(found) == 1, f"{label}: stands {len(found)} times"
    return str(found[0])


def code(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`\n]+)`", text)


# --- settings


SETTINGS = sections(page("docs/settings.md"), 2)


def shown_default(value: object) -> str:
    if value is None or value in ((), [], {}, ""):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (list, tuple)):
        return f"`{','.join(map(str, value))}`"
    return f"`{value}`"


def test_settings_describes_every_setting_and_no_other() -> None:
    assert set(SETTINGS) == {f"BROADSHEET_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_settings_gives_default_and_bounds(name: str) -> None:
    field = Settings.model_fields[name]
    text = SETTINGS[f"BROADSHEET_{name.upper()}"]
    default = field.get_default(call_default_factory=True, validated_data={})
    assert line(text, "Default") == shown_default(default)
    limits = [getattr(each, at, None) for each in field.metadata for at in ("ge", "gt", "le", "lt")]
    told = re.findall(r"\d+(?:\.\d+)?", line(text, "Type"))
    assert {float(limit) for limit in limits if limit is not None} == set(map(float, told))
    choices = [each for each in get_args(field.annotation) if isinstance(each, str)]
    assert code(line(text, "Type")) == choices


@pytest.mark.parametrize("name", Settings.model_fields)
def test_settings_gives_an_example_that_is_taken(name: str, monkeypatch: Any) -> None:
    (example,) = code(line(SETTINGS[f"BROADSHEET_{name.upper()}"], "Example"))
    variable, _, value = example.partition("=")
    assert variable == f"BROADSHEET_{name.upper()}"
    monkeypatch.setenv(variable, value)
    taken = getattr(Settings(), name)
    taken = taken.get_secret_value() if hasattr(taken, "get_secret_value") else taken
    taken = tuple(f"{of}={n}" for of, n in taken.items()) if isinstance(taken, dict) else taken
    taken = ",".join(map(str, taken)) if isinstance(taken, tuple) else taken
    assert str(taken) in (value, f"{value}.0")


# --- the command line


def command_line() -> dict[str, Any]:
    group = typer.main.get_command(cli.cli)
    assert isinstance(group, typer.core.TyperGroup)
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        below = command.commands if isinstance(command, typer.core.TyperGroup) else {"": command}
        found |= {f"{name} {each}".strip(): one for each, one in below.items()}
    return found


COMMANDS = command_line()
CLI = sections(page("docs/cli.md"), 2)


def test_cli_describes_every_command_and_no_other() -> None:
    assert set(CLI) == {f"broadsheet {name}" for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_cli_describes_every_option_with_its_default(name: str) -> None:
    expected: dict[str, str] = {}
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            flag = parameter.is_flag or parameter.default is None
            for option in (*parameter.opts, *parameter.secondary_opts):
                expected[option] = "" if flag else f"`{parameter.default}`"
        else:
            expected[parameter.metavar or parameter.name or ""] = ""
    assert {first: cells[0] for first, cells in rows(CLI[f"broadsheet {name}"]).items()} == expected


def test_cli_lists_the_exit_codes() -> None:
    listed = re.findall(r"^\| (\d+) \|", page("docs/cli.md"), re.MULTILINE)
    sentence = re.search(r"Exit codes.*?\.\n", cli.__doc__ or "", re.DOTALL)
    assert sentence is not None
    assert listed == re.findall(r"\d+", sentence.group())
    assert {FAILED, WRONG_USE, REJECTED, DIFFERENT} < set(map(int, listed))


def test_cli_names_the_formats() -> None:
    (option,) = [each for each in COMMANDS["load"].params if each.name == "format_"]
    named = code(rows(CLI["broadsheet load"])[option.opts[0]][1])
    assert [each for each in named if not each.startswith(".")] == list(ingest.FORMATS)


# --- HTTP


METHODS = ("get", "put", "post", "delete", "patch")
HTTP = page("docs/http.md")
ROUTES = sections(HTTP, 3)
OPENAPI = create_app(Settings()).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in OPENAPI["paths"].items()
    for method, operation in operations.items()
    if method in METHODS
}


def test_http_describes_every_route_and_no_other() -> None:
    assert set(ROUTES) == set(OPERATIONS)


@pytest.mark.parametrize("route", OPERATIONS)
def test_http_names_every_parameter_of_a_route(route: str) -> None:
    real = {each["name"] for each in OPERATIONS[route].get("parameters", ())}
    named = line(ROUTES[route], "Parameters")
    assert set(code(named)) == real
    assert real or named == "none"


@pytest.mark.parametrize("route", OPERATIONS)
def test_http_names_every_status_of_a_route(route: str) -> None:
    real = sorted(int(status) for status in OPERATIONS[route]["responses"])
    assert sorted([*map(int, line(ROUTES[route], "Answers").split(", ")), 500]) == real


def test_http_describes_every_parameter_and_no_other() -> None:
    real = {p["name"] for each in OPERATIONS.values() for p in each.get("parameters", ())}
    assert set(rows(sections(HTTP, 2)["Parameters"])) == real


def test_http_describes_every_field_of_an_article() -> None:
    described = rows(sections(HTTP, 2)["Article"])
    assert set(described) == {field.name for field in fields(responses.Article)}
    ignored = {name for name, cells in described.items() if cells[1] == "ignored"}
    assert ignored == DERIVED & set(described)
    needed = {name for name, cells in described.items() if cells[1] == "one of these"}
    assert needed == {name for way in components.DRAFT["if"]["anyOf"] for name in way["required"]}
    assert set(components.DRAFT["properties"]) == set(described) - ignored


@pytest.mark.parametrize("shape", OPENAPI["components"]["schemas"])
def test_http_names_every_member_of_an_answer(shape: str) -> None:
    named = {word for each in code(HTTP) for word in re.findall(r"\w+", each)}
    members = OPENAPI["components"]["schemas"][shape].get("properties", {})
    assert set(members) - named == set()


def test_http_describes_every_upload_format_and_no_other() -> None:
    real = {
        media_type
        for operation in OPERATIONS.values()
        if "articles" in operation["tags"]
        for media_type in operation.get("requestBody", {}).get("content", ())
    }
    assert set(rows(sections(HTTP, 2)["Upload formats"])) == real


def test_http_describes_every_problem_type_and_no_other() -> None:
    described = rows(sections(HTTP, 2)["Errors"])
    assert {kind: cells[1] for kind, cells in described.items()} == problems.TITLES
    real = {kind: str(status) for status, kind in problems.STATUSES.values()}
    assert {kind: described[kind][0] for kind in real} == real


def test_http_names_the_media_types_of_feeds_and_exports() -> None:
    told = rows(sections(HTTP, 2)["Feeds and exports"])
    assert {kind: code(cells[0])[0] for kind, cells in told.items()} == {
        f".{kind}": media_type for kind, media_type in feeds.MEDIA_TYPES.items()
    }


def test_proxy_names_every_header_that_is_taken_or_ignored() -> None:
    told = rows(sections(page("docs/proxy.md"), 2)["Whom to believe"])
    assert {name.lower().encode() for name in told} == proxy.FORWARDED


def test_http_names_the_columns_of_csv() -> None:
    assert tuple(code(line(ROUTES["GET /v1/search.csv"], "Columns"))) == feeds.COLUMNS


# --- the query language


LANGUAGE = sections(page("docs/query-language.md"), 2)


@pytest.mark.parametrize("form", rows(LANGUAGE["Forms"]))
def test_query_language_shows_forms_that_can_be_read(form: str) -> None:
    assert query.parse(str(query.parse(form))) == query.parse(form)


READ_AS = {
    written: code(cells[0])[0]
    for heading in ("Precedence", "Words", "Escapes")
    for written, cells in rows(LANGUAGE[heading]).items()
}


@pytest.mark.parametrize("written", READ_AS)
def test_query_language_says_how_a_query_is_read(written: str) -> None:
    assert query.parse(written) == query.parse(READ_AS[written])


@pytest.mark.parametrize("wrong", rows(LANGUAGE["Errors"]))
def test_query_language_says_what_is_wrong_with_a_query(wrong: str) -> None:
    told, corrected = rows(LANGUAGE["Errors"])[wrong]
    with pytest.raises(QueryError) as raised:
        query.parse(wrong)
    assert raised.value.reason == told
    assert (f"`{raised.value.corrected}`" if raised.value.corrected else "") == corrected


def test_query_language_describes_every_field_and_no_other() -> None:
    assert tuple(rows(LANGUAGE["Fields"])) == FIELDS


def test_query_language_gives_the_limits() -> None:
    limits = (query.LONGEST_QUERY, MOST_CLAUSES, DEEPEST_QUERY, LARGEST_SLOP)
    told = re.findall(r"[\d,.]*\d", LANGUAGE["Limits"])
    assert told[: len(limits)] == [f"{limit:,}" for limit in limits]


# --- the house


PROJECT = tomllib.loads(page("pyproject.toml"))


def modules(package: ModuleType) -> set[str]:
    """The modules of a package and of those inside it, named from it on."""
    beginning = f"{package.__name__}."
    found = pkgutil.walk_packages(package.__path__, beginning)
    return {module.name.removeprefix(beginning) for module in found}


def test_architecture_names_every_module_and_no_other() -> None:
    tree = blocks(page("docs/architecture.md"))[0]
    named = set(re.findall(r"^  (\w+)(?:\.py|/) +", tree, re.MULTILINE))
    assert named == {module.name for module in pkgutil.iter_modules(app.__path__)} | {"__main__"}
    told = rows(sections(page("docs/architecture.md"), 2)["Inside search"])
    assert set(told) == modules(search)
    told = rows(sections(page("docs/architecture.md"), 2)["Inside extract"])
    assert set(told) == modules(extract)


def test_architecture_gives_the_import_order() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (contract,) = [each for each in contracts if each.get("containers") == ["app"]]
    layers = [each for each in contract["layers"] if each != "__main__"]
    assert blocks(page("docs/architecture.md"))[1].strip() == " > ".join(layers)


def test_the_picture_of_the_architecture_is_of_the_imports_that_are_there() -> None:
    assert page("docs/architecture.svg") == f"{architecture.draw()}\n"
    for one, other in architecture.arrows():
        above, below = (
            next(n for n, layer in enumerate(architecture.layers()) if name in layer)
            for name in (one, other)
        )
        assert above < below, (one, other)


def test_container_describes_every_build_argument_with_its_default() -> None:
    real = re.findall(r"^ARG (\w+)(?:=(\S+))?$", page("Dockerfile"), re.MULTILINE)
    told = rows(sections(page("docs/container.md"), 2)["What is in the image"])
    defaults = {name: f"`{default}`" if default else "none" for name, default in real}
    assert {name: cells[0] for name, cells in told.items()} == defaults


def test_container_describes_every_variable_of_compose() -> None:
    real = set(re.findall(r"\$\{(\w+)", page("docker-compose.yml")))
    told = set(rows(sections(page("docs/container.md"), 2)["Settings"]))
    assert told == real | {"COMPOSE_PROJECT_NAME"}


def test_every_library_has_a_reason() -> None:
    wanted = {re.split(r"[\[<>=~!]", each)[0] for each in PROJECT["project"]["dependencies"]}
    extra = PROJECT["project"]["optional-dependencies"]["entities"]
    wanted |= {re.split(r"[\[<>=~!]", each)[0] for each in extra}
    given = rows(page("docs/libraries.md"))
    assert set(given) == wanted
    assert all(cells[0] for cells in given.values())


def test_decisions_are_numbered_without_a_gap() -> None:
    records = sorted(ROOT.glob("docs/decisions/[0-9]*.md"))
    for number, record in enumerate(records, 1):
        assert record.name.startswith(f"{number:04d}-"), record.name
        title, date = record.read_text().split("\n\n", 2)[:2]
        assert title.startswith(f"# {number}. "), record.name
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", date), record.name
    assert records


def test_contributing_describes_the_make_targets() -> None:
    makefile = page("Makefile")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    public = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert public
    told = rows(sections(page("CONTRIBUTING.md"), 2)["Set-up"])
    assert set(told) == {f"make {target}" for target in public}
    for path in PAGES:
        words = [*code(prose(path.read_text())), *blocks(path.read_text())]
        used = {name for each in words for name in re.findall(r"\bmake ([a-z-]+)", each)}
        assert used - targets == set(), path.name


# --- pages


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as they are made on code hosts."""
    headings = re.findall(r"^#+ (.+)$", prose(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_relative_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = path.parent / name if name else path
        assert found.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(found), f"{target} has no such heading"


def test_readme_opens_with_the_two_commands() -> None:
    assert blocks(page("README.md"))[0] == "make serve\nmake test\n"


def test_the_changelog_opens_with_what_is_unreleased() -> None:
    assert next(iter(sections(page("CHANGELOG.md"), 2))) == "[Unreleased]"


# --- examples in docstrings


def documented() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for found in pkgutil.walk_packages(app.__path__, "app."):
        for example in finder.find(importlib.import_module(found.name)):
            if example.examples:
                yield example


@pytest.mark.parametrize("example", [*documented()], ids=lambda example: example.name)
def test_the_examples_in_a_docstring_are_true(example: doctest.DocTest) -> None:
    told: list[str] = []
    failed, attempted = doctest.DocTestRunner().run(example, out=told.append)
    assert attempted
    assert not failed, "".join(told)


# --- console blocks


@dataclass(frozen=True)
class Step:
    """A command of a console block with the output that is shown below it."""

    page: str
    number: int
    command: str
    shown: str


@dataclass(frozen=True)
class Answer:
    """What a command gave; `status` is None for what is not HTTP."""

    text: str
    status: int | None = None


def steps(name: str) -> list[Step]:
    found: list[Step] = []
    for block in blocks(page(name), "console"):
        assert block.startswith("$ "), f"{name}: a console block starts with a command"
        for each in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = each.partition("\n")
            while command.endswith(("|", "\\")):  # it goes on in the next line
                more, _, shown = shown.partition("\n")
                command += f"\n{more}"
            found.append(Step(name, len(found), command, shown.strip()))
    return found


STEPS = {name: steps(name) for name in RUN}
EVERY = [pytest.param(s, id=f"{s.page}-{s.number}") for all_ in STEPS.values() for s in all_]


CURL = argparse.ArgumentParser("curl", add_help=False, allow_abbrev=False)
CURL.add_argument("-s", action="store_true")
CURL.add_argument("-i", action="store_true", dest="head")
CURL.add_argument("-G", action="store_true", dest="get")
CURL.add_argument("-X", dest="method")
CURL.add_argument("-H", action="append", dest="headers", default=[])
CURL.add_argument(
    "-d", "--data-binary", "--data-urlencode", action="append", dest="data", default=[]
)
CURL.add_argument("-o", choices=["/dev/null"], dest="output")
CURL.add_argument("--etag-save")
CURL.add_argument("--etag-compare")
CURL.add_argument("url")


class Terminal:
    """Runs the commands of one page in order, on one store that holds the seeds."""

    def __init__(self, folder: Path, loaded: Path, command: Path) -> None:
        shutil.copytree(loaded, folder / "data")
        (folder / "seeds").symlink_to(ROOT / "seeds")
        self._folder = folder
        self._names: dict[str, str] = {}
        self._environment = {
            **{name: value for name, value in os.environ.items() if "BROADSHEET_" not in name},
            "BROADSHEET_DATA_DIR": str(folder / "data"),
            "BROADSHEET_EXTRACTOR": "none",
            "BROADSHEET_SOURCE": "Arab News",  # as `make serve` has it
            "PATH": f"{command}{os.pathsep}{os.environ['PATH']}",
        }

    async def run(self, steps_: list[Step]) -> dict[Step, Answer]:
        if not any("curl " in each.command for each in steps_):
            async with httpx.AsyncClient() as nobody:
                return {each: await self._answer(nobody, each.command) for each in steps_}
        application = create_app(Settings(data_dir=self._folder / "data", search_timeout_s=60))
        async with LifespanManager(application) as running:
            transport = httpx.ASGITransport(running.app)
            async with httpx.AsyncClient(transport=transport) as client:
                return {each: await self._answer(client, each.command) for each in steps_}

    async def _answer(self, client: httpx.AsyncClient, command: str) -> Answer:
        if assignment := re.fullmatch(r"(\w+)=\$\((curl .+) \| jq -r \.(\w+)\)", command):
            name, asked, member = assignment.groups()
            answer = await self._curl(client, asked)
            self._names[name] = json.loads(answer.text)[member]
            return Answer("", answer.status)
        if assignment := re.fullmatch(
            r"(\w+)=\$\((broadsheet|\.venv/bin/broadsheet) (.+)\)", command
        ):
            name, _, arguments = assignment.groups()
            told = await self._shell(f"broadsheet {arguments} > {name}.out")
            self._names[name] = (self._folder / f"{name}.out").read_text().strip()
            return told
        if command.startswith("curl "):
            return await self._curl(client, command)
        return await self._shell(command)

    async def _shell(self, command: str) -> Answer:
        command = command.replace(".venv/bin/broadsheet", "broadsheet")
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return Answer(done.stdout)

    async def _curl(self, client: httpx.AsyncClient, command: str) -> Answer:
        """What `curl` would print. Knows the few options that the pages use, no other."""
        command = re.sub(r"\$'(.*)'", lambda m: shlex.quote(m[1].replace(r"\n", "\n")), command)
        for name, value in self._names.items():
            command = command.replace(f"${name}", value)
        asked = CURL.parse_args(shlex.split(command)[1:])
        assert asked.url.startswith(HOST)
        headers = dict(each.split(": ", 1) for each in asked.headers)
        if asked.etag_compare:
            headers["If-None-Match"] = (self._folder / asked.etag_compare).read_text()
        if asked.get:
            pairs = dict(each.split("=", 1) for each in asked.data)
            response = await client.get(asked.url, params=pairs, headers=headers)
        else:
            content = "&".join(asked.data).encode() if asked.data else None
            method = asked.method or ("POST" if asked.data else "GET")
            response = await client.request(method, asked.url, content=content, headers=headers)
        if asked.etag_save:
            (self._folder / asked.etag_save).write_text(response.headers["ETag"])
        text = "" if asked.output else f"{head(response) if asked.head else ''}{response.text}"
        return Answer(text.replace("\r\n", "\n"), response.status_code)  # as a terminal shows it


def head(response: httpx.Response) -> str:
    """The status line and the headers, as `curl -i` prints them."""
    status = f"{response.http_version} {response.status_code} {response.reason_phrase}"
    lines = [status, *(f"{name}: {value}" for name, value in response.headers.items())]
    return "\n".join([*lines, "", ""])


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[Step, Answer]:
    """What every command of the pages gives, each page on a store of its own."""
    loaded = tmp_path_factory.mktemp("loaded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROADSHEET_DATA_DIR", str(loaded))
        patch.setenv("BROADSHEET_SOURCE", "Arab News")
        patch.setattr(pool, "ExtractorPool", FakePool)
        patch.chdir(ROOT)
        done = CliRunner().invoke(cli.cli, ["load", "seeds"])
    assert done.exit_code == 0, done.output

    async def run(command: Path) -> dict[Step, Answer]:
        terminals = [
            Terminal(tmp_path_factory.mktemp(Path(name).stem), loaded, command) for name in STEPS
        ]
        together = zip(terminals, STEPS.values(), strict=True)
        pages = await asyncio.gather(*(terminal.run(steps_) for terminal, steps_ in together))
        return {step: answer for each in pages for step, answer in each.items()}

    with pytest.MonkeyPatch.context() as patch, programs.command() as command:
        patch.setattr(api, "ExtractorPool", FakePool)
        return asyncio.run(run(command))


@pytest.mark.parametrize("step", EVERY)
def test_a_shown_command_gives_what_is_shown(step: Step, answers: dict[Step, Answer]) -> None:
    answer = answers[step]
    whole = abridged(step.shown)
    if isinstance(whole, dict) and answer.status is not None:
        differences = list(compare(whole, json.loads(answer.text)))
        assert differences == [], step.command
        assert answer.status == whole.get("status", answer.status)
    else:
        pattern = ".*".join(map(re.escape, step.shown.split("…")))
        assert re.fullmatch(pattern, answer.text.strip(), re.DOTALL), answer.text
        whole = {}
    if answer.status is not None and "status" not in whole:
        assert 200 <= answer.status < 300 or f" {answer.status} " in step.shown


# --- shortened JSON


LEFT_OUT = "…"
HOLE = "\ue000"
"""Stands for a bare `…` in JSON that has been read."""


def abridged(shown: str) -> Any:
    r"""Shown JSON with its holes; None if it is no JSON.

    A bare `…` stands for any value, for further members or for further elements; at a
    string's end for the rest of it.
    """
    inside: list[str] = []
    written: list[str] = []
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|[{}\[\],:…]|[^\s{}\[\],:…"]+', shown):
        if token in "{[":
            inside.append(token)
        elif token in "}]" and inside:
            inside.pop()
        if token == LEFT_OUT:
            member = inside[-1:] == ["{"] and written[-1] != ":"
            written += [f'"{HOLE}"', ":", "null"] if member else [f'"{HOLE}"']
        else:
            written.append(token)
    try:
        return json.loads(" ".join(written))
    except ValueError:
        return None


def compare(shown: Any, real: Any, at: str = "$") -> Iterator[str]:
    """Where shown JSON says something else than the real one."""
    if shown == HOLE:
        return
    if isinstance(shown, dict) and isinstance(real, dict):
        yield from _compare_members(shown, real, at)
    elif isinstance(shown, list) and isinstance(real, list):
        yield from _compare_elements(shown, real, at)
    elif isinstance(shown, str) and isinstance(real, str) and shown.endswith(LEFT_OUT):
        if not real.startswith(shown.removesuffix(LEFT_OUT)):
            yield f"{at} is {real!r}"
    elif shown != real or type(shown) is not type(real):
        yield f"{at} is {real!r}"


def _compare_members(shown: dict[str, Any], real: dict[str, Any], at: str) -> Iterator[str]:
    members = shown.keys() - {HOLE}
    if missing := members - real.keys():
        yield f"{at} has no {sorted(missing)}"
    if HOLE not in shown and (hidden := real.keys() - members):
        yield f"{at} also has {sorted(hidden)}"
    for name in sorted(members & real.keys()):
        yield from compare(shown[name], real[name], f"{at}.{name}")


def _compare_elements(shown: list[Any], real: list[Any], at: str) -> Iterator[str]:
    whole = shown[-1:] != [HOLE]
    parts = shown if whole else shown[:-1]
    if len(parts) > len(real) or (whole and len(parts) != len(real)):
        yield f"{at} has {len(real)} elements"
    for number, (part, element) in enumerate(zip(parts, real, strict=False)):
        yield from compare(part, element, f"{at}[{number}]")


@pytest.mark.parametrize(
    ("shown", "agrees"),
    [
        ('{"total": 2, "items": ["a", "b"]}', True),
        ('{"total": 2, …}', True),
        ('{"total": …, "items": […]}', True),
        ('{"total": 2, "items": ["a", …]}', True),
        ('{"total": 2, "items": ["…", "b"]}', True),
        ('{"total": 3, …}', False),
        ('{"total": "2", …}', False),
        ('{"total": 2}', False),
        ('{"total": 2, "items": ["a"]}', False),
        ('{"total": 2, "items": ["b…", …]}', False),
        ('{"headline": …, …}', False),
    ],
)
def test_shortened_json_is_compared(shown: str, agrees: bool) -> None:
    assert (list(compare(abridged(shown), {"total": 2, "items": ["a", "b"]})) == []) == agrees
