"""Authors, keywords, subjects, urgency and terms of use of an article, and the host of its address.

Old articles get the names in their bylines as authors, and their hosts; what an input told beside
them was not kept, and comes when it is loaded again. `article_name` finds authors and keywords by
their folded names. Reindex needed: yes, by the new schema version.
"""

import sqlalchemy as sa
from alembic import op

from app.filters import domain
from app.ingest.authors import names
from app.text import fold

revision = "20261204_authors_keywords"
down_revision = "20261203_language"
branch_labels = None
depends_on = None

_LISTS = ("authors", "keywords", "subjects")
_BATCH = 500


def upgrade() -> None:
    for name in _LISTS:
        column = sa.Column(name, sa.JSON(), nullable=False, server_default="[]")
        op.add_column("article", column)
    op.add_column("article", sa.Column("urgency", sa.Integer(), nullable=True))
    for name in ("usage_terms", "domain"):
        op.add_column("article", sa.Column(name, sa.Text(), nullable=True))
    named = op.create_table(
        "article_name",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(7), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name="fk_article_name_article_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "field", "key", name="pk_article_name"),
        sqlite_with_rowid=False,
    )
    _fill(named)
    op.create_index(
        "ix_article_name_field_key_article_id", "article_name", ["field", "key", "article_id"]
    )
    op.create_index(
        "ix_article_domain_published_at_id", "article", ["domain", "published_at", "id"]
    )


def _fill(named: sa.Table) -> None:
    """Give each article with a byline or an address what follows from it, a batch at a time."""
    connection = op.get_bind()
    article = sa.table(
        "article",
        sa.column("id", sa.Uuid()),
        sa.column("authors", sa.JSON()),
        *(sa.column(name) for name in ("byline", "url", "source", "domain")),
    )
    c = article.c
    has_any = c.byline.is_not(None) | c.url.is_not(None)
    wanted = sa.select(c.id, c.byline, c.url, c.source).where(has_any).order_by(c.id).limit(_BATCH)
    after = wanted
    while rows := connection.execute(after).all():
        after = wanted.where(c.id > rows[-1].id)
        authors = {
            row.id: [name for name in names(row.byline) if fold(name) != fold(row.source or "")]
            for row in rows
        }
        connection.execute(
            sa.update(article)
            .where(c.id == sa.bindparam("_id"))
            .values(authors=sa.bindparam("_authors"), domain=sa.bindparam("_domain")),
            [
                {
                    "_id": row.id,
                    "_authors": authors[row.id],
                    "_domain": domain(row.url) if row.url else None,
                }
                for row in rows
            ],
        )
        labels = [
            {"article_id": id_, "field": "author", "key": fold(name), "label": name}
            for id_, of_one in authors.items()
            for name in of_one
        ]
        if labels:
            connection.execute(sa.insert(named), labels)


def downgrade() -> None:
    op.drop_index("ix_article_domain_published_at_id", "article")
    op.drop_table("article_name")
    for name in (*_LISTS, "urgency", "usage_terms", "domain"):
        op.drop_column("article", name)
