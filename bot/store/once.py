"""A row that is inserted once, whoever comes first."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.tables import Base


async def insert_once(session: AsyncSession, table: type[Base], values: dict[str, object]) -> bool:
    """True: inserted. False: a row of this key is there, and stays as it is."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    result = await session.execute(
        insert(table).values(**values).on_conflict_do_nothing().returning(*table.__table__.primary_key)
    )
    return result.first() is not None
