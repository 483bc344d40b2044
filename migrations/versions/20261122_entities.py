"""Entities, their aliases, where they are mentioned, and what operators decided of them.

Extraction follows the change number with a cursor of its own, in the store's row; it begins
at 0, so that all articles are read. Reindex needed: yes, documents hold entities now.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "20261122_entities"
down_revision = "20261122_change_feed"
branch_labels = None
depends_on = None

_TABLES = ("split", "extraction", "companion", "appearance", "mention", "alias", "entity")


def upgrade() -> None:
    extracted = sa.Column("extracted", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("store", extracted)
    op.add_column("store", sa.Column("extractor", sa.Text(), nullable=True))

    op.create_table(
        "entity",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(12), nullable=False),
        sa.Column("known", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("name_fixed", sa.Boolean(), nullable=False),
        sa.Column("heir", sa.Integer(), nullable=True),
        sa.Column("wikidata", sa.Text(), nullable=True),
        sa.Column("iso", sa.Text(), nullable=True),
        sa.Column("article_count", sa.Integer(), nullable=False),
        sa.Column("mention_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_entity"),
        sa.UniqueConstraint("id", name="uq_entity_id"),
        sa.ForeignKeyConstraint(["heir"], ["entity.number"], name="fk_entity_heir"),
    )
    op.create_index("ix_entity_heir", "entity", ["heir"])
    for first in ("article_count", "name_key"):
        op.create_index(f"ix_entity_{first}_id", "entity", [first, "id"])
        op.create_index(f"ix_entity_type_{first}_id", "entity", ["type", first, "id"])

    _table(
        "alias",
        _entity("entity"),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("named", sa.Integer(), nullable=False),
        sa.Column("called", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        key=["entity", "label"],
        entities=["entity"],
    )
    op.create_index("ix_alias_key_entity", "alias", ["key", "entity"])

    _table(
        "mention",
        _article(),
        sa.Column("n", sa.Integer(), nullable=False),
        _entity("base"),
        _entity("entity"),
        sa.Column("field", sa.String(8), nullable=False),
        sa.Column("bullet", sa.Integer(), nullable=True),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _of_article("mention"),
        key=["article_id", "n"],
        entities=["base", "entity"],
    )

    _table(
        "appearance",
        _article(),
        _entity("entity"),
        sa.Column("mentions", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=True),
        _of_article("appearance"),
        key=["article_id", "entity"],
        entities=["entity"],
    )
    op.create_index("ix_appearance_entity_day", "appearance", ["entity", "day"])

    _table(
        "companion",
        _entity("entity"),
        _entity("other"),
        sa.Column("count", sa.Integer(), nullable=False),
        key=["entity", "other"],
        entities=["entity", "other"],
    )
    op.create_index("ix_companion_entity_count_other", "companion", ["entity", "count", "other"])

    _table(
        "extraction",
        _article(),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        _of_article("extraction"),
        key=["article_id"],
        entities=[],
    )
    op.create_index("ix_extraction_error", "extraction", ["error"])

    _table(
        "split",
        _entity("entity"),
        _article(),
        _entity("target"),
        key=["entity", "article_id"],
        entities=["entity", "target"],
    )
    op.create_index("ix_split_article_id", "split", ["article_id"])


def _entity(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _article() -> sa.Column[Any]:
    return sa.Column("article_id", sa.Uuid(), nullable=False)


def _of_article(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_article_id"
    return sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=name, ondelete="CASCADE")


def _table(name: str, *parts: sa.schema.SchemaItem, key: list[str], entities: list[str]) -> None:
    op.create_table(
        name,
        *parts,
        sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
        *(
            sa.ForeignKeyConstraint([each], ["entity.number"], name=f"fk_{name}_{each}")
            for each in entities
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    op.drop_column("store", "extractor")
    op.drop_column("store", "extracted")
