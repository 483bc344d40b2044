"""Request and response shapes of entities and of their reconciliation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel

from app.api.schemas.requests import Page, SimilarParameters, Table
from app.api.schemas.responses import ItemList, Start
from app.entities import cooccurrence, read
from app.entities.cooccurrence import RelatedEntity
from app.entities.read import Entity
from app.extract.base import Type
from app.search.engine import ListPage, Unit


class EntityParameters(SimilarParameters, Page):
    """Parameters of the list of entities."""

    q: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    """Beginning of a name or an alias, whatever its case and accents."""
    type: Type | None = None
    """Only these."""
    sort: read.Sort = "count"
    """By articles, most first, or by name."""

    def listing(self) -> Callable[..., ListPage[Entity]]:
        """What reads a page of the list."""
        wanted = self.filters()
        return partial(
            read.listing, filters=wanted, beginning=self.q, type_=self.type, sort=self.sort
        )


class RelatedParameters(SimilarParameters, Page):
    """Parameters of the entities that appear with one."""

    type: Type | None = None
    """Only these."""
    sort: cooccurrence.Sort = "strength"
    """By strength, strongest first, or by common articles."""

    def related(self) -> Callable[..., ListPage[RelatedEntity]]:
        """What reads a page of those of an entity."""
        wanted = self.filters()
        return partial(cooccurrence.related, filters=wanted, type_=self.type, sort=self.sort)


class TimelineParameters(SimilarParameters):
    """Parameters of the timeline of an entity."""

    histogram: Unit = "month"
    """The period to count by."""


class EntityTableParameters(EntityParameters, Table):
    """Parameters of the list of entities as CSV."""


class RelatedTableParameters(RelatedParameters, Table):
    """Parameters of the entities that appear with one as CSV."""


class TimelineTableParameters(TimelineParameters, Table):
    """Parameters of the timeline of an entity as CSV."""


class EntityList(ItemList[Entity]):
    """A page of entities."""


class RelatedList(ItemList[RelatedEntity]):
    """A page of the entities that appear with one."""


class Period(BaseModel):
    """A period of a timeline."""

    start: Start
    count: Annotated[int, Field(description="Articles of the entity.")]


class Timeline(ItemList[Period]):
    """The articles of an entity by period, oldest first, without gaps; one page."""


class Kind(BaseModel):
    """A type of entities."""

    id: Type
    name: str


class Candidate(BaseModel):
    """An entity that may be meant."""

    id: UUID
    name: str
    type: list[Kind]
    score: Annotated[float, Field(description="0 to 100; 100: a name or alias of it.")]
    match: Annotated[bool, Field(description="Whether it is the only one of that name.")]
    description: str


class Candidates(BaseModel):
    """What one query of a batch may mean."""

    result: list[Candidate]


class Property(BaseModel):
    """A property of entities."""

    id: str
    name: str


def _one_of_its_members(schema: dict[str, Any]) -> None:
    del schema["required"]
    schema |= {"minProperties": 1, "maxProperties": 1}


class PropertyValue(BaseModel):
    """A value of a property of an entity, under the name of its form."""

    model_config = ConfigDict(json_schema_extra=_one_of_its_members)

    text: Annotated[str, Field(alias="str")]
    number: Annotated[int, Field(alias="int")]
    day: Annotated[datetime, Field(alias="date", description="Its 00:00, UTC.")]


class Extended(BaseModel):
    """Values of properties of entities, for more columns of a table."""

    meta: list[Property]
    rows: Annotated[
        dict[str, dict[str, list[PropertyValue]]],
        Field(description="By the entity's id and the property's: its values."),
    ]


class CandidatesByQuery(RootModel[dict[str, Candidates]]):
    """What each query of a batch may mean, by its name."""


class Reconciliation(RootModel[dict[str, Any]]):
    """The manifest, or what `queries` or `extend` is answered."""


class Suggestion(BaseModel):
    """An entity with a name or alias that begins as was typed."""

    id: UUID
    name: str
    notable: list[Kind]
    description: str


class Suggestions(BaseModel):
    """Entities to choose one from."""

    result: list[Suggestion]


class Properties(BaseModel):
    """Properties to choose one from."""

    result: list[Property]


class Proposed(BaseModel):
    """Properties for more columns of a table."""

    properties: list[Property]
    type: str
    limit: int
