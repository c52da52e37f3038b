"""Both databases for every test that asks for `db` or `database_url`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from support import postgres

from bot.store.database import Database
from bot.store.upgrade import upgrade


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """As a user would write it: `sqlite:///…` or `postgresql://…`."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.sqlite3'}"
    return postgres.new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    url = database_url.replace("sqlite://", "sqlite+aiosqlite://").replace("postgresql://", "postgresql+psycopg://")
    database = Database(url)
    await upgrade(database)
    yield database
    await database.close()
