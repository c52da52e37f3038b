"""`reliability db upgrade`: bring the schema to this release. `reliability run` does it by itself, too."""

from __future__ import annotations

import asyncio

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def _db() -> None:
    """Bring the database to this release."""


@app.command()
def upgrade() -> None:
    """Apply the migrations that DATABASE_URL lacks; safe to run again, and while another bot starts."""
    from bot.settings import Settings

    settings = Settings.from_environment()
    asyncio.run(_upgrade(settings.database.async_url))
    typer.echo(f"{'SQLite' if settings.database.is_sqlite else 'PostgreSQL'}: the schema is that of this release")


async def _upgrade(url: str) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    from bot.errors import Permanent
    from bot.redact import redact
    from bot.store.database import Database
    from bot.store.upgrade import upgrade as upgrade_schema

    db = Database(url)
    try:
        await upgrade_schema(db)
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise Permanent(f"DATABASE_URL: {redact(reason)}") from error
    finally:
        await db.close()
