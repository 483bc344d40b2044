"""Metrics, dashboard, alerts and the runbook name the same things."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests import factories

if TYPE_CHECKING:
    from tests.api.conftest import Serve

FOLDER = Path(__file__).parents[2] / "docs"
RUNBOOK = (FOLDER / "operations.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((FOLDER / "operations" / "grafana.json").read_text(encoding="utf-8"))
ALERTS = (FOLDER / "operations" / "alerts.yml").read_text("utf-8")
(RULES,) = yaml.safe_load(ALERTS)["groups"]
NAME = re.compile(r"\bbroadsheet_\w+")


@pytest.fixture
async def scraped(serve: Serve) -> str:
    """What `/metrics` answers after a request or two."""
    async with serve([factories.numbered(1)]) as client:
        await client.get("/v1/search?q=apples")
        await client.get("/nowhere")
        return (await client.get("/metrics")).text


@pytest.fixture
def metrics(scraped: str) -> set[str]:
    """Every metric that a server gives."""
    return {
        sample.name
        for family in text_string_to_metric_families(scraped)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def named(texts: list[str]) -> set[str]:
    return {name for text in texts for name in NAME.findall(text)}


def expressions(panels: list[dict[str, Any]]) -> list[str]:
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.anyio
async def test_the_runbook_names_every_metric_and_no_other(metrics: set[str]) -> None:
    table = re.findall(r"^\| `(broadsheet_\w+)` \|", RUNBOOK, re.MULTILINE)
    families = {re.sub(r"_(bucket|sum|count)$", "", each) for each in metrics}
    assert len(table) == len(set(table))
    assert set(table) == families


@pytest.mark.anyio
async def test_the_dashboard_shows_what_there_is(metrics: set[str]) -> None:
    shown = named(expressions(DASHBOARD["panels"]))
    assert shown <= metrics
    families = {re.sub(r"_(bucket|sum|count)$", "", each) for each in metrics}
    assert families <= {re.sub(r"_bucket$", "", each) for each in shown} | {
        "broadsheet_build_info"
    }, "every metric has a panel"
    variables = [
        v["query"]["query"] for v in DASHBOARD["templating"]["list"] if v["type"] == "query"
    ]
    assert named(variables) <= metrics


def test_the_dashboard_is_well_formed() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for text in expressions(DASHBOARD["panels"]):
        assert [text.count(sign) for sign in "([{"] == [text.count(sign) for sign in ")]}"], text
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.anyio
async def test_alerts_look_at_what_there_is(metrics: set[str]) -> None:
    assert named([rule["expr"] for rule in RULES["rules"]]) <= metrics
    for rule in RULES["rules"]:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def promtool(*arguments: str | Path, stdin: str = "") -> None:
    """Let Prometheus itself check what is given; skipped where it is not installed."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")
    command = [program, "check", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def test_prometheus_reads_the_alerts() -> None:
    promtool("rules", "--lint-fatal", FOLDER / "operations" / "alerts.yml")


def test_the_alerts_are_about_the_job_that_is_scraped() -> None:
    (elsewhere,) = re.findall(r"^```yaml\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL)
    for told in ((FOLDER / "operations" / "prometheus.yml").read_text(), elsewhere):
        (job,) = yaml.safe_load(told)["scrape_configs"]
        assert {job["job_name"]} == set(re.findall(r'job="(\w+)"', ALERTS))


def test_prometheus_reads_the_scrapes() -> None:
    promtool("config", FOLDER / "operations" / "prometheus.yml")


def test_prometheus_reads_the_queries_of_the_dashboard(tmp_path: Path) -> None:
    panels = expressions(DASHBOARD["panels"])
    queries = [each.replace("$__rate_interval", "5m") for each in panels]
    rules = [{"record": f"panel:{at}", "expr": query} for at, query in enumerate(queries)]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("rules", file)


@pytest.mark.anyio
async def test_prometheus_has_nothing_to_say_of_the_metrics(scraped: str) -> None:
    promtool("metrics", stdin=scraped)


def test_the_runbook_explains_every_alert_and_no_other() -> None:
    told = re.findall(r"^### (Broadsheet\w+)$", RUNBOOK, re.MULTILINE)
    assert told == [rule["alert"] for rule in RULES["rules"]]
