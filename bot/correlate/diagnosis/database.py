"""Databases: unreachable, refusing the login, out of connections, too slow, or without the table that the code wants.

The words are those of the servers (PostgreSQL, MySQL, SQL Server, SQLite, MongoDB) and of the client libraries;
SQLSTATE codes as in https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

from __future__ import annotations

from bot.correlate.diagnosis.endpoints import Kind, unreached
from bot.correlate.diagnosis.known import Known, known, prisma, sqlstate, words
from bot.correlate.diagnosis.rule import SERVING_ECHOES, Rule, Scene
from bot.model.judgement import Diagnosis

_SQL_DOCS = "https://cloud.google.com/sql/docs/postgres/connect-run"
_INSTANCE = r"(?P<instance>[\w.-]{1,80}:[\w-]{1,40}:[\w-]{1,100})"
_NAME = r"[\w.$-]{1,120}"

_SOCKET = Known(
    says=words(
        rf"/cloudsql/{_INSTANCE}[^\n]{{0,200}}?(?i:no such file|refused|enoent|not reachable|timed? ?out|cannot connect|can't connect|is the server|failed|error)",
        rf"(?i:enoent|refused|enotsock|no such file|through socket|can't connect|cannot connect|failed|error)[^\n]{{0,200}}?/cloudsql/{_INSTANCE}",
        rf"Cloud SQL connection failed[^\n]{{0,400}}?\"?{_INSTANCE}",
        rf"(?:instance|connection to|connect to) [`'\"\[]?{_INSTANCE}[`'\"\]]?[^\n]{{0,120}}(?:failed|refused|not reachable|timed? ?out|ensure|error)",
        rf"\[?{_INSTANCE}\]?:? [^\n]{{0,60}}(?:failed to connect to instance|failed to get instance|dial error|connection aborted)",
        r"Cloud SQL (?:instance|connection|proxy)[^\n]{0,200}?(?:failed|not reachable|refused|error|could not)",
        r"(?:cloud[-_]sql[-_]proxy|cloudsqlconn|cloud_sql_connector)[^\n]{0,200}?(?:failed|refused|error|unable)",
        r"Missing permission cloudsql\.instances\.(?:connect|get)|boss::NOT_AUTHORIZED|cloudsql\.instances\.(?:connect|get)\b",
        rf"\(connection name = \"{_INSTANCE}\"\)",
        rf"\[?{_INSTANCE}\]?[^\n]{{0,40}}Cloud SQL Admin API failed",
        r"sqladmin\.googleapis\.com|Cloud SQL Client' role|Cloud SQL Admin API failed|\binstanceDoesNotExist\b",
    ),
    title="Cloud SQL instance `{instance}` is not reachable through its proxy socket",
    bare="Cloud SQL is not reachable through its proxy socket",
    explanation="The socket under /cloudsql answers only for instances that the revision declares, that run, and that the service account may connect to.",
    advice=(
        "`gcloud run services update {service} --add-cloudsql-instances {instance}`; grant the service account "
        "roles/cloudsql.client; is the Cloud SQL Admin API enabled, and the instance running (`gcloud sql instances list`)?"
    ),
    rollback_helps=None,
    documentation=_SQL_DOCS,
)
_AUTH = Known(
    says=words(
        r"password authentication failed for user \"(?P<user>[^\"\n]{1,120})\"",
        r"Access denied for user '(?P<user>[^'\n]{1,80})'@",
        r"no pg_hba\.conf entry for host[^\n]{0,80}?user \"(?P<user>[^\"\n]{1,120})\"",
        r"role \"(?P<user>[^\"\n]{1,120})\" (?:does not exist|is not permitted to log in)",
        r"(?:IAM|PAM|LDAP|Ident|Peer|GSSAPI|SCRAM)[\w ]{0,40} authentication failed for user \"(?P<user>[^\"\n]{1,120})\"",
        r"Login failed for user '(?P<user>[^'\n]{1,80})'",
        r"credentials for [`'\"](?P<user>[^`'\"\n]{1,80})[`'\"] are not valid",
        r"Authentication failed against (?:the )?database server",
        prisma("P1000"),
        sqlstate("28P01", "28000"),
        r"\bER_ACCESS_DENIED_ERROR\b|\bORA-01017\b|SQLSTATE\[HY000\] \[1045\]",
        r"MongoServerError: (?:bad auth|Authentication failed)|pymongo\.errors\.OperationFailure: (?:bad auth|Authentication failed)",
        r"client password must be a string|The server requested (?:password-based|SCRAM-based) authentication, but no password",
        r"fe_sendauth: no password supplied|caching_sha2_password|Authentication plugin '[\w]{1,40}' (?:is not supported|cannot be loaded)",
    ),
    title="The database refuses the login of `{user}`",
    bare="The database refuses the login",
    explanation="The database answers, but user, password or the rule for this client do not fit: often a rotated or missing secret.",
    advice=(
        "Compare the secret's version on the revision with the database user's password (`gcloud run services describe {service}`); "
        "a secret at `latest` is read when an instance starts"
    ),
    rollback_helps=None,
    documentation="https://cloud.google.com/sql/docs/postgres/users",
    confidence=0.93,
)
_GRANT = Known(
    says=words(
        r"permission denied for (?:table|schema|relation|sequence|database|function|view) \"?(?P<object>[\w.]{1,120})",
        r"must be owner of (?:table|schema|relation|sequence) \"?(?P<object>[\w.]{1,120})|command denied to user '[^'\n]{1,80}'@'[^'\n]{1,80}' for table [`'](?P<object>[\w.]{1,120})",
        r"\bThe \w{3,8} permission was denied on the object '(?P<object>[^'\n]{1,120})'",
    ),
    title="The database user has no right to `{object}`",
    bare="The database user lacks a right in the database",
    explanation="The login works, but the user was never granted this table or schema: often one that a migration created as another user.",
    advice="`GRANT` the right to the program's user (and `ALTER DEFAULT PRIVILEGES` for tables to come)",
    rollback_helps=None,
    documentation="https://www.postgresql.org/docs/current/sql-grant.html",
)
_TOO_MANY = Known(
    says=words(
        r"too many connections for (?:role|database) \"(?P<whose>[^\"\n]{1,63})\"",
        r"remaining connection slots are reserved|sorry, too many clients already|\btoo_many_connections\b",
        sqlstate("53300"),
        r"\bToo many connections(?! \w)|\bER_CON_COUNT_ERROR\b|max_user_connections|max_connections_per_hour|no more connections allowed",
        r"MaxClientsInSessionMode|max client connections reached|\bORA-(?:00018|00020|12519)\b",
        r"Too many database connections opened",
        prisma("P2037"),
    ),
    title="The database has no connection left (limit of `{whose}`)",
    bare="The database has no connection left: too many connections",
    explanation="Every instance opens its own pool: instances × pool size exceeds what the database allows, or connections leak.",
    advice=(
        "Lower the pool size or the instances (`gcloud run services update {service} --max-instances N`), or put a pooler in between; "
        "`SELECT usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2` shows who holds them"
    ),
    rollback_helps=None,
    documentation="https://cloud.google.com/sql/docs/postgres/manage-connections",
)
_POOL = Known(
    says=words(
        r"QueuePool limit of size (?P<size>\d{1,5}) overflow \d{1,5} reached",
        r"Connection is not available, request timed out after (?P<waited>\d{1,7} ?ms)",
        r"Timeout acquiring a connection\. The pool is probably full|KnexTimeoutError|(?:Sequelize)?ConnectionAcquireTimeoutError",
        r"Timed out fetching a new connection from the (?:connection )?pool",
        prisma("P2024"),
        r"ResourceRequest timed out|could not obtain a (?:database )?connection (?:from the pool )?within|PoolTimeout: couldn't get a connection",
        r"connection pool (?:is )?(?:exhausted|timed out)|pool exhausted|The timeout period elapsed prior to obtaining a connection from the pool",
        r"Unable to acquire (?:a )?JDBC Connection|WaitQueueTimeoutError|Timed out while checking out a connection from connection pool",
    ),
    title="The program's database connection pool is exhausted",
    bare="The program's database connection pool is exhausted",
    explanation="All connections of the pool are in use: queries got slower, connections leak, or one instance serves more requests than its pool has connections.",
    advice=(
        "Look for slow queries and for connections that are not given back; let pool size and `--concurrency` fit "
        "(`gcloud run services update {service} --concurrency N`)"
    ),
    rollback_helps=None,
    documentation="https://cloud.google.com/sql/docs/postgres/manage-connections",
    confidence=0.85,
)
_SCHEMA_DOCS = "https://cloud.google.com/sql/docs/postgres"
_SCHEMA = Known(
    says=words(
        rf"\b(?:column|relation|table|type|function|schema|view|sequence) [\"'`]?(?P<object>(?!\d){_NAME}?)[\"'`]?(?:\([^)\n]{{0,80}}\))?(?: of relation \"?[\w.]{{1,63}}\"?)? does not exist(?! \w)",
        rf"no such (?:table|column): (?P<object>{_NAME})|has no column named (?P<column>\w{{1,63}})",
        rf"Unknown column '(?P<object>{_NAME})' in",
        rf"Table '(?P<object>{_NAME})' doesn't exist",
        r"The (?:table|column) [`'](?P<object>[\w.()]{1,120})[`'] does not exist in the current database",
        rf"Invalid (?:object|column) name '(?P<object>{_NAME})'",
        rf"Schema-validation: missing (?:table|column) \[(?P<object>{_NAME})\]|[Mm]issing (?:table|column):? \[?(?P<missing>{_NAME})\]?",
        r"\b(?:ER_NO_SUCH_TABLE|ER_BAD_FIELD_ERROR|UndefinedTable|UndefinedColumn|ORA-00942|ORA-00904)\b",
        sqlstate("42P01", "42703", "42S02", "42S22"),
        prisma("P2021", "P2022", "P3009", "P3018"),
        r"You have (?P<pending>\d{1,4}) unapplied migration|ActiveRecord::PendingMigrationError|Migrations are pending|Pending migrations|following migrations? have not (?:yet )?been applied",
        r"FlywayValidateException|Validate failed: Migrations have failed|Detected (?:failed|applied|resolved) migration|Migration checksum mismatch|FlywayException|FlywayMigrateException",
        r"LiquibaseException|liquibase\.exception\.\w{3,60}|MigrationFailedException|Validation Failed:[^\n]{0,80}change ?sets?|Waiting for changelog lock",
        r"Can't locate revision identified by '(?P<revision>\w{1,40})'|Target database is not up to date|Multiple head revisions|alembic\.util\.exc\.CommandError",
        r"Dirty database version (?P<version>\d{1,18})|A migration failed to apply|migrate found failed migrations",
        r"InconsistentMigrationHistory|NodeNotFoundError: Migration",
    ),
    title="The database has no `{object}`: code and schema do not fit",
    bare="The database schema and the code do not fit: a migration is missing or failed",
    explanation="The code expects a newer (or older) schema: a migration did not run, failed half-way, or ran before its code.",
    advice="Run the migration that the code needs, or {revert}; check first that the older code still fits the schema",
    rollback_helps=True,
    documentation=_SCHEMA_DOCS,
)
_DEADLOCK = Known(
    says=words(
        r"\bdeadlock detected\b|DeadlockDetected",
        sqlstate("40P01", "40001", "55P03"),
        r"Deadlock found when trying to get lock|\bER_LOCK_DEADLOCK\b|was deadlocked on (?:lock|\w{1,20}) resources",
        r"Lock wait timeout exceeded|\bER_LOCK_WAIT_TIMEOUT\b|canceling statement due to lock timeout|LockNotAvailable",
        r"database (?:table )?is locked|SQLITE_BUSY|\bORA-00060\b|could not serialize access due to|DeadlockLoserDataAccessException|LockAcquisitionException|CannotAcquireLockException|TransactionDeadlock",
        r"all goroutines are asleep - deadlock!|Found (?:one|\d{1,3}) Java-level deadlock|fatal: (?:\w{1,20} )?deadlock|_DeadlockError|deadlock; recursive locking|No live threads left\. Deadlock",
        r"\bWriteConflict\b",
        prisma("P2034"),
    ),
    title="Transactions or threads block each other: deadlock",
    bare="Transactions or threads block each other: deadlock",
    explanation="Two pieces of work wait for each other's lock, or one holds a lock too long; the victim is aborted, or everything hangs.",
    advice=(
        "Take locks in one fixed order, keep transactions short, and retry the victim; who holds a lock: "
        "`SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE wait_event_type = 'Lock'`; "
        "if this deploy brought it, {revert}"
    ),
    rollback_helps=None,
    documentation="https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS",
)
_SLOW = Known(
    says=words(
        r"canceling statement due to (?:statement|user|conflict)[^\n]{0,40}(?:timeout|request|recovery)|QueryCanceled",
        sqlstate("57014"),
        r"Query execution was interrupted, maximum statement execution time exceeded|\bER_QUERY_TIMEOUT\b",
        r"Query read timeout|SQLTimeoutException|Execution Timeout Expired|MaxTimeMSExpired|QueryTimeoutException",
    ),
    title="Queries take longer than their time limit",
    bare="Queries take longer than their time limit",
    explanation="The database cancels statements that run too long: a missing index, a lock, more data, or an overloaded instance.",
    advice="Look at the slowest queries (Query Insights, `EXPLAIN ANALYZE`); if this deploy changed a query, {revert}",
    rollback_helps=None,
    documentation="https://cloud.google.com/sql/docs/postgres/using-query-insights",
    confidence=0.85,
)
_NO_DATABASE = Known(
    says=words(
        r"database \"(?P<database>[^\"\n]{1,63})\" does not exist",
        r"Unknown database '(?P<database>[^'\n]{1,63})'",
        r"Database `(?P<database>[^`\n]{1,63})` does not exist on the database server",
        r"Cannot open database \"(?P<database>[^\"\n]{1,63})\"",
    ),
    title="The server has no database `{database}`",
    bare="The server has no such database",
    explanation="The server answers and accepts the login, but the database of that name is not there: misspelt, or never created.",
    advice="Compare the name in the configuration with `gcloud sql databases list --instance INSTANCE`",
    rollback_helps=None,
    documentation="https://cloud.google.com/sql/docs/postgres/create-manage-databases",
    confidence=0.93,
)


def _unreachable(scene: Scene) -> Diagnosis | None:
    found = unreached(scene, Kind.DATABASE)
    if found is None:
        return None
    at = f" at {found.address}" if found.address else ""
    return Diagnosis(
        code="database_unreachable",
        title=f"The database{at} does not accept connections",
        explanation="The program is up, its database is not reachable: stopped, restarting, moved, or cut off by the network.",
        advice=(
            "Is the instance running (`gcloud sql instances list`)? Do the VPC connector or Direct VPC egress, the firewall "
            "and the host in the configuration fit?"
        ),
        evidence=(found.hit.line,),
        confidence=0.9 if found.address else 0.8,
        rollback_helps=False,
        documentation=_SQL_DOCS,
        facts={k: v for k, v in {"host": found.host, "port": str(found.port or "")}.items() if v},
    )


_ECHOES = SERVING_ECHOES | {
    "database_unreachable",
    "database_connections",
    "deadlock",
    "database_slow",
    "database_pool",
}

RULES = (
    known("cloud_sql_socket", _SOCKET, explains=_ECHOES | {"dns_failure", "permission_denied", "database_pool"}),
    known("database_auth", _AUTH, _GRANT, explains=_ECHOES),
    known("database_missing", _NO_DATABASE, explains=_ECHOES | {"database_migration"}),
    known("deadlock", _DEADLOCK, explains=_ECHOES - {"deadlock"} | {"signal"}),
    known("database_migration", _SCHEMA, explains=_ECHOES),
    known("database_connections", _TOO_MANY, explains=_ECHOES - {"database_connections"} | {"database_pool"}),
)
LATE_RULES = (
    Rule("database_unreachable", _unreachable, explains=_ECHOES - {"database_unreachable"}),
    known("database_slow", _SLOW, explains=_ECHOES - {"database_slow"}),
    known("database_pool", _POOL, explains=SERVING_ECHOES | {"database_unreachable"}),
)
