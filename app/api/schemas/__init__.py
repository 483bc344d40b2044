"""Request and response shapes, and how answers become bytes; routes know no other part."""

from __future__ import annotations

from app.api.schemas.answers import answer, bucket, page
from app.api.schemas.entities import (
    Candidates,
    EntityList,
    EntityParameters,
    RelatedList,
    RelatedParameters,
    Timeline,
    TimelineParameters,
    WholeEntity,
)
from app.api.schemas.requests import (
    ArticleParameters,
    ChangeParameters,
    SearchBody,
    SearchParameters,
    SimilarParameters,
    SuggestParameters,
    list_of,
)
from app.api.schemas.responses import (
    Article,
    ArticleList,
    ChangeList,
    Completions,
    Explanation,
    Health,
    Imported,
    Problem,
    SearchAnswer,
    SimilarList,
    Status,
)

__all__ = [
    "Article",
    "ArticleList",
    "ArticleParameters",
    "Candidates",
    "ChangeList",
    "ChangeParameters",
    "Completions",
    "EntityList",
    "EntityParameters",
    "Explanation",
    "Health",
    "Imported",
    "Problem",
    "RelatedList",
    "RelatedParameters",
    "SearchAnswer",
    "SearchBody",
    "SearchParameters",
    "SimilarList",
    "SimilarParameters",
    "Status",
    "SuggestParameters",
    "Timeline",
    "TimelineParameters",
    "WholeEntity",
    "answer",
    "bucket",
    "list_of",
    "page",
]
