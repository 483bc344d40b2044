"""Where answers lead: each link of the OpenAPI document stands on what it names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from app.api import create_app
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = create_app(factories.settings(Path("never-opened"))).openapi()
OPERATIONS = {
    operation["operationId"]: operation
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
}


def links() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for source, operation in OPERATIONS.items():
        for name, link in operation["responses"].get("200", {}).get("links", {}).items():
            yield source, name, link


def parameters(name: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(each["in"], each["name"]): each for each in OPERATIONS[name].get("parameters", ())}


@pytest.mark.parametrize(("source", "name", "link"), list(links()))
def test_a_link_takes_from_the_answer_what_its_operation_takes(
    source: str, name: str, link: dict[str, Any]
) -> None:
    (found,) = [
        content["example"]
        for kind, content in OPERATIONS[source]["responses"]["200"]["content"].items()
        if kind == "application/json"
    ]
    taken = {each: known for (_, each), known in parameters(link["operationId"]).items()}
    for parameter, expression in link["parameters"].items():
        where, _, place = expression.partition("#/")
        if where == "$response.body":
            value = found
            for part in place.split("/"):
                value = value[int(part) if isinstance(value, list) else part]
            if value is not None:  # an example may be the last page
                Draft202012Validator(taken[parameter]["schema"]).validate(value)
        else:
            _, kind, same = expression.removeprefix("$").split(".")
            assert (kind, same) in parameters(source)
            assert parameter in taken


def test_every_operation_on_one_thing_has_a_link_to_it() -> None:
    led_to = {link["operationId"] for _, _, link in links()}
    assert {name for name in OPERATIONS if any(k == "path" for k, _ in parameters(name))} <= led_to


def test_every_list_of_pages_leads_to_its_next_one() -> None:
    paged = {source for source, name, _ in links() if name == "next"}
    assert paged == {
        name
        for name, operation in OPERATIONS.items()
        if ("query", "cursor") in parameters(name)
        and "next" in str(_answer(operation).get("properties"))
    }


def _answer(operation: dict[str, Any]) -> dict[str, Any]:
    schema = operation["responses"]["200"]["content"].get("application/json", {}).get("schema", {})
    shape = DOCUMENT["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
    return dict(shape)


def keyed(document: dict[str, Any]) -> set[str]:
    """The operations that need a key."""
    return {
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if operation.get("security") == [{"key": []}, {"password": []}]
    }


WRITES = {"add_articles", "replace_article", "remove_article", "restore_article"}


def test_what_needs_a_key_says_so(tmp_path: Path) -> None:
    assert keyed(DOCUMENT) == {*WRITES, "metrics"}
    schemes = DOCUMENT["components"]["securitySchemes"].values()
    assert {each["scheme"] for each in schemes} == {"bearer", "basic"}
    closed = create_app(factories.settings(tmp_path, reads="keyed")).openapi()
    assert keyed(closed) == OPERATIONS.keys() - {"healthz", "readyz"}


def test_who_may_not_ask_is_told_how_in_the_document() -> None:
    for name, operation in OPERATIONS.items():
        told = {"401", "403", "429"} & operation["responses"].keys()
        expected = {"401", "403", "429"} if name in WRITES else {"429"}
        expected |= {"401"} if name == "metrics" else set()
        assert told == (set() if name in ("healthz", "readyz") else expected), name
