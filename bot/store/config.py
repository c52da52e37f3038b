"""Where the bot keeps what it must not forget."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

_POSTGRES = "postgresql+psycopg"
_SQLITE = "sqlite"
_SCHEMES = {
    "postgres": _POSTGRES,
    "postgresql": _POSTGRES,
    _POSTGRES: _POSTGRES,
    _SQLITE: _SQLITE,
    "sqlite+aiosqlite": _SQLITE,
}


class DatabaseConfig(BaseModel, frozen=True, extra="forbid"):
    """One database for the bot's rows and for its durable workflows."""

    url: SecretStr = Field(
        default=SecretStr("sqlite:///reliability.sqlite3"),
        description="postgresql://… or sqlite:///FILE. SQLite only where the disk survives a restart.",
        examples=["postgresql://user:password@host/reliability"],
    )

    @field_validator("url")
    @classmethod
    def _normalised(cls, url: SecretStr) -> SecretStr:
        scheme, separator, rest = url.get_secret_value().strip().partition("://")
        engine = _SCHEMES.get(scheme.lower())
        if engine is None or not separator:
            raise ValueError("must begin with postgresql:// or sqlite:///")
        if engine == _SQLITE:
            file = rest.partition("?")[0].removeprefix("/")
            if not rest.startswith("/") or not file or file == ":memory:":
                raise ValueError("names no file: two engines share it, so it cannot live in memory")
        _check_readable(f"{engine}://{rest}")
        return SecretStr(f"{engine}://{rest}")

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_secret_value().startswith(f"{_SQLITE}:")

    @property
    def sqlite_file(self) -> Path | None:
        """The file, None for PostgreSQL."""
        path = self.url.get_secret_value().partition("?")[0].removeprefix(f"{_SQLITE}:///")
        return Path(path) if self.is_sqlite else None

    @property
    def async_url(self) -> str:
        """For SQLAlchemy's async engine; holds the password."""
        url = self.url.get_secret_value()
        return url.replace(f"{_SQLITE}:", f"{_SQLITE}+aiosqlite:", 1) if self.is_sqlite else url

    @property
    def dbos_url(self) -> str:
        """For the workflow engine, whose driver is synchronous; holds the password."""
        return self.url.get_secret_value()


def _check_readable(url: str) -> None:
    from sqlalchemy import make_url  # here: only where somebody set a URL
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(url)
    except (ArgumentError, ValueError):  # their texts may quote the password
        raise ValueError("cannot be read: percent-encode special characters in user and password") from None
