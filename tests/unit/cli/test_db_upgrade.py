"""`reliability db upgrade`, on a real file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bot.errors import Permanent


def test_a_new_database_is_brought_to_head_and_again_changes_nothing(run, tmp_path: Path) -> None:
    file = tmp_path / "bot.sqlite3"

    first, second = (run("db", "upgrade", DATABASE_URL=f"sqlite:///{file}") for _ in range(2))

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout == second.stdout
    assert first.stdout.startswith(f"sqlite:///{file} is at head")
    with sqlite3.connect(file) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert {"deliveries", "events", "incidents"} <= tables


def test_a_database_that_does_not_answer_is_named_without_its_password(run) -> None:
    url = "postgres://bot:correct-horse@127.0.0.1:1/reliability?password=correct-horse"

    result = run("db", "upgrade", DATABASE_URL=url)

    assert isinstance(result.exception, Permanent)
    assert "@127.0.0.1:1/reliability was not upgraded: " in str(result.exception)
    assert "correct-horse" not in str(result.exception) + result.stdout + result.stderr


def test_a_file_that_is_no_database_is_left_as_it_is(run, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Things to remember. " * 100)

    result = run("db", "upgrade", DATABASE_URL=f"sqlite:///{file}")

    assert isinstance(result.exception, Permanent)
    assert "file is not a database" in str(result.exception)
    assert file.read_text().startswith("Things to remember.")
