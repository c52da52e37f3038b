"""What Alembic may compare: our tables only. DBOS keeps its own in the same database."""

from __future__ import annotations

from typing import Any

from bot.store.tables import Base


def include_name(name: str | None, kind: str, parents: Any) -> bool:
    del parents
    if kind == "schema":
        return name is None
    return kind != "table" or name in Base.metadata.tables
