from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from app import cli
from app.articles import changes
from app.errors import EngineBusy, StoreError
from app.search import open_engine
from app.services import indexing
from app.settings import Settings
from tests import factories, programs

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

SEEDS = Path(__file__).parents[2] / "seeds"
ARTICLE = {"headline": "Rain", "body": "It rained."}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command line in this process, with its data below `tmp_path`."""
    monkeypatch.setenv("BROADSHEET_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BROADSHEET_EXTRACTOR", "none")  # most commands are tried for another thing
    monkeypatch.chdir(tmp_path)

    def _run(*arguments: str | Path, **options: Any) -> Result:
        return CliRunner().invoke(cli.cli, list(map(str, arguments)), **options)

    return _run


def lines(path: Path, *articles: object) -> Path:
    path.write_text("".join(json.dumps(article) + "\n" for article in articles))
    return path


def loaded(result: Result, code: int = 0) -> dict[str, Any]:
    assert result.exit_code == code, result.output
    summary: dict[str, Any] = json.loads(result.stdout)
    return summary


def test_the_seeds_are_loaded_and_nothing_changes_again(run: Callable[..., Result]) -> None:
    first = loaded(run("load", "--json", SEEDS))
    assert first == {
        "saved": 4, "unchanged": 0, "revised": 0, "stale": 0, "withheld": 0, "removed": 0,
        "rejected": [], "rejected_total": 0, "warned": 0, "load": 1, "formats": {"page_text": 2},
    }  # fmt: skip
    again = loaded(run("load", "--json", SEEDS))
    assert (again["saved"], again["unchanged"], again["load"]) == (0, 4, None)
    assert run("check").exit_code == 0


def test_files_folders_globs_and_stdin(run: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    lines(folder / "a.jsonl", {"headline": "A", "body": "One."})
    lines(folder.parent / "b.jsonl", {"headline": "B", "body": "Two."})
    lines(folder / ".hidden.jsonl", {"headline": "H", "body": "Never."})
    lines(tmp_path / "c.jsonl", {"headline": "C", "body": "Three."})
    assert loaded(run("load", "--json", "in"))["saved"] == 2
    assert loaded(run("load", "--json", "in/**/*.jsonl"))["unchanged"] == 2
    assert loaded(run("load", "--json", str(tmp_path / "?.jsonl")))["saved"] == 1
    stdin = json.dumps({"headline": "D", "body": "Four."})
    result = run("load", "--json", "--format", "json_lines", "-", input=stdin)
    assert loaded(result)["saved"] == 1


def test_rejected_input_is_told_from_failure(run: Callable[..., Result], tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", ARTICLE, {"source": "No text"}, "no object")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "folder.jsonl").mkdir()
    summary = loaded(run("load", "--json", "a.jsonl", "missing.txt", "binary.txt"), code=3)
    assert summary["saved"] == 1
    where = [(each["path"], each["line"]) for each in summary["rejected"]]
    assert where[:3] == [("missing.txt", None), ("a.jsonl", 2), ("a.jsonl", 3)]
    assert where[3][0] == "binary.txt"
    assert all(each["reason"] for each in summary["rejected"])
    assert run("check").exit_code == 0


def test_the_first_thousand_rejected_are_named_and_all_are_counted(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    bad = [{"source": "No text"}] * 1_200
    lines(tmp_path / "a.jsonl", *bad, ARTICLE, {"source": "No text"})
    summary = loaded(run("load", "--json", "a.jsonl"), code=3)
    assert [each["line"] for each in summary["rejected"]] == list(range(1, 1_001))
    assert (summary["saved"], summary["rejected_total"]) == (1, 1_201)
    assert "unchanged 1, revised 0, stale 0, withheld 0, removed 0, rejected 1201, warned 0" in (
        run("load", "a.jsonl").output
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_rejected(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    lines(tmp_path / "a.jsonl", ARTICLE).chmod(0)
    assert "denied" in loaded(run("load", "--json", "a.jsonl"), 3)["rejected"][0]["reason"].lower()


def test_a_file_that_breaks_while_it_is_read_is_rejected(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines(tmp_path / "a.jsonl", ARTICLE)
    lines(tmp_path / "b.jsonl", {"headline": "B", "body": "Two."})
    real = Path.open

    class Breaking(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _: Any) -> int:
            raise OSError(5, "Input/output error")

    def opened(self: Path, *args: Any, **more: Any) -> Any:
        if self.name == "a.jsonl":
            return io.BufferedReader(Breaking())
        return real(self, *args, **more)

    monkeypatch.setattr(Path, "open", opened)
    summary = loaded(run("load", "--json", "a.jsonl", "b.jsonl"), code=3)
    assert summary["saved"] == 1
    assert summary["rejected"][0]["reason"] == "cannot be read: Input/output error"


def test_a_summary_for_people(run: Callable[..., Result], tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", ARTICLE, {"source": "No text"})
    result = run("load", "a.jsonl")
    assert result.exit_code == 3
    assert result.stdout == (
        "saved 1, unchanged 0, revised 0, stale 0, withheld 0, removed 0, rejected 1, warned 0,"
        " load 1\n"
    )


def test_a_load_larger_than_a_batch(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "BATCH", 3)
    many = [{"headline": f"Story {n}", "body": f"Number {n}."} for n in range(10)]
    assert loaded(run("load", "--json", lines(tmp_path / "a.jsonl", *many)))["saved"] == 10
    report = json.loads(run("check", "--json").stdout)
    assert (report["articles"], report["cursor"], report["agrees"]) == (10, 4, True)


def test_large_articles_are_stored_before_they_pile_up(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "BATCH_BYTES", 50)
    many = [{"headline": f"Story {n}", "body": "word " * 20 + str(n)} for n in range(3)]
    assert loaded(run("load", "--json", lines(tmp_path / "a.jsonl", *many)))["saved"] == 3
    assert json.loads(run("check", "--json").stdout)["cursor"] == 3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["load"],
        ["load", "--format", "papyrus", "x"],
        ["show", "not-an-id"],
        ["serve", "--port", "99999"],
        ["serve", "--workers", "0"],
        ["nonsense"],
        ["check", "--nonsense"],
    ],
)
def test_wrong_use_is_2(run: Callable[..., Result], arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BROADSHEET_SEARCH_TIMEOUT_S", "soon"),
        ("BROADSHEET_THREADS", "0"),
        ("BROADSHEET_SEARCH_ENGINE", "grep"),
        ("BROADSHEET_DATABASE_URL", "mysql://x"),
    ],
)
def test_a_wrong_setting_is_2_and_named(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    result = run("check")
    assert result.exit_code == 2
    assert name in result.stderr
    assert repr(value) in result.stderr


def test_a_setting_that_does_not_exist_is_pointed_out(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BROADSHEET_THREAD", "3")
    assert run("check").exit_code in (0, 4)
    assert "BROADSHEET_THREAD is not a setting" in caplog.text
    assert "did you mean BROADSHEET_THREADS?" in caplog.text


def test_the_version_is_printed(run: Callable[..., Result]) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", run("--version").stdout)


def test_show_prints_the_article_as_the_api_gives_it(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    run("load", lines(tmp_path / "a.jsonl", {**ARTICLE, "published_at": "2020-05-09"}))
    with factories.store(tmp_path) as database, database.reading() as session:
        ((id_, _),) = changes.versions(session)
    shown = json.loads(run("show", id_).stdout)
    assert (shown["headline"], shown["published_at"]) == ("Rain", "2020-05-09T00:00:00Z")
    assert shown["sources"][0]["path"].endswith("a.jsonl")


def test_warnings_lists_what_readers_were_not_sure_of(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    summary = loaded(run("load", "--json", lines(tmp_path / "a.jsonl", {**ARTICLE, "odd": 1})))
    assert summary["warned"] == 1
    (line,) = run("warnings").stdout.splitlines()
    assert "odd" in json.loads(line)["warnings"][0]


def test_sync_says_what_it_did(run: Callable[..., Result], tmp_path: Path) -> None:
    with factories.store(tmp_path) as database:
        factories.save(database, [factories.draft()])
    assert "indexed 1 articles up to change 1, built anew: no index" in run("sync").stdout
    assert run("sync").stdout == "indexed 0 articles up to change 1\n"
    assert json.loads(run("sync", "--json").stdout) == {
        "applied": 0, "cursor": 1, "rebuilt": None,
    }  # fmt: skip


def test_check_tells_a_difference_and_repairs_it(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    run("load", SEEDS)
    stamp = tmp_path / "data" / "index" / "whoosh.json"
    stamp.write_text("{")
    result = run("check")
    assert result.exit_code == 4
    assert "cannot be compared" in result.stdout
    assert json.loads(run("check", "--json").stdout)["agrees"] is False
    repaired = run("check", "--repair")
    assert repaired.exit_code == 0
    assert "they agree" in repaired.stdout
    assert "cannot be compared" in repaired.stderr
    with factories.store(tmp_path) as database:
        factories.save(database, [factories.draft()])
    assert "1 changes wait" in run("check").stdout


def test_each_difference_is_named(run: Callable[..., Result], tmp_path: Path) -> None:
    run("load", SEEDS)
    engine = open_engine(factories.settings(tmp_path))
    with factories.store(tmp_path) as database, database.reading() as session:
        id_ = next(changes.versions(session))[0]
        (state,) = changes.states(session, [id_])
        engine.apply([replace(state, document=None)], engine.stamp().cursor)
    engine.close()
    result = run("check")
    assert result.exit_code == 4
    assert f"missing {id_}" in result.stdout
    assert "they differ" in result.stdout


def test_a_busy_index_is_waited_for_and_then_left(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = indexing.sync
    refusals = [EngineBusy("x")] * 2

    def busy(*args: Any, **more: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return real(*args, **more)

    monkeypatch.setattr(indexing, "sync", busy)
    assert run("load", SEEDS).exit_code == 0
    assert refusals == []
    refusals.extend([EngineBusy("x")] * 9)
    monkeypatch.setattr(cli, "BUSY_TIMEOUT_S", 0)
    assert run("load", SEEDS).exit_code == 0


def test_an_error_of_ours_is_1_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full(StoreError):
        hint = "make room"

    def fail() -> None:
        raise Full("the disk is full")

    monkeypatch.setattr(cli, "cli", fail)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err == "error: the disk is full\nhint: make room\n"


# --- as a process


def broadsheet(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "app", *map(str, arguments)]


def environment(folder: Path, **more: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BROADSHEET_")}
    file = folder / "first-key"
    if not file.exists():
        file.write_text(factories.KEY)
    quick = {
        "BROADSHEET_EXTRACTOR": "none",  # most commands are tried for something else
        "BROADSHEET_SEARCH_TIMEOUT_S": "60",  # however busy the machine is
        "BROADSHEET_FIRST_KEY_FILE": str(file),
    }
    return {**inherited, **quick, "BROADSHEET_DATA_DIR": str(folder / "data"), **more}


def test_data_goes_to_stdout_and_logs_to_stderr(tmp_path: Path) -> None:
    page = tmp_path / "empty.txt"
    page.write_text("")
    done = programs.run(
        broadsheet("load", "--json", SEEDS, page),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert json.loads(done.stdout)["saved"] == 4
    assert f"rejected {page}" in done.stderr
    assert "\x1b" not in done.stderr, "no colours and no progress bar away from a terminal"
    missing = programs.run(
        broadsheet("show", str(uuid4())),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith("error: no article with id")


def test_a_terminal_shows_progress(tmp_path: Path) -> None:
    parent, child = pty.openpty()
    process = programs.Popen(
        broadsheet("load", SEEDS),
        env=environment(tmp_path, TERM="xterm", COLUMNS="80"),
        stdout=subprocess.PIPE,
        stderr=child,
    )
    os.close(child)
    shown = b""
    try:
        while piece := os.read(parent, 4096):
            shown += piece
    except OSError:
        pass  # the terminal is gone with the process
    finally:
        os.close(parent)
    stdout, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert b"reading" in shown
    assert stdout.startswith(b"saved 4")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_answers_and_stops_when_told(tmp_path: Path, workers: str) -> None:
    programs.run(
        broadsheet("load", SEEDS),
        env=environment(tmp_path),
        check=True,
        capture_output=True,
    )
    log = tmp_path / "serve.log"
    with log.open("wb") as stderr:
        process = programs.Popen(
            broadsheet("serve", "--port", "0", "--workers", workers),
            env=environment(tmp_path),
            stderr=stderr,
        )
    try:
        port = port_of(process, log.read_text)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            answer = client.get("/v1/search", params={"q": "binance"})
            assert answer.json()["total"] == 1
            assert "server" not in answer.headers
            assert client.get("/v1/articles").json()["total"] == 4
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)
    assert process.returncode in (0, -signal.SIGTERM), log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_port_in_use_is_a_failure(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = programs.run(
            broadsheet("serve", "--port", str(taken.getsockname()[1])),
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1
    assert "in use" in done.stderr


def port_of(process: subprocess.Popen[Any], log: Callable[[], str]) -> int:
    """The port that `serve --port 0` has taken, as its log says; the server is ready."""
    for _ in range(6000):
        if found := re.search(r"running on http://[^ ]*:(\d+)", log()):
            port = int(found[1])
            wait_until_ready(process, port)
            return port
        assert process.poll() is None, f"the server has ended: {log()}"
        signal.sigtimedwait([], 0.02)
    raise AssertionError("the server has no address after two minutes")


def wait_until_ready(process: subprocess.Popen[Any], port: int) -> None:
    """Ask /readyz until it says yes, for two minutes at most."""
    transport = httpx.HTTPTransport(retries=0)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
        for _ in range(6000):
            assert process.poll() is None, "the server has ended"
            try:
                if client.get("/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            signal.sigtimedwait([], 0.02)
    raise AssertionError("the server is not ready after two minutes")


def test_settings_are_frozen_and_empty_means_none() -> None:
    chosen = Settings(source="", database_url="")
    assert chosen.source is None
    assert chosen.database_url is None
    with pytest.raises(ValueError, match="frozen"):
        chosen.source = "x"  # type: ignore[misc]


def test_what_a_user_sent_cannot_pass_for_a_line_of_the_log(tmp_path: Path) -> None:
    done = programs.run(
        broadsheet("load", "rain\nERROR forged\x1b[2J\u2028.txt"),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines()[0] == (
        "WARNING rejected rain\\nERROR forged\\x1b[2J\\u2028.txt: there is no such file"
    )
