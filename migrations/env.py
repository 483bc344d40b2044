"""Alembic's entry: runs migrations on the connection of `Database.migrate`.

From the developer's `alembic` command, which brings no connection, it opens the database
of the settings.
"""

from alembic import context
from sqlalchemy import Connection, create_engine

from app.settings import Settings
from app.store.models import metadata


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    settings = Settings()
    url = settings.database_url or f"sqlite:///{settings.data_dir / 'broadsheet.db'}"
    with create_engine(url).begin() as opened:
        _run(opened)
