"""Request and response shapes of entities and of their reconciliation."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from app.api.schemas.requests import SimilarParameters, zone
from app.api.schemas.responses import ItemList

Type = Literal["person", "organization", "place"]


class _Paged(BaseModel):
    cursor: Annotated[
        str | None,
        Field(
            max_length=100_000, description="`next` of the page before; keep the other parameters."
        ),
    ] = None


class EntityParameters(SimilarParameters, _Paged):
    """Parameters of the list of entities."""

    q: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=200,
            description="Beginning of a name or an alias, whatever its case and accents.",
        ),
    ] = None
    type: Annotated[Type | None, Field(description="Only these.")] = None
    sort: Annotated[
        Literal["count", "name"], Field(description="By articles, most first, or by name.")
    ] = "count"


class RelatedParameters(SimilarParameters, _Paged):
    """Parameters of the entities that appear with one."""

    type: Annotated[Type | None, Field(description="Only these.")] = None
    sort: Annotated[
        Literal["strength", "count"],
        Field(description="By strength, strongest first, or by common articles."),
    ] = "strength"


class TimelineParameters(SimilarParameters):
    """Parameters of the timeline of an entity."""

    histogram: Annotated[
        Literal["day", "week", "month", "year"], Field(description="The period to count by.")
    ] = "month"
    tz: Annotated[str, AfterValidator(zone), Field(description="IANA time zone of the days.")] = (
        "UTC"
    )


class Entity(BaseModel):
    """A person, organization or place. With filters the numbers are of what passes them."""

    id: Annotated[UUID, Field(description="For life.")]
    type: Type
    name: str
    wikidata: Annotated[str | None, Field(description="Its item there, such as `Q30`.")]
    iso: Annotated[str | None, Field(description="ISO 3166 code of a country.")]
    article_count: Annotated[int, Field(description="Articles that mention it.")]
    mention_count: Annotated[int, Field(description="Mentions in all of them.")]
    first_seen: Annotated[date | None, Field(description="Day of the first dated article.")]
    last_seen: Annotated[date | None, Field(description="Day of the last dated article.")]


class WholeEntity(Entity):
    """An entity with what it is called."""

    aliases: Annotated[list[str], Field(description="Commonest first, 50 at most.")]


class EntityList(ItemList[Entity]):
    """A page of entities."""


class RelatedEntity(BaseModel):
    """An entity that appears with another one."""

    entity: Entity
    count: Annotated[int, Field(description="Articles that mention both.")]
    expected: Annotated[
        float, Field(description="How many would, if the two had nothing to do with each other.")
    ]
    strength: Annotated[
        float,
        Field(description="Log-likelihood ratio (Dunning 1993); negative: fewer than expected."),
    ]


class RelatedList(ItemList[RelatedEntity]):
    """A page of the entities that appear with one."""


class Period(BaseModel):
    """A period of a timeline."""

    start: Annotated[date, Field(description="Its first day in the zone that was asked for.")]
    count: Annotated[int, Field(description="Articles of the entity.")]


class Timeline(ItemList[Period]):
    """The articles of an entity by period, oldest first, without gaps; one page."""


class Candidates(BaseModel):
    """What one query of a batch may mean."""

    class Candidate(BaseModel):
        """An entity that may be meant."""

        class Kind(BaseModel):
            """A type of entities."""

            id: Type
            name: str

        id: UUID
        name: str
        type: list[Kind]
        score: Annotated[float, Field(description="0 to 100; 100: a name or alias of it.")]
        match: Annotated[bool, Field(description="Whether it is the only one of that name.")]
        description: str

    result: list[Candidate]
