"""Walks from answer to answer: a real server, its links, and every check of Schemathesis.

`test_openapi_fuzz.py` asks each route by itself; here a request goes on with what another one
was answered, and articles are stored, replaced and removed on the way. Beside it each route is
asked with each kind of wrong value and method. The server wants a token for writing.
`WALKS=1000` walks longer and sends all.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode, checks
from schemathesis.core.errors import SerializationNotPossible
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.meta import CoverageScenario, coverage_scenario
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    use_after_free,
)

from tests import factories
from tests.api.test_openapi_fuzz import LONGEST_ADDRESS
from tests.faults.house import eventually, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long
SEEDS = Path(__file__).parents[2] / "seeds"
FEW_WALKS = 15
WALKS = int(os.environ.get("WALKS", FEW_WALKS))
MARKS = {"add_articles", "get_article", "remove_article", "get_entity"}
"""Operations that some walk must have come to."""
SETTINGS = settings(
    max_examples=10,
    stateful_step_count=12,
    database=None,
    derandomize=False,  # each batch of walks has a seed of its own
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

UNSAID = {
    *("q", "queries", "cursor", "from", "to", "tz", "histogram"),
    *("source", "place", "person", "organization", "entity", "language", "section"),
}
"""Parameters of which a schema cannot say all: how a query is read, whose a cursor is."""
UPLOADS = {"add_articles", "replace_article"}
"""An article that cannot be read is told of in a 200; what is odd about others is left out."""

RESTORE = "restore_article"
"""It brings back what was removed, of which Schemathesis knows nothing."""


def _operation(case: Any) -> str:
    return str(case.operation.definition.raw["operationId"])


@dataclass(frozen=True, slots=True)
class Server:
    """A server with the seeds in it: what its document says, and how it is asked."""

    schema: Any
    how: dict[str, Any]

    def fault(self, response: Any, case: Any, recorder: Any = None) -> set[str]:
        """What is wrong with the answer to `case`, by all checks that are sound for it."""
        if len(response.request.url) > LONGEST_ADDRESS:
            return set()
        unsound: set[Any] = set()
        if UNSAID & {each.name for each in case.operation.iter_parameters()} or case.body:
            unsound.add(positive_data_acceptance)
        if _operation(case) in UPLOADS:
            unsound.add(negative_data_rejection)
        walked = () if recorder is None else recorder.cases.values()
        if any(_operation(each.value) == RESTORE for each in walked):
            unsound.add(use_after_free)
        every = [check for check in checks.CHECKS.get_all() if check not in unsound]
        try:
            case.validate_response(
                response, checks=every, transport_kwargs=self.how, recorder=recorder
            )
        except FailureGroup as found:
            return {str(found)}
        return set()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        tmp_path_factory.mktemp("walks"),
        BROADSHEET_EXTRACTOR="rules",
    ) as started:
        url = str(started.client.base_url).rstrip("/")
        with requests.Session() as session:
            session.trust_env = False
            for page in SEEDS.glob("*.txt"):
                headers = {**factories.KEYED, "Content-Type": "text/plain"}
                stored = session.post(f"{url}/v1/articles", page.read_bytes(), headers=headers)
                assert stored.json()["saved"]
            eventually(lambda: session.get(f"{url}/v1/entities").json()["total"], "entities")
            document = session.get(f"{url}/openapi.json").json()
            # A configuration of its own: none is looked for in the folders around.
            schema = schemathesis.openapi.from_dict(document, config=schemathesis.Config())
            yield Server(schema, {"base_url": url, "session": session, "headers": factories.KEYED})


def test_whatever_way_a_client_goes_the_document_holds(server: Server) -> None:
    chance = Random(0)
    reached: set[str] = set()
    faults: set[str] = set()
    walks = 0

    class Walk(server.schema.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Any) -> None:
            valid = case.meta is None or case.meta.generation.mode.is_positive
            if valid and not case.path_parameters and chance.random() < 0.5:
                case.query.clear()  # random filters and queries find nothing to go on with

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return server.how

        def validate_response(self, response: Any, case: Any, **more: Any) -> None:
            faults.update(server.fault(response, case, self.recorder))
            if response.status_code < 300:
                reached.add(case.operation.definition.raw["operationId"])

        def teardown(self) -> None:
            nonlocal walks
            walks += 1

    for number in count():
        # What was stored before changes where a walk can go; Hypothesis, which tries another
        # end to the same beginning, takes that for a fault of ours.
        with suppress(FlakyStrategyDefinition):
            run_state_machine_as_test(seed(number)(Walk), settings=SETTINGS)
        if walks >= WALKS and (reached >= MARKS or walks >= 20 * WALKS):
            break
    assert not faults, "\n".join(faults)
    assert reached >= MARKS


def test_wrong_values_and_methods_are_refused_by_every_route(server: Server) -> None:
    chance = Random(0)
    faults: set[str] = set()
    for found in server.schema.get_all_operations():
        operation = found.ok()
        for case in server.schema.iter_coverage_cases(
            operation,
            generation_modes=list(GenerationMode),
            generation_config=server.schema.config.generation_for(operation=operation),
        ):
            rare = coverage_scenario(case) == CoverageScenario.UNSPECIFIED_HTTP_METHOD
            if rare or WALKS > FEW_WALKS or chance.random() < 0.1:
                with suppress(SerializationNotPossible):  # of values as lines of JSON
                    faults |= server.fault(case.call(**server.how), case)
    assert not faults, "\n".join(faults)
