"""The product as a whole, in the two pairs it is promised for: HTTP + PostgreSQL and Socket Mode + SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import postgres
from support.sandbox import Running, sandbox


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.server(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(params=["http+postgresql", "socket+sqlite"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    mode, database = request.param.split("+")
    options = ["--http"] if mode == "http" else ["--socket-mode"]
    if database == "postgresql":
        options += ["--database", postgres.new_database(request.getfixturevalue("postgres_server"))]
    with sandbox(tmp_path / "sandbox", *options, "--speed", "4") as it:
        yield it
