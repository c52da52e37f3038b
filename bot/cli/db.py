"""`reliability db upgrade`: bring the database's schema to this release, as `run` does when it starts."""

from __future__ import annotations

import asyncio

import typer

from bot.cli import words
from bot.errors import Permanent

app = typer.Typer(no_args_is_help=True, help="The bot's database.")


@app.callback()
def _db() -> None:
    pass  # without it typer would make `db` itself the command


@app.command("upgrade")
def upgrade() -> None:
    """Apply the migrations that are missing; safe to run again, and while the bot runs."""
    from bot.settings import Settings

    url = Settings.from_environment().database.async_url
    where = without_secrets(url)
    asyncio.run(_upgrade(url, where))
    words.say(f"{where} is at head: the newest schema that this release knows")


async def _upgrade(url: str, where: str) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    from bot.store.database import Database
    from bot.store.upgrade import upgrade

    db = Database(url)
    try:
        await upgrade(db)
    except SQLAlchemyError as error:
        raise Permanent(f"{where} was not upgraded: {first_line(error)}") from error
    finally:
        await db.close()


def without_secrets(url: str) -> str:
    """The address for people: no password, and of the parameters only those that say where it is."""
    from sqlalchemy import make_url

    parsed = make_url(url)
    where = {key: value for key, value in parsed.query.items() if key in {"host", "port"}}
    plain = parsed.set(drivername=parsed.get_backend_name(), password=None, query=where)
    return plain.render_as_string(hide_password=True)


def first_line(error: Exception) -> str:
    from bot.redact import redact

    cause = getattr(error, "orig", None) or error
    return redact(str(cause).strip().splitlines()[0])
