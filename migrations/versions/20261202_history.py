"""A random token of each change, by which copies of a store that went on alone are told apart.

The change that the store is at gets the first one; what was written before has none. Reindex
needed: yes, an index has to name the write that it was made at.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "20261202_history"
down_revision = "20261201_versions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "write_token",
        sa.Column("change", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("token", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("change", name="pk_write_token"),
    )
    first = sa.text("INSERT INTO write_token (change, token) SELECT change, :token FROM store")
    op.get_bind().execute(first, {"token": secrets.token_hex(8)})


def downgrade() -> None:
    op.drop_table("write_token")
