"""Alembic's entry: only our own tables, on a connection that is given or on a developer's file.

The start of the bot and `reliability db upgrade` come with a connection; the `alembic` command line opens one.
"""

import asyncio
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from bot.store.database import Database
from bot.store.migrations.filters import include_name
from bot.store.tables import Base, UtcDateTime

SCRATCH = "sqlite+aiosqlite:///reliability.sqlite3"
"""What `alembic revision --autogenerate` compares with: a developer's own file."""


def render_item(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Migrations stay readable without importing our types."""
    del autogen
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_by_url(url: str) -> None:
    db = Database(url)
    try:
        async with db.engine.begin() as connection:
            await connection.run_sync(migrate)
    finally:
        await db.close()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    asyncio.run(migrate_by_url(SCRATCH))
