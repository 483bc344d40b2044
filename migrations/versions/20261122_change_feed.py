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
    with op.batch_alter_table("article") as article:
        article.add_column(sa.Column("added", sa.BigInteger(), nullable=True))
    op.execute("UPDATE article SET added = change")
    with op.batch_alter_table("article") as article:
        article.alter_column("added", nullable=False)

    with op.batch_alter_table("place") as place:
        place.add_column(sa.Column("label", sa.Text(), nullable=False, server_default=""))
    articles = sa.table("article", sa.column("id", sa.Uuid()), sa.column("places", sa.JSON()))
    places = sa.table(
        "place", sa.column("article_id", sa.Uuid()), sa.column("place_key"), sa.column("label")
    )
    connection = op.get_bind()
    for id_, printed in connection.execute(sa.select(articles.c.id, articles.c.places)).all():
        for label in reversed(printed):
            same = (places.c.article_id == id_) & (places.c.place_key == fold(label))
            connection.execute(sa.update(places).where(same).values(label=label))
    with op.batch_alter_table("place") as place:
        place.alter_column("label", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("place") as place:
        place.drop_column("label")
    with op.batch_alter_table("article") as article:
        article.drop_column("added")
