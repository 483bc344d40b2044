"""Articles, where they were seen, their places, tombstones and the change counter.

The first tables. The store row is made here, so that a store has its id and its counter
from its first moment. Reindex needed: yes, there is no index yet.
"""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "20261122_articles"
down_revision = None
branch_labels = None
depends_on = None

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    store = op.create_table(
        "store",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store"),
    )
    op.bulk_insert(store, [{"id": uuid4(), "change": 0, "created_at": datetime.now(UTC)}])

    op.create_table(
        "article",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("credit", sa.Text(), nullable=True),
        sa.Column("byline", sa.Text(), nullable=True),
        sa.Column("dateline", sa.Text(), nullable=True),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("word_count", sa.Integer(), nullable=False),
        sa.Column("published_at", _instant, nullable=True),
        sa.Column("published_precision", sa.String(6), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("language", sa.String(2), nullable=True),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("section_key", sa.Text(), nullable=True),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_article"),
    )
    op.create_index("ix_article_change", "article", ["change"])
    op.create_index("ix_article_published_at_id", "article", ["published_at", "id"])
    for key in ("source_key", "language", "section_key"):
        columns = [key, "published_at", "id"]
        op.create_index(f"ix_article_{key}_published_at_id", "article", columns)

    op.create_table(
        "place",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("place_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name="fk_place_article_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "place_key", name="pk_place"),
    )
    op.create_index("ix_place_place_key_article_id", "place", ["place_key", "article_id"])

    op.create_table(
        "sighting",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("reader", sa.String(32), nullable=False),
        sa.Column("reader_version", sa.Integer(), nullable=False),
        sa.Column("loaded_at", _instant, nullable=False),
        sa.Column("page", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name="fk_sighting_article_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "path", "position", name="pk_sighting"),
    )
    op.create_index("ix_sighting_page", "sighting", ["page"])

    op.create_table(
        "tombstone",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name="pk_tombstone"),
    )
    op.create_index("ix_tombstone_change", "tombstone", ["change"])


def downgrade() -> None:
    for table in ("tombstone", "sighting", "place", "article", "store"):
        op.drop_table(table)
