"""Bring the schema to this release, on SQLite and PostgreSQL; safe to run again."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from bot.store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_402_026  # any constant of ours: two bots starting at once must not migrate at once


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


async def upgrade(db: Database) -> None:
    """Apply what is missing. On SQLite the write lock, on PostgreSQL an advisory lock keeps others waiting."""
    async with db.engine.begin() as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
