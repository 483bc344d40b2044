"""The links of the OpenAPI document: where a client goes on with what an answer holds.

An id in an answer leads to every operation that takes it in its path, `next` to the page
after. OpenAPI's expressions reach one place: the first item stands for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_IDS = {
    "list_articles": {"article_id": "items/0/id"},
    "add_articles": {"article_id": "items/0/id"},
    "get_article": {"article_id": "id", "entity_id": "mentions/0/entity_id"},
    "replace_article": {"article_id": "id", "entity_id": "mentions/0/entity_id"},
    "restore_article": {"article_id": "id", "entity_id": "mentions/0/entity_id"},
    "list_versions": {"number": "items/0/version"},
    "get_version": {"article_id": "id"},
    "similar_articles": {"article_id": "items/0/article/id"},
    "search": {"article_id": "items/0/article/id"},
    "search_by_body": {"article_id": "items/0/article/id"},
    "changes": {"article_id": "items/0/id"},
    "list_entities": {"entity_id": "items/0/id"},
    "get_entity": {"entity_id": "id"},
    "articles_of_entity": {"article_id": "items/0/id"},
    "related_entities": {"entity_id": "items/0/entity/id"},
    "suggest_entities": {"entity_id": "result/0/id"},
}
"""Where in the answer of an operation the value of a path's parameter stands."""

_PAGED = (
    *("list_articles", "list_versions", "search", "changes", "list_entities"),
    *("articles_of_entity", "related_entities"),
)
"""Operations whose `cursor` takes the `next` of their answer."""


def add(document: dict[str, Any]) -> None:
    """Add to the operations of `document` where their answers lead."""
    operations = {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    for name, places in _IDS.items():
        operations[name]["responses"]["200"]["links"] = {
            target: {"operationId": target, "parameters": {parameter: _answer(place)}}
            for parameter, place in places.items()
            for target, operation in operations.items()
            if parameter in _parameters(operation, "path")
        }
    for name in _PAGED:
        links = operations[name]["responses"]["200"].setdefault("links", {})
        links["next"] = {"operationId": name, "parameters": _same_but_later(operations[name])}


def _same_but_later(operation: dict[str, Any]) -> dict[str, str]:
    """The parameters as they were, since a cursor is good for one list only."""
    same = {
        name: f"$request.{kind}.{name}"
        for kind in ("path", "query")
        for name in _parameters(operation, kind)
    }
    return {**same, "cursor": _answer("next")}


def _parameters(operation: dict[str, Any], kind: str) -> Iterator[str]:
    return (each["name"] for each in operation.get("parameters", ()) if each["in"] == kind)


def _answer(place: str) -> str:
    return f"$response.body#/{place}"
