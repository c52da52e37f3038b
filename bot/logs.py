"""The bot's own log: one line per event, constant event names, fields beside them.

`text` is for people, `json` for Cloud Logging (severity and message are the names it understands). Both mask whatever
looks like a secret, also in tracebacks.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal

from bot.redact import redact

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class TextFormatter(logging.Formatter):
    """`14:03:11 INFO message.sent message_id=inc-… version=2`"""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        fields = "".join(
            f" {key}={value}" for key, value in _fields(record).items() if value is not None and value != ""
        )
        line = f"{at:%H:%M:%S} {record.levelname:<7} {record.getMessage()}{fields}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return redact(line)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, as Cloud Logging lifts it out of stdout."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "severity": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            **{key: str(value) for key, value in _fields(record).items()},
        }
        if record.exc_info:
            entry["stack_trace"] = self.formatException(record.exc_info)
        return json.dumps({key: redact(value) for key, value in entry.items()}, ensure_ascii=False)


def set_up(form: Literal["text", "json"], level: int = logging.INFO) -> None:
    """Send everything to stderr in this form; libraries speak from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for ours in ("bot", "commands"):
        logging.getLogger(ours).setLevel(level)
