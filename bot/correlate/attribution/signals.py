"""What attribution listens to, one value per fact, in the shape of `reliability judge`'s JSON lines.

`t` is when it happened by the source's clock, `rt` when it reached us; both in seconds on any one axis (epoch seconds in the
bot). Signals come in the order of arrival; their source times may be late, skewed, equal; the same one may come twice.
Structs of msgspec: a burst is a million of them.
"""

from __future__ import annotations

import msgspec


class Deploy(msgspec.Struct, tag_field="kind", tag="deploy", gc=False):
    """`revision` of `service` gets `traffic` percent from now on; what it gets is taken from `prev`.

    A rollback is a deploy of the old revision. `traffic` 0 is a deploy that serves nobody.
    """

    t: float
    rt: float
    service: str
    revision: str
    prev: str | None = None
    traffic: float = 100.0


class Config(msgspec.Struct, tag_field="kind", tag="config", gc=False):
    """A setting or secret called `name` of `service` was changed without a deploy."""

    t: float
    rt: float
    service: str
    name: str = ""


class Log(msgspec.Struct, tag_field="kind", tag="log", gc=False):
    """One log entry. `severity`: Cloud Logging's word. `insert_id`: equal ids are one entry. `status`: of a request."""

    t: float
    rt: float
    service: str
    revision: str | None = None
    severity: str | None = None
    message: str | None = None
    trace: str | None = None
    insert_id: str | None = None
    status: int | None = None


class Requests(msgspec.Struct, tag_field="kind", tag="request_count", rename={"response_class": "class"}, gc=False):
    """`count` requests answered with `response_class` ("2xx", "3xx", "4xx", "5xx") in the `interval` seconds up to `t`.

    Cloud Monitoring's: late by minutes, complete, never a detector.
    """

    t: float
    rt: float
    service: str
    revision: str | None = None
    response_class: str = "2xx"
    count: int = 0
    interval: float = 60.0


Signal = Deploy | Config | Log | Requests
