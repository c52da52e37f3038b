"""What the simulated services say: error texts of several languages, drawn from a seed.

A `Wording` is one place in somebody's code that complains. It is rendered anew for each failure: ids, durations, addresses
and counters change, the rest stays. `<n>`, `<id>`, `<uuid>`, `<ms>`, `<ip>`, `<hex>` mark what changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

LANGUAGES = ("python", "node", "java", "go", "dotnet", "ruby")

MODULES = (
    "orders",
    "session",
    "ledger",
    "basket",
    "profile",
    "search",
    "render",
    "quota",
    "shipping",
    "tokens",
    "catalogue",
)
VERBS = (
    "load",
    "save",
    "update",
    "merge",
    "decode",
    "sign",
    "resolve",
    "refresh",
    "total",
    "apply",
    "publish",
    "rank",
)
NOUNS = ("order", "cart", "invoice", "customer", "coupon", "parcel", "token", "address", "session", "quote", "batch")
ATTRIBUTES = ("currency", "amount", "tier", "locale", "owner", "sku", "expires_at", "region", "discount", "tax_rate")
_REASONS = (
    "unexpected end of document",
    "value is not a valid decimal",
    "row was changed by another transaction",
    "schema version <n> is not supported",
    "key is not in the map",
    "checksum does not match",
    "state machine has no transition",
    "budget of <ms> ms spent",
)
_MARK = re.compile(r"<(n|id|uuid|ms|ip|hex)>")


@dataclass(frozen=True, slots=True)
class Wording:
    """`text`: may be several lines, with marks for what changes. `severity`: as a structured logger would set it.

    `platform`: Cloud Run says it, in the request log entry, where there are any.
    """

    text: str
    severity: str = "ERROR"
    platform: bool = False

    def render(self, rng: Random) -> str:
        """The text of one failure."""
        if "<" not in self.text:
            return self.text
        return _MARK.sub(lambda mark: _changing(mark.group(1), rng), self.text)


def _changing(kind: str, rng: Random) -> str:
    match kind:
        case "n":
            return str(rng.randint(1, 99_999))
        case "id":
            return f"{rng.choice('abcdek')}{rng.randint(10_000, 9_999_999)}"
        case "uuid":
            digits = f"{rng.getrandbits(128):032x}"
            return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        case "ms":
            return str(rng.randint(3, 29_999))
        case "ip":
            return f"10.{rng.randint(0, 99)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
        case _:
            return f"{rng.getrandbits(44):x}"


def complaint(rng: Random, severity: str = "ERROR") -> Wording:
    """A line somebody wrote by hand, plain or in JSON, without frames."""
    verb, noun, reason = rng.choice(VERBS), rng.choice(NOUNS), rng.choice(_REASONS)
    attribute = rng.choice(ATTRIBUTES)
    return Wording(
        rng.choice(
            (
                f"failed to {verb} {noun} <id>: {reason}",
                f"could not {verb} {noun} (request <uuid>): {reason} after <ms> ms",
                f'{{"level":"error","msg":"{verb} {noun} failed","{noun}":"<id>","err":"{reason}"}}',
                f"[{noun}-worker] {verb} error: {reason} {attribute}=<n>",
                f"{verb.title()}{noun.title()}Error: {reason}",
            )
        ),
        severity,
    )


def chatter(rng: Random) -> Wording:
    """What services say when all is well, words like "error" included."""
    verb, noun = rng.choice(VERBS), rng.choice(NOUNS)
    return rng.choice(
        (
            Wording(f"{verb} {noun} <id> took <ms> ms", "INFO"),
            Wording(f'{{"level":"info","msg":"{verb}","{noun}":"<uuid>","ms":<ms>}}', "INFO"),
            Wording(f"cache miss for {noun}:<id>", "DEBUG"),
            Wording(f"0 errors in the last {noun} batch (<n> rows)", "INFO"),
            Wording(f"retry 1 of 3 for {noun} <id> after a transient error", "WARNING"),
            Wording(f"DeprecationWarning: {verb}_{noun} will be removed", "WARNING"),
        )
    )


def unreachable(rng: Random, kind: str, host: str, port: int, language: str) -> Wording:
    """A client library's complaint about a dependency."""
    texts: dict[str, str]
    common: tuple[str, ...]
    if kind == "api":
        texts = {
            "python": f"requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='{host}', port=443): Read timed out. (read timeout=<n>)",
            "node": f"AxiosError: getaddrinfo EAI_AGAIN {host}",
            "java": f"java.net.SocketTimeoutException: {host}: connect timed out",
            "go": f'Post "https://{host}/v1/charges": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        }
        common = (f"upstream {host} answered 503 Service Unavailable", f"{host}: 502 Bad Gateway (request <uuid>)")
    elif kind == "postgres":
        texts = {
            "python": f'psycopg.OperationalError: connection failed: connection to server at "{host}", port {port} failed: Connection refused',
            "node": f"Error: connect ECONNREFUSED {host}:{port}",
            "java": f"org.postgresql.util.PSQLException: Connection to {host}:{port} refused. Check that the hostname and port are correct",
            "go": f"pq: dial tcp {host}:{port}: connect: connection refused",
        }
        common = (
            f"could not connect to the database at {host}:{port}: timeout expired",
            f"FATAL: the database system is shutting down (host {host}, port {port})",
        )
    else:
        texts = {
            "python": f"redis.exceptions.ConnectionError: Error 111 connecting to {host}:{port}. Connection refused.",
            "node": f"ReplyError: connect ETIMEDOUT {host}:{port}",
            "java": f"io.lettuce.core.RedisConnectionException: Unable to connect to {host}:{port}",
            "go": f"redis: dial tcp {host}:{port}: i/o timeout",
        }
        common = (f"redis {host}:{port}: LOADING Redis is loading the dataset in memory",)
    return Wording(rng.choice((texts.get(language, common[0]), texts.get(language, common[0]), *common)))


def upstream_failed(rng: Random, callee: str) -> Wording:
    """A caller's complaint about another service; two in eight do not say which."""
    return Wording(
        rng.choice(
            (
                f"requests.exceptions.HTTPError: 500 Server Error: Internal Server Error for url: https://{callee}-x7k2-ew.a.run.app/v1/<n>",
                f"call to {callee} failed with status 500 after <ms> ms",
                f"upstream {callee}: rpc error: code = Unavailable desc = unexpected HTTP status code",
                f"AxiosError: Request failed with status code 500 (GET http://{callee}/v1/items/<n>)",
                f'{{"level":"error","msg":"downstream call failed","target":"{callee}","ms":<ms>}}',
                f"{callee} client: giving up after 2 attempts",
                "downstream call failed, request <uuid>",
                "AxiosError: Request failed with status code 500",
            )
        )
    )


def garbled(rng: Random, callee: str) -> Wording:
    """A caller's complaint about an answer it cannot read: the callee said 200."""
    attribute = rng.choice(ATTRIBUTES)
    return Wording(
        rng.choice(
            (
                f"KeyError: '{attribute}' in the response of {callee}",
                f"json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0) from https://{callee}-x7k2-ew.a.run.app/v1/<n>",
                f"invalid response from {callee}: field {attribute} missing (request <uuid>)",
                f"SyntaxError: Unexpected token < in JSON at position 0 while reading http://{callee}/v1/<n>",
            )
        )
    )


COLD = (
    Wording("The request was aborted because there was no available instance.", platform=True),
    Wording("upstream connect error or disconnect/reset before headers. reset reason: connection failure"),
    Wording("connection pool is not ready yet, rejecting request <uuid>"),
    Wording("model still warming up, try again in <n> s", "WARNING"),
    Wording("TimeoutError: first connection took <ms> ms during startup"),
)
OVERLOAD = (
    Wording("The request was aborted because there was no available instance.", platform=True),
    Wording("Rate exceeded.", "WARNING", platform=True),
    Wording("QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00"),
    Wording("too many concurrent requests: <n> in flight, shedding load"),
)
TIMED_OUT = Wording(
    "The request has been terminated because it has reached the maximum request timeout.", platform=True
)
CRASHED = (
    Wording("Container called exit(1).", "WARNING"),
    Wording("Uncaught signal: 11, pid=1, tid=<n>, fault_addr=0.", "ERROR"),
    Wording(
        "The request failed because either the HTTP response was malformed or connection to the instance had an error."
    ),
)
LEAKS = (
    Wording("Memory limit of 512 MiB exceeded with <n> MiB used. Consider increasing the memory limit."),
    Wording("OSError: [Errno 24] Too many open files: '/tmp/<hex>'"),
    Wording("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "CRITICAL"),
    Wording("QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00"),
    Wording("java.lang.OutOfMemoryError: Java heap space", "CRITICAL"),
)
STARTUP = (
    'Default STARTUP TCP probe failed 1 time consecutively for container "app" on port 8080. The instance was not started.',
    "The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable.",
)
BOOT = (
    "Traceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\n    import orjson\nModuleNotFoundError: No module named 'orjson'",
    "Error: Cannot find module './config/production'\nRequire stack:\n- /app/server.js",
    "KeyError: 'DATABASE_URL'",
    "panic: missing environment variable JWT_KEY",
    "Application failed to start: Error creating bean with name 'dataSource'",
    "[error] Worker failed to boot.",
)
