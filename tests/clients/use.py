"""Uses the client that openapi-python-client makes: python use.py ADDRESS KEY."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from broadsheet_client import AuthenticatedClient, Client
from broadsheet_client.api.articles import add_articles, changes, get_article, list_articles
from broadsheet_client.api.entities import list_entities
from broadsheet_client.api.search import search, search_by_body, search_csv
from broadsheet_client.models import (
    Article,
    ArticleField,
    ArticleList,
    ArticleSummary,
    ChangeList,
    DateOrder,
    Draft,
    EntityList,
    EntityOrder,
    EntityType,
    Facet,
    Imported,
    Precision,
    Problem,
    SearchAnswer,
    SearchBody,
    Unit,
)
from broadsheet_client.types import UNSET


def main(address: str, key: str) -> None:
    client = Client(base_url=address)
    writer = AuthenticatedClient(base_url=address, token=key)

    listed = list_articles.sync(client=client, sort=DateOrder.OLDEST, limit=2)
    assert isinstance(listed, ArticleList)
    first = listed.items[0]
    assert isinstance(first, ArticleSummary)
    article = get_article.sync(first.id, client=client)
    assert isinstance(article, Article)
    published_at: datetime | None = article.published_at
    precision: Precision | None = article.published_precision
    assert published_at is not None
    print("article", article.headline, f"{published_at:%Y-%m-%dT%H:%M:%SZ}", precision)

    headlines: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = search.sync(
            client=client,
            q="rain",
            limit=2,
            facets=[Facet.SOURCE, Facet.LANGUAGE],
            cursor=cursor or UNSET,
        )
        assert isinstance(page, SearchAnswer)
        headlines += [str(hit.article.headline) for hit in page.items]
        if not cursor:
            for value in page.facets["source"]:
                print("facet", value.label, value.count)
        cursor = page.next_
    print("found", ", ".join(sorted(headlines)))
    posted = search_by_body.sync(client=client, body=SearchBody(q="rain", histogram=Unit.YEAR))
    assert isinstance(posted, SearchAnswer)
    print("by body", posted.total, len(posted.histogram))

    draft = Draft(
        headline="Sent by a client",
        body="It went well.",
        published_at=datetime(2024, 5, 9, 12, tzinfo=UTC),
        published_precision=Precision.SECOND,
    )
    saved = add_articles.sync(client=writer, body=[draft])
    assert isinstance(saved, Imported)
    print("sent", ",".join(item.outcome for item in saved.items))

    malformed = search.sync(client=client, q='a "b')
    assert isinstance(malformed, Problem)
    print("problem", malformed.type_, malformed.status, malformed.position)
    stranger = AuthenticatedClient(base_url=address, token="none")
    refused = add_articles.sync(client=stranger, body=draft)
    assert isinstance(refused, Problem)
    print("problem", refused.type_, refused.status)

    changed = changes.sync(client=client, since=0, limit=100)
    assert isinstance(changed, ChangeList)
    print("changes", ",".join(event.kind for event in changed.items))
    found = list_entities.sync(client=client, type_=EntityType.PLACE, sort=EntityOrder.NAME)
    assert isinstance(found, EntityList)
    for entity in found.items:
        print("entity", entity.type_, entity.name, entity.article_count)

    table = search_csv.sync(client=client, q="rain", fields=[ArticleField.HEADLINE])
    assert isinstance(table, str)
    print("rows", len(table.strip().splitlines()))


main(*sys.argv[1:])
