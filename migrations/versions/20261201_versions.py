"""Stories with their versions and keys, so that no text is lost and removed stays removed.

An article becomes the version of its story that shows; the text stays where it is. Each article
gets a story of its id, one version, and the keys by which inputs will find it: its address, or
source, headline, day and first words, for pages also without the source, which used to have a
default. Articles that one key would join stay apart and are noted. Inputs are one source however
often they came. What was removed left nothing to restore, and comes back when it is loaded.
Reindex needed: no.
"""

import secrets
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from app.articles.identity import Marker
from app.articles.versions import given

revision = "20261201_versions"
down_revision = "20261130_keys"
branch_labels = None
depends_on = None

_instant = sa.DateTime(timezone=True)
_BATCH = 500


def upgrade() -> None:
    secret = secrets.token_bytes(32)
    _add_columns(secret)
    _fill(Marker(secret), *_make_tables())
    for table, names in (
        ("article_version", ("due_at", "hidden_at")),
        ("story", ("state", "heir")),
    ):
        for name in names:
            having = sa.text(f"{name} IS NOT NULL")
            op.create_index(f"ix_{table}_{name}", table, [name], sqlite_where=having)
    op.create_index("ix_story_key_story_id", "story_key", ["story_id"])
    _rebuild_sightings()


def _add_columns(secret: bytes) -> None:
    big, text = sa.BigInteger(), sa.Text()
    op.add_column("store", sa.Column("secret", sa.LargeBinary(), nullable=False, server_default=""))
    for name in ("arrivals", "erased", "purged"):
        op.add_column("store", sa.Column(name, big, nullable=False, server_default="0"))
    op.get_bind().execute(sa.text("UPDATE store SET secret = :secret"), {"secret": secret})
    op.add_column("article", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    for name in ("updated_at", "embargoed_until"):
        op.add_column("article", sa.Column(name, _instant, nullable=True))
    op.add_column("article", sa.Column("guid", text, nullable=True))
    op.add_column("article", sa.Column("sender_version", big, nullable=True))
    why = sa.Column("why", sa.String(9), nullable=False, server_default="removed")
    op.add_column("tombstone", why)
    now = sa.literal(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"))
    at = sa.Column("at", _instant, nullable=False, server_default="1970-01-01 00:00:00.000000")
    op.add_column("tombstone", at)
    op.get_bind().execute(sa.text("UPDATE tombstone SET at = :now"), {"now": now.value})


def _make_tables() -> tuple[sa.Table, sa.Table, sa.Table, sa.Table]:
    story = op.create_table(
        "story",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("arrival", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(7), nullable=True),
        sa.Column("heir", sa.Uuid(), nullable=True),
        sa.Column("is_bare", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_story"),
        sqlite_with_rowid=False,
    )
    key = op.create_table(
        "story_key",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("story_id", sa.Uuid(), nullable=False),
        sa.Column("load", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_story_key_story_id"),
        sa.PrimaryKeyConstraint("key", "story_id", name="pk_story_key"),
        sqlite_with_rowid=False,
    )
    version = op.create_table(
        "article_version",
        sa.Column("story_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("given_us", sa.BigInteger(), nullable=True),
        sa.Column("given_number", sa.BigInteger(), nullable=True),
        sa.Column("held_us", sa.BigInteger(), nullable=False),
        sa.Column("held_number", sa.BigInteger(), nullable=False),
        sa.Column("replaced", sa.Integer(), nullable=True),
        sa.Column("arrival", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", _instant, nullable=False),
        sa.Column("hidden_at", _instant, nullable=True),
        sa.Column("due_at", _instant, nullable=True),
        sa.Column("fields", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_article_version_story_id"),
        sa.PrimaryKeyConstraint("story_id", "number", name="pk_article_version"),
    )
    op.create_table(
        "loading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", _instant, nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_loading"),
    )
    overlap = op.create_table(
        "overlap",
        sa.Column("story_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_overlap_story_id"),
        sa.ForeignKeyConstraint(["other_id"], ["story.id"], name="fk_overlap_other_id"),
        sa.PrimaryKeyConstraint("story_id", "other_id", name="pk_overlap"),
        sqlite_with_rowid=False,
    )
    return story, key, version, overlap


def _fill(
    marker: Marker, story: sa.Table, key: sa.Table, version: sa.Table, overlap: sa.Table
) -> None:
    """A story, a version and keys for each article, oldest first, a batch at a time."""
    connection = op.get_bind()
    article = sa.table(
        "article",
        sa.column("id", sa.Uuid()),
        sa.column("summary", sa.JSON()),
        sa.column("published_at", _instant),
        *(sa.column(name) for name in ("change", "headline", "caption", "credit", "byline")),
        *(sa.column(name) for name in ("dateline", "body", "source", "url")),
    )
    sighting = sa.table("sighting", sa.column("article_id", sa.Uuid()), sa.column("page"))
    now = datetime.now(UTC)
    c = article.c
    after: tuple[int, object] | None = None
    arrivals = 0
    while True:
        wanted = sa.select(article).order_by(c.change, c.id).limit(_BATCH)
        if after is not None:
            last = sa.tuple_(sa.literal(after[0]), sa.literal(after[1], sa.Uuid()))
            wanted = wanted.where(sa.tuple_(c.change, c.id) > last)
        rows = connection.execute(wanted).all()
        if not rows:
            break
        after = (rows[-1].change, rows[-1].id)
        ids = [row.id for row in rows]
        seen = sa.select(sighting.c.article_id).where(
            sighting.c.page.is_not(None), sighting.c.article_id.in_(ids)
        )
        paged = set(connection.scalars(seen))
        stories, versions, wanted_keys = [], [], []
        for row in rows:
            arrivals += 1
            at = None if row.published_at is None else row.published_at.replace(tzinfo=UTC)
            fields = row._asdict() | {
                "published_at": at,
                "updated_at": None,
                "guid": None,
                "sender_version": None,
                "status": "usable",
            }
            marks, rank = marker.marks(fields), given(fields, now=now)
            stories.append({"id": row.id, "arrival": arrivals, "count": 1, "is_bare": False})
            versions.append(
                {
                    "story_id": row.id,
                    "number": 1,
                    "text": marks.text,
                    "status": "usable",
                    "is_full": rank.is_full,
                    "given_us": rank.us,
                    "given_number": 0,
                    "held_us": rank.us,
                    "held_number": 0,
                    "arrival": arrivals,
                    "arrived_at": now,
                }
            )
            own = [marks.url or marks.third, marks.before]
            if marks.url is None and row.id in paged:
                own.append(marker.sourceless(fields))
            wanted_keys += [(each, row.id) for each in dict.fromkeys(own)]
        connection.execute(sa.insert(story), stories)
        connection.execute(sa.insert(version), versions)
        _give_keys(connection, key, overlap, wanted_keys)
    connection.execute(sa.text("UPDATE store SET arrivals = :last"), {"last": arrivals})


def _give_keys(
    connection: sa.Connection,
    key: sa.Table,
    overlap: sa.Table,
    wanted: list[tuple[bytes, UUID]],
) -> None:
    """Give each key to the first that wants it; note whoever comes second."""
    owners: dict[bytes, UUID] = {}
    for start in range(0, len(wanted), _BATCH):
        some = [each for each, _ in wanted[start : start + _BATCH]]
        found = connection.execute(sa.select(key.c.key, key.c.story_id).where(key.c.key.in_(some)))
        owners |= {row.key: row.story_id for row in found}
    given_keys: list[dict[str, object]] = []
    pairs: set[tuple[UUID, UUID]] = set()
    for each, id_ in wanted:
        owner = owners.setdefault(each, id_)
        if owner == id_:
            given_keys.append({"key": each, "story_id": id_})
        else:
            pairs.add((id_, owner))
    connection.execute(sa.insert(key), given_keys)
    if pairs:
        rows = [{"story_id": one, "other_id": other} for one, other in pairs]
        connection.execute(sa.insert(overlap), rows)


def _rebuild_sightings() -> None:
    """Sightings of stories, each input once, in a table of their own key."""
    op.create_table(
        "sighting_new",
        sa.Column("story_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("reader", sa.String(32), nullable=False),
        sa.Column("reader_version", sa.Integer(), nullable=False),
        sa.Column("loaded_at", _instant, nullable=False),
        sa.Column("page", sa.String(64), nullable=True),
        sa.Column("load", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("given_us", sa.BigInteger(), nullable=True),
        sa.Column("given_number", sa.BigInteger(), nullable=True),
        sa.Column("due_at", _instant, nullable=True),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], name="fk_sighting_story_id"),
        sa.PrimaryKeyConstraint("story_id", "path", "sha256", name="pk_sighting"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT OR IGNORE INTO sighting_new SELECT s.article_id, path, sha256, position, reader,"
        " reader_version, loaded_at, page, NULL, 1, v.given_us, 0, NULL FROM sighting s"
        " JOIN article_version v ON v.story_id = s.article_id"
        " ORDER BY s.article_id, path, sha256, position"
    )
    op.drop_table("sighting")
    op.rename_table("sighting_new", "sighting")
    op.create_index("ix_sighting_page", "sighting", ["page"])


def downgrade() -> None:
    """Back to the shown versions alone: what is removed or withheld and every other text goes."""
    op.create_table(
        "sighting_old",
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
    op.execute(
        "INSERT OR REPLACE INTO sighting_old SELECT story_id, path, position, sha256, reader,"
        " reader_version, loaded_at, page FROM sighting"
        " WHERE story_id IN (SELECT id FROM article) ORDER BY loaded_at"
    )
    op.drop_table("sighting")
    op.rename_table("sighting_old", "sighting")
    op.create_index("ix_sighting_page", "sighting", ["page"])
    for table in ("overlap", "loading", "article_version", "story_key", "story"):
        op.drop_table(table)
    for name in ("at", "why"):
        op.drop_column("tombstone", name)
    for name in ("sender_version", "guid", "embargoed_until", "updated_at", "version"):
        op.drop_column("article", name)
    for name in ("purged", "erased", "arrivals", "secret"):
        op.drop_column("store", name)
