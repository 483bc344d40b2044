"""When an article was added, and places as they are printed.

The change feed tells an added article from an updated one by the change that added it;
facets show a place as an article prints it. What is stored already counts as added by its
last change. Reindex needed: no.
"""

import sqlalchemy as sa
from alembic import op

from app.text import fold

revision = "20261122_change_feed"
down_revision = "20261122_articles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Plain ALTER TABLE, no batch mode: that drops the old table, and with it, by the foreign
    # keys, where its articles were seen.
    added = sa.Column("added", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("article", added)
    op.execute("UPDATE article SET added = change")

    op.add_column("place", sa.Column("label", sa.Text(), nullable=False, server_default=""))
    articles = sa.table("article", sa.column("id", sa.Uuid()), sa.column("places", sa.JSON()))
    places = sa.table(
        "place", sa.column("article_id", sa.Uuid()), sa.column("place_key"), sa.column("label")
    )
    connection = op.get_bind()
    for id_, printed in connection.execute(sa.select(articles.c.id, articles.c.places)).all():
        for label in reversed(printed):
            same = (places.c.article_id == id_) & (places.c.place_key == fold(label))
            connection.execute(sa.update(places).where(same).values(label=label))


def downgrade() -> None:
    op.drop_column("place", "label")
    op.drop_column("article", "added")
