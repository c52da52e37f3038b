"""Connections that did not come about: to which host and port, and what is likely to live there.

Every runtime words a refused or timed-out connection in its own way; what they have in common is an address and a
reason. Databases, caches and other services are then told apart by port and by the client library in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.correlate.diagnosis.known import words
from bot.correlate.diagnosis.looks import is_program
from bot.correlate.diagnosis.rule import Hit, Scene

_HOST = r"(?P<host>\[[0-9a-fA-F:.]{2,45}\]|[\w.-]{1,200}?|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7})"
_PORT = r"(?P<port>\d{2,5})\b"
_GO_REASON = r"(?:connect: )?(?:connection refused|i/o timeout|connection timed out|no route to host|network is unreachable|connection reset|operation timed out)"

_FAILED = words(
    rf"\b(?:ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)[: ]{{1,2}}{_HOST}:{_PORT}",
    rf"\bdial (?:tcp|udp)[46]? {_HOST}:{_PORT}: {_GO_REASON}",
    rf"connection to server at \"{_HOST}\"(?: \([\w.:]{{1,60}}\))?, port {_PORT} failed: (?!FATAL|error|ERROR|SSL)",
    rf"could not connect to server: [^\n]{{1,60}}(?:\n[^\n]{{0,200}})?host \"{_HOST}\"[^\n]{{0,80}}(?:\n[^\n]{{0,80}})?port {_PORT}",
    rf"\[Errno \d{{1,3}}\] Connect call failed \('{_HOST}', {_PORT}",
    rf"Cannot connect to host {_HOST}:{_PORT} ssl:",
    rf"ConnectionPool\(host='{_HOST}', port={_PORT}\): Max retries exceeded[^\n]{{0,400}}(?:NewConnectionError|ConnectTimeoutError|refused|timed out)",
    rf"\bError \d{{1,3}} connecting to {_HOST}:{_PORT}",
    r"Timeout connecting to server|\bMySQL server on '(?P<host>[\w.:/-]{1,200}?)(?::(?P<port>\d{2,5}))?'",
    rf"Can't reach database server at [`'\"]{_HOST}[`'\"]?:[`'\"]?{_PORT}",
    rf"Can't reach database server at [`'\"]{_HOST}[`'\"]",
    rf"Connection to {_HOST}:{_PORT} refused",
    rf"The connection attempt failed\b|The TCP/IP connection to the host {_HOST}, port {_PORT} has failed",
    rf"Connection refused(?: \(Connection refused\))?: (?:no further information: )?(?:[\w.-]{{0,200}}/)?{_HOST}:{_PORT}",
    rf"connection timed out(?: after \d+ ms)?: (?:[\w.-]{{0,200}}/)?{_HOST}:{_PORT}",
    rf"Unable to connect to \[?(?:[\w.-]{{1,200}}/)?(?:<unresolved>)?/?{_HOST}:{_PORT}",
    rf"Failed to connect to (?:[\w.-]{{1,200}}/)?{_HOST}:{_PORT}",
    rf"Failed to connect to {_HOST} port {_PORT}",
    rf"Connect to (?:https?://)?{_HOST}:{_PORT}[^\n]{{0,120}} failed: ",
    rf"I/O error on \w{{3,7}} request for \"https?://{_HOST}(?::(?P<port>\d{{2,5}}))?[/\"][^\n]{{0,300}}(?:refused|timed out)",
    rf"(?:refused|timed out)(?: -)? connect\(2\) for \"?{_HOST}\"? port {_PORT}",
    rf"\bConnection refused \({_HOST}:{_PORT}\)",
    rf"(?:ServerSelectionTimeoutError|MongoServerSelectionError|MongoNetworkError): [^\n]{{0,80}}?{_HOST}:{_PORT}",
    rf"(?:cannot|could not|unable to|failed to) connect to (?:\w{{1,20}} ){{0,3}}(?:at |on |server )?(?:\w{{2,12}}://)?(?:[^\s@/]{{0,80}}@)?{_HOST}:{_PORT}",
    r"failed to connect to [`'\"]?host=(?P<host>[\w./-]{1,200})",
    rf"(?:connection|connect) to host {_HOST} and port {_PORT}",
    rf"(?:Error connecting to Redis on|UnableToConnect on) {_HOST}:{_PORT}",
    rf"ipv4:{_HOST}:{_PORT}: (?:Failed to connect|connection refused|tcp handshaker)",
)
# the address is not said, or on another line
_NAMELESS = words(
    r"Communications link failure",
    r"\bECONNREFUSED\b",
    r"\b[Cc]onnection refused\b",
    r"\b(?:Redis|Jedis|Lettuce)\w{0,30}(?:Connect|Connection|Timeout)\w{0,20}(?:Error|Exception)\b|MaxRetriesPerRequestError|redis\.exceptions\.(?:Connection|Timeout)Error",
    r"Unable to connect to Redis|Redis connection (?:to [^\n]{1,80} )?failed|RedisConnectionFailureException|Could not get a resource from the pool",
    r"All connection attempts failed|\bConnectTimeout\b|\bConnect Timeout Error\b|UND_ERR_CONNECT_TIMEOUT|\bETIMEDOUT\b",
    r"\bSQLSTATE\[HY000\] \[2002\]|\b08001\b[^\n]{0,80}(?:refused|could not)|ORA-12541|ORA-12170",
    r"terminating connection due to administrator command|the database system is (?:starting up|shutting down|in recovery mode|not yet accepting)",
    r"server closed the connection unexpectedly|Connection terminated unexpectedly|SSL connection has been closed unexpectedly",
    r"MySQL server has gone away|Lost connection to (?:MySQL|server|backend)|\bPROTOCOL_CONNECTION_LOST\b",
    r"An I/O error occurred while sending to the backend|This connection has been closed|connection (?:was closed|is closed) in the middle of operation",
    r"network-related or instance-specific error occurred while establishing a connection to SQL Server",
    r"timeout exceeded when trying to connect|Connection terminated due to connection timeout|ConnectionTimeoutError: Connection timeout|NoHttpResponseException|"
    r"DPY-(?:6005|6001|6000|4011)\b|Timed out connecting to the database|Timeout acquiring a connection from the server",
    r"\b(?:read|write) ECONNRESET\b|\bsocket hang up\b|RemoteDisconnected|Remote end closed connection without response|Server disconnected without sending|connection reset by peer|\bConnection reset\b",
    r"could not connect to server|\bNoBrokersAvailable\b|driver: bad connection|invalid connection$|No servers available|Exception while connecting to [^\n]{0,80}database",
)
_NO_NAME = re.compile(  # the name was not resolved, so nobody was asked to connect
    r"Name or service not known|name resolution|getaddrinfo|ENOTFOUND|EAI_AGAIN|no such host|nodename nor|does not resolve"
    r"|could not translate host|UnknownHost|Failed to resolve"
)
_BY_CALLER = re.compile(  # who broke off was the one that called us
    r"(?i)ClientAbortException|ClientDisconnect|\bBroken ?pipe|client (?:has )?(?:prematurely |unexpectedly )?(?:closed|disconnected|aborted|hung up)"
    r"|request (?:was )?aborted|Error: aborted|/gunicorn/http/|node_modules/raw-body|reading client request"
)
_SQLSTATE = re.compile(r"\b(?:08001|08004|08006|08003|57P01|57P02|57P03)\b")

_REDIS_PORTS = frozenset({6378, 6379, 6380, 26379})
_DATABASE_PORTS = frozenset({5432, 5433, 6432, 3306, 3307, 1433, 1521, 27017, 27018, 9042, 26257})
_REDIS = re.compile(r"redis|valkey|lettuce|jedis|memorystore|predis|StackExchange\.Redis", re.IGNORECASE)
_DATABASE = re.compile(
    r"psycopg|asyncpg|pg8000|sqlalchemy|postgres|\bpg[-_. ]|PG::|npgsql|pgx|lib/pq|mysql|mariadb|jdbc|hikari|mongo|prisma|sequelize"
    r"|cassandra|clickhouse|elastic(?:search|_transport)|oracledb|mssql|typeorm|knex|gorm|SQLSTATE|ActiveRecord|PDOException|SQLException|SqlClient|SQL Server|\bORA-\d|oracle\.jdbc|\bdatabase\b"
    r"|\bsent to the backend|sending to the backend|django[./]db|flyway|liquibase|hibernate|Communications link|server closed the connection"
    r"|terminating connection|Connection terminated unexpectedly|in the middle of operation",
    re.IGNORECASE,
)


class Kind(StrEnum):
    """What is expected to answer at an address."""

    DATABASE = "database"
    REDIS = "redis"
    OTHER = "other"


@dataclass(frozen=True)
class Unreached:
    """One address that did not answer. `host` "" and `port` 0 where the log does not name them."""

    kind: Kind
    host: str
    port: int
    hit: Hit

    @property
    def address(self) -> str:
        """`10.0.0.3:5432`, "" when unknown."""
        return f"{self.host}:{self.port}" if self.host and self.port else self.host


def unreached(scene: Scene, kind: Kind) -> Unreached | None:
    """The oldest failed connection of this kind that names its address, else the oldest that does not."""
    return next((found for found in _all(scene) if found.kind is kind), None)


def _all(scene: Scene) -> Iterator[Unreached]:
    for pattern in _FAILED:
        for hit in scene.all(pattern):
            if not is_program(hit.entry) or _NO_NAME.search(hit.line):
                continue
            host, port = hit["host"].strip("[]"), int(hit["port"] or 0)
            yield Unreached(_kind(hit, port), host, port, hit)
    for pattern in _NAMELESS:
        for hit in scene.all(pattern):
            if not is_program(hit.entry) or _NO_NAME.search(hit.line) or _BY_CALLER.search(hit.text):
                continue
            if scene.has_errors or _DATABASE.search(hit.text) or _REDIS.search(hit.text):
                yield Unreached(_kind(hit, 0), "", 0, hit)
    for hit in scene.all(_SQLSTATE):
        if _DATABASE.search(hit.text):
            yield Unreached(Kind.DATABASE, "", 0, hit)


def _kind(hit: Hit, port: int) -> Kind:
    """By port, else by the words of the line, else by those of the text around it."""
    if port in _REDIS_PORTS | _DATABASE_PORTS:
        return Kind.REDIS if port in _REDIS_PORTS else Kind.DATABASE
    has_address = bool(port) or "://" in hit.line  # then the frames around it may be anybody's
    for text in (hit.line,) if has_address else (hit.line, hit.text):
        if _REDIS.search(text):
            return Kind.REDIS
        if _DATABASE.search(text):
            return Kind.DATABASE
    return Kind.OTHER
