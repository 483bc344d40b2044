"""Surnames: the entity that a surname alone stands for, and what decides which one it is.

`alias.surname` is the surname of a full name, `alias.beside` counts the articles where it stands
alone for somebody else, `entity.full` is the entity that a surname alone stands for. Articles are
read for names anew, which fills the last; counts of what was read before are made here, so that
they can be moved. Reindex needed: no.
"""

import itertools
from collections import Counter, defaultdict

import sqlalchemy as sa
from alembic import op

from app.extract import spelling

revision = "20261205_surnames"
down_revision = "20261204_authors_keywords"
branch_labels = None
depends_on = None

_BATCH = 500


def upgrade() -> None:
    op.add_column("entity", sa.Column("full", sa.Integer(), nullable=True))
    op.add_column("alias", sa.Column("surname", sa.Text(), nullable=False, server_default=""))
    op.add_column("alias", sa.Column("beside", sa.Integer(), nullable=False, server_default="0"))
    _fill(op.get_bind())
    op.create_index("ix_alias_surname_entity", "alias", ["surname", "entity"])


def _fill(connection: sa.Connection) -> None:
    names = ("entity", "label", "surname", "beside")
    alias = sa.table("alias", *(sa.column(name) for name in names))
    mention = sa.table(
        "mention", *map(sa.column, ("article_id", "base", "entity", "name", "surface"))
    )
    c, m = alias.c, mention.c
    beside: Counter[tuple[int, str]] = Counter()
    wanted = (
        sa.select(m.article_id, m.base, m.entity, m.name, m.surface)
        .distinct()
        .order_by(m.article_id)
    )
    rows = connection.execution_options(yield_per=_BATCH).execute(wanted)
    for _, group in itertools.groupby(rows, key=lambda row: row.article_id):
        held = list(group)
        lone: defaultdict[str, set[int]] = defaultdict(set)
        for row in held:
            lone[spelling.alone(row.surface)].add(row.base)
        beside.update(
            {
                (row.entity, row.name)
                for row in held
                if (surname := spelling.surname(row.name))
                and surname in lone
                and row.base not in lone[surname]
            }
        )
    change = sa.update(alias).where(
        c.entity == sa.bindparam("_entity"), c.label == sa.bindparam("_label")
    )
    change = change.values(surname=sa.bindparam("_surname"), beside=sa.bindparam("_beside"))
    labels = connection.execute(sa.select(c.entity, c.label)).all()
    told = [
        {
            "_entity": row.entity,
            "_label": row.label,
            "_surname": spelling.surname(row.label),
            "_beside": beside[row.entity, row.label],
        }
        for row in labels
        if spelling.surname(row.label)
    ]
    for start in range(0, len(told), _BATCH):
        connection.execute(change, told[start : start + _BATCH])


def downgrade() -> None:
    op.drop_index("ix_alias_surname_entity", "alias")
    op.drop_column("alias", "beside")
    op.drop_column("alias", "surname")
    op.drop_column("entity", "full")
