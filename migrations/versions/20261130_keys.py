"""Keys of the API.

Writing needs one from now on: `broadsheet keys create NAME --scope write` makes it. The table
begins empty; the token of earlier versions was a setting. Reindex needed: no.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_keys"
down_revision = "20261122_entities"
branch_labels = None
depends_on = None

_instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.String(11), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(5), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("created_at", _instant, nullable=False),
        sa.Column("expires_at", _instant, nullable=True),
        sa.Column("revoked_at", _instant, nullable=True),
        sa.Column("used_at", _instant, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_api_key"),
        sa.UniqueConstraint("digest", name="uq_api_key_digest"),
    )
    op.create_index("ix_api_key_prefix", "api_key", ["prefix"])


def downgrade() -> None:
    op.drop_table("api_key")
