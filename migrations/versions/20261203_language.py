"""Whether an article's language was detected, and names folded anew.

Articles without a language get the detected one. Names compare with `ł`, `ø`, `ß` and other
letters folded too, so the folded names of sources, sections, places and entities are made
again. Reindex needed: yes, by the new analyzer version.
"""

import sqlalchemy as sa
from alembic import op

from app.text import fold
from app.text.detection import READ, detect

revision = "20261203_language"
down_revision = "20261202_history"
branch_labels = None
depends_on = None

_SLICE = 500  # articles in memory at once
_FOLDED = (("article", "source"), ("article", "section"))


def upgrade() -> None:
    flag: sa.Column[bool] = sa.Column(
        "language_detected", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("article", flag)
    connection = op.get_bind()
    _detect(connection)
    for table, name in _FOLDED:
        _fold(connection, table, name, f"{name}_key")
    _fold(connection, "place", "label", "place_key")
    _fold(connection, "entity", "name", "name_key")
    _fold(connection, "alias", "label", "key")


def _detect(connection: sa.Connection) -> None:
    article = sa.table(
        "article",
        sa.column("id", sa.Uuid()),
        *(sa.column(name) for name in ("headline", "caption", "language", "language_detected")),
        sa.column("summary", sa.JSON()),
        sa.column("body"),
    )
    start = sa.func.substr(article.c.body, 1, READ).label("body")
    columns = (article.c.id, article.c.headline, article.c.summary, start)
    unknown = sa.select(*columns).where(article.c.language.is_(None))
    unknown = unknown.order_by(article.c.id).limit(_SLICE)
    rows = connection.execute(unknown).all()
    while rows:
        for id_, headline, summary, body in rows:
            language = detect("\n".join((headline, *summary, body)))
            if language is not None:
                values = {"language": language, "language_detected": True}
                connection.execute(sa.update(article).where(article.c.id == id_).values(values))
        rows = connection.execute(unknown.where(article.c.id > rows[-1][0])).all()


def _fold(connection: sa.Connection, name: str, written: str, key: str) -> None:
    """Make the keys of names beyond ASCII anew; the others are as they were."""
    table = sa.table(name, sa.column(written), sa.column(key))
    names = sa.select(table.c[written], table.c[key]).where(table.c[written].is_not(None))
    for label, old in connection.execute(names.distinct()).all():
        if not label.isascii() and fold(label) != old:
            same = (table.c[written] == label) & (table.c[key] == old)
            connection.execute(sa.update(table).where(same).values({key: fold(label)}))


def downgrade() -> None:
    op.execute("UPDATE article SET language = NULL WHERE language_detected")
    op.drop_column("article", "language_detected")
