"""Databases and caches: unreachable, refusing the login, out of connections, or without the table that the code wants."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import Hit, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_SQL_DOCS = "https://cloud.google.com/sql/docs/postgres/connect-run"
_HOST = r"[\w.:\[\]-]{1,120}?"

_CLOUD_SQL_SOCKET = re.compile(
    r"/cloudsql/(?P<instance>[\w.-]{1,80}:[\w-]{1,40}:[\w-]{1,100})[^\n]{0,200}?(?:No such file|Connection refused|ENOENT|not reachable|timed? ?out)"
    r"|Cloud SQL (?:instance|connection)[^\n]{0,200}?(?:failed|not reachable|refused)"
    r"|ENOENT /cloudsql/(?P<gone>[\w.-]{1,80}:[\w-]{1,40}:[\w-]{1,100})"
)
_UNREACHABLE = re.compile(
    rf"connection to server at \"?(?P<pg>{_HOST})\"?(?: \([\w.:]{{1,60}}\))?, port (?P<pg_port>\d{{2,5}}) failed: (?:Connection refused|timeout|Connection timed out|No route)"
    rf"|could not connect to server: (?:Connection refused|Connection timed out)"
    rf"|\[Errno 111\] Connect call failed \('(?P<asyncpg>{_HOST})', (?P<asyncpg_port>\d{{2,5}})\)"
    rf"|(?:ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH) (?P<node>[\w.:-]{{1,120}}):(?P<node_port>5432|3306|27017|1433)\b"
    rf"|Can't connect to MySQL server on '(?P<mysql>{_HOST})'"
    rf"|Can't reach database server at [`'\"](?P<prisma>{_HOST})[`'\"]"
    rf"|dial tcp (?P<go>[\w.:\[\]-]{{1,120}}):(?P<go_port>5432|3306|27017): (?:connect: connection refused|i/o timeout|connect: connection timed out)"
    rf"|Connection to (?P<jdbc>{_HOST}):(?P<jdbc_port>\d{{2,5}}) refused\. Check that the hostname"
    rf"|Communications link failure|HikariPool-\d+ - Connection is not available, request timed out"
    rf"|ServerSelectionTimeoutError: (?P<mongo>{_HOST}):"
)
_AUTH = re.compile(
    r"password authentication failed for user \"(?P<pg>[^\"\n]{1,63})\""
    r"|Access denied for user '(?P<mysql>[^'\n]{1,80})'@"
    r"|no pg_hba\.conf entry for host[^\n]{0,80}?user \"(?P<hba>[^\"\n]{1,63})\""
    r"|role \"(?P<role>[^\"\n]{1,63})\" does not exist|Authentication failed against database server"
    r"|Cloud SQL IAM (?:user|service account) authentication failed for user \"(?P<iam>[^\"\n]{1,120})\""
)
_TOO_MANY = re.compile(
    r"remaining connection slots are reserved|sorry, too many clients already|too many connections for (?:role|database)"
    r"|Too many connections|max_user_connections|QueuePool limit of size \d+ overflow \d+ reached"
)
_SCHEMA = re.compile(
    r"(?:column|relation|table|type) \"?(?P<pg>[\w.]{1,120})\"?(?: of relation \"\w{1,63}\")? does not exist"
    r"|no such (?:table|column): (?P<sqlite>[\w.]{1,120})|Unknown column '(?P<mysql>[\w.]{1,120})' in"
    r"|Table '(?P<table>[\w.]{1,120})' doesn't exist|The (?:table|column) [`'](?P<prisma>[\w.()]{1,120})[`'] does not exist in the current database"
)
_REDIS = re.compile(
    rf"Error \d+ connecting to (?P<py>{_HOST}):(?P<py_port>\d{{2,5}})\.|(?:ECONNREFUSED|ETIMEDOUT) (?P<node>[\w.:-]{{1,120}}):(?P<node_port>6379)\b"
    rf"|dial tcp (?P<go>[\w.:-]{{1,120}}):(?P<go_port>6379): |Unable to connect to Redis"
)


def _named(hit: Hit, *names: str) -> str:
    return next((hit[name] for name in names if hit[name]), "")


def _cloud_sql_socket(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_CLOUD_SQL_SOCKET)
    if hit is None:
        return None
    instance = _named(hit, "instance", "gone")
    return Diagnosis(
        code="cloud_sql_socket",
        title=f"Cloud SQL instance `{instance}` is not reachable through its socket"
        if instance
        else "Cloud SQL is not reachable through its socket",
        explanation="The socket under /cloudsql exists only for instances that the revision declares, and if the service account may connect.",
        advice=(
            f"`gcloud run services update {scene.service} --add-cloudsql-instances {instance or 'PROJECT:REGION:INSTANCE'}`; "
            "grant the service account roles/cloudsql.client; is the Cloud SQL Admin API enabled, and the instance running?"
        ),
        evidence=lines(hit),
        confidence=0.9,
        rollback_helps=None,
        documentation=_SQL_DOCS,
        facts={"instance": instance} if instance else {},
    )


def _unreachable(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_UNREACHABLE)
    if hit is None:
        return None
    host = _named(hit, "pg", "asyncpg", "node", "mysql", "prisma", "go", "jdbc", "mongo")
    port = _named(hit, "pg_port", "asyncpg_port", "node_port", "go_port", "jdbc_port")
    at = f" at {host}{f':{port}' if port else ''}" if host else ""
    return Diagnosis(
        code="database_unreachable",
        title=f"The database{at} does not accept connections",
        explanation="The program is up, its database is not reachable: stopped, moved, or cut off by the network.",
        advice="Is the instance running? Do the VPC connector or Direct VPC egress, the firewall and the host in the configuration fit?",
        evidence=lines(hit),
        confidence=0.9,
        rollback_helps=False,
        documentation=_SQL_DOCS,
        facts={name: value for name, value in {"host": host, "port": port}.items() if value},
    )


def _auth(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_AUTH)
    if hit is None:
        return None
    user = _named(hit, "pg", "mysql", "hba", "role", "iam")
    return Diagnosis(
        code="database_auth",
        title=f"The database refuses the login of `{user}`" if user else "The database refuses the login",
        explanation="The database answers, but user, password or the rule for this client do not fit: often a rotated secret.",
        advice="Compare the secret's version on the revision with the database user; a secret at `latest` is read when an instance starts",
        evidence=lines(hit),
        confidence=0.93,
        rollback_helps=None,
        documentation=_SQL_DOCS,
        facts={"user": user} if user else {},
    )


def _too_many(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_TOO_MANY)
    if hit is None:
        return None
    return Diagnosis(
        code="database_connections",
        title="The database has no connection left",
        explanation="Every instance opens its own pool: instances × pool size exceeds what the database allows, or connections leak.",
        advice=f"Lower the pool size or `--max-instances` (`gcloud run services update {scene.service} --max-instances …`), or put a pooler in between",
        evidence=lines(hit),
        confidence=0.9,
        rollback_helps=None,
        documentation="https://cloud.google.com/sql/docs/postgres/manage-connections",
    )


def _schema(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_SCHEMA)
    if hit is None:
        return None
    name = _named(hit, "pg", "sqlite", "mysql", "table", "prisma")
    return Diagnosis(
        code="database_migration",
        title=f"The database has no `{name}`: code and schema do not fit",
        explanation="The code expects a newer (or older) schema: a migration did not run, or ran before its code.",
        advice=f"Run the migration that brings `{name}`, or {scene.facts.revert}; check first that older code still fits the schema",
        evidence=lines(hit),
        confidence=0.9,
        rollback_helps=True,
        documentation="https://martinfowler.com/bliki/ParallelChange.html",
        facts={"object": name},
    )


def _redis(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_REDIS)
    if hit is None:
        return None
    host, port = _named(hit, "py", "node", "go"), _named(hit, "py_port", "node_port", "go_port")
    return Diagnosis(
        code="redis_unreachable",
        title=f"Redis{f' at {host}:{port}' if host else ''} does not accept connections",
        explanation="The program is up, its Redis is not reachable: stopped, moved, or cut off by the network.",
        advice="Is the instance running, and does the revision have VPC egress to its network?",
        evidence=lines(hit),
        confidence=0.9,
        rollback_helps=False,
        documentation="https://cloud.google.com/memorystore/docs/redis/connect-redis-instance-cloud-run",
        facts={name: value for name, value in {"host": host, "port": port}.items() if value},
    )


_ECHOES = frozenset(
    {
        "unhandled_exception",
        "worker_boot_failure",
        "exit_code",
        "did_not_listen",
        "startup_probe_failed",
        "malformed_response",
        "request_timeout",
        "worker_timeout",
    }
)

RULES = (
    Rule("cloud_sql_socket", _cloud_sql_socket, explains=_ECHOES | {"database_unreachable"}),
    Rule("database_auth", _auth, explains=_ECHOES | {"database_unreachable"}),
    Rule("database_connections", _too_many, explains=_ECHOES | {"database_unreachable"}),
    Rule("redis_unreachable", _redis, explains=_ECHOES),
    Rule("database_unreachable", _unreachable, explains=_ECHOES),
    Rule("database_migration", _schema, explains=_ECHOES),
)
