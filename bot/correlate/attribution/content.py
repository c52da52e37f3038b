"""What a message speaks of: the code, a dependency, the memory, room for requests, a setting, another service.

Words of the libraries and platforms that say them. A message may speak of several things; `theme` takes the most
telling one. Words alone never decide: they are one vote.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Theme(StrEnum):
    """The first that fits, in this order."""

    STARTUP = "startup"  # the container did not come up
    MEMORY = "memory"  # it grew until it was stopped
    CAPACITY = "capacity"  # no room for more requests
    SETTING = "setting"  # a secret, a key, a variable, a permission
    DEPENDENCY = "dependency"  # a database, a cache, a broker, a host that does not answer
    UPSTREAM = "upstream"  # another service answered with an error, or not at all
    CODE = "code"  # an exception of our own making
    WARMING = "warming"  # first requests of a new instance
    OTHER = "other"


_STARTUP = (
    r"\bContainer called exit\((?!0\))|failed to start and listen on the port|(?i:startup|readiness)(?: (?:TCP|HTTP|gRPC))? probe failed"
    r"|failed the (?:configured )?startup|\bWorker failed to boot\b|exec format error|\bHaltServer\b"
    r"|Application startup failed|\bBootError\b|[Cc]rash ?[Ll]oop|failed to (?:boot|start)\b"
    r"|\b(?:ModuleNotFoundError|ImportError): |Cannot find module\b|ClassNotFoundException"
    r"|\b(?:container|process|instance) (?:exited|terminated|died)\b"
)
_MEMORY = (
    r"\bMemory limit of \d|[Oo]ut[ -]?[Oo]f[ -]?[Mm]emory|\bMemoryError\b|\bOOM\b|\bOOMKilled\b|heap (?:out|limit|space|exhausted)"
    r"|memory (?:limit|pressure|usage|exhausted|allocation)|cannot allocate memory|GC overhead|\bGC (?:pause|thrash)"
    r"|[Tt]oo many open files|file descriptors|\b(?:memory|heap|handle|descriptor|goroutine|thread) leak|terminated on signal 9"
)
_CAPACITY = (
    r"no available instance|\b429\b|[Tt]oo [Mm]any [Rr]equests|rate (?:limit )?exceeded|rate[ -]limit|(?:max|maximum) (?:instances|concurrency)"
    r"|request was aborted|overload|capacity|queue (?:is )?full|queue (?:depth|length|overflow)|concurrency limit|throttl"
    r"|pool (?:exhausted|timeout|limit|is full)|QueuePool limit|saturat|load shed|backpressure|\bscal(?:e|ing)\b"
    r"|(?:thread|connection|worker) pool|RESOURCE_EXHAUSTED|Resource exhausted"
)
_SETTING = (
    r"\b(?:invalid|missing|unknown|bad|wrong|malformed|expired|revoked|rotated) "
    r"(?:\S+ )?(?:secret|key|token|credential|config|setting|variable|password|signature|flag|env)"
    r"|\b(?:secret|credential|config(?:uration)?|setting|environment variable|feature flag)\b"
    r"|[Pp]ermission ?[Dd]enied|PERMISSION_DENIED|[Uu]nauthenticated|signature (?:verification|mismatch|invalid)"
    r"|password authentication failed|[Aa]ccess [Dd]enied|decrypt|[Ii]nvalid ?(?:API|api) ?key"
)
_DEPENDENCY = (
    r"\bECONN(?:REFUSED|RESET|ABORTED)\b|\bETIMEDOUT\b|\bEHOSTUNREACH\b|\bENOTFOUND\b|\bEAI_AGAIN\b|\bEPIPE\b"
    r"|[Cc]onnection (?:to \S+ )?(?:was )?(?:refused|reset|timed out|closed|lost|aborted|error|failed|failure)"
    r"|[Cc]ould not connect|[Cc]an(?:not|'t) connect|[Ff]ailed to connect|[Uu]nable to connect|connect(?:ion)? timeout"
    r"|[Nn]o route to host|[Nn]ame or service not known|getaddrinfo|lookup \S+.*no such host|server closed the connection"
    r"|\b(?:psycopg2?|asyncpg|sqlalchemy|pymysql|mysql|postgres(?:ql)?|redis|memcached?|mongo(?:db)?|kafka|rabbitmq|pubsub"
    r"|spanner|firestore|bigtable|cloud ?sql|elasticsearch|cassandra|dynamodb|etcd|s3|gcs|storage\.googleapis)\b"
    r"|\b(?:database|db|cache|broker|datastore)\b|MySQL server has gone away|too many (?:connections|clients)"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}:\d{2,5}\b|\bdial tcp\b|TLS handshake|certificate (?:has )?expired|\bi/o timeout\b"
    r"|third[- ]party|external (?:api|service|provider)"
)
_UPSTREAM = (
    r"\bupstream\b|\bdownstream\b|[Bb]ad [Gg]ateway|[Gg]ateway [Tt]imeout|[Dd]eadline ?[Ee]xceeded|DEADLINE_EXCEEDED"
    r"|\bUNAVAILABLE\b|[Rr]ead timed out|[Rr]equest timed? ?out|\b(?:call|rpc|calling|fetch(?:ing)?|request(?:s)? to|response (?:from|of)) (?:to )?\S+ "
    r"(?:service )?(?:failed|returned|responded|timed out|error|is )|\btime ?out\b|\btimed out\b|circuit breaker|retries exceeded"
    r"|\breturned (?:status )?5\d\d|\bresponded with\b|\bstatus(?: code)? 5\d\d\b|\b500 Server Error|\bServer error '5\d\d"
)
_CODE = (
    r"\bTraceback \(most recent call last\)|\b(?:Type|Key|Value|Attribute|Name|Index|Assertion|ZeroDivision|Reference|Syntax"
    r"|Range|Unicode\w*|NotImplemented|Recursion|UnboundLocal|JSONDecode|Validation|Serialization)Error\b"
    r"|NullPointerException|IllegalState|IllegalArgument|ClassCast|NoSuchMethod|IndexOutOfBounds|ArrayIndex|NumberFormat"
    r"|^panic: |nil pointer|index out of range|invalid memory address|undefined is not|of undefined|of null|is not a function"
    r"|has no attribute|NoMethodError|undefined method|[Uu]ncaught|[Uu]nhandled|[Nn]ull ?[Rr]eference|\bassert|segfault"
    r"|does not exist|unexpected (?:keyword|field|token|type|nil|null)|deserializ|serializ|\bschema\b|\bcolumn\b|regression|\bNoneType\b"
)
_SCHEMA = (  # said by a database that is there and well
    r"\bUndefined(?:Column|Table|Function|Object)\b|\b(?:column|relation|table|function) \S+ (?:of relation \S+ )?does not exist"
    r"|\bno such (?:column|table)\b|\b[Uu]nknown column\b|\bsyntax error at\b|\b(?:Programming|Integrity|Data)Error\b"
    r"|\b(?:NotNull|Unique|ForeignKey|Check)Violation\b|\bviolates \S+(?: \S+)? constraint\b|\bInvalidTextRepresentation\b"
)
_WARMING = r"cold ?start|during start-?up|\bfirst (?:connection|request) (?:took|after|of|failed)|warm(?:ing|[- ]?up)|starting up|not (?:yet )?(?:ready|initiali[sz]ed)|initiali[sz]ing|lazy (?:load|init)|malformed or connection to the instance had an error"

_PATTERNS = tuple(
    (theme, re.compile(pattern, re.IGNORECASE if theme in {Theme.WARMING, Theme.CAPACITY, Theme.UPSTREAM} else 0))
    for theme, pattern in (
        (Theme.STARTUP, _STARTUP),
        (Theme.MEMORY, _MEMORY),
        (Theme.WARMING, _WARMING),
        (Theme.CAPACITY, _CAPACITY),
        (Theme.SETTING, _SETTING),
        (Theme.CODE, _SCHEMA),
        (Theme.DEPENDENCY, _DEPENDENCY),
        (Theme.CODE, _CODE),
        (Theme.UPSTREAM, _UPSTREAM),
    )
)
_DEATH = re.compile(  # said by the platform at WARNING, or by nobody in particular on stderr
    r"\bContainer called exit\((?!0\))\d+\)|\bprobe failed\b|\bUncaught signal: \d+|\bterminated on signal (?!15)\d"
    r"|\bMemory limit of \d|failed to start and listen on the port|\bWorker failed to boot\b|^Traceback \(most recent"
    r"|^panic: |^fatal error: |\bexec format error\b|OOMKilled|failed the configured startup probe",
    re.MULTILINE,
)
_HOST = re.compile(
    r"\b(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d{2,5})?|[a-z][a-z0-9-]*(?:\.[a-z0-9-]+){1,6}(?<!\.(?:js|ts|py|go|rb|cs|kt|rs))(?<!\.(?:mjs|cjs|jsx|tsx|php|cpp))(?<!\.java):\d{2,5}|[a-z][a-z0-9-]*:\d{4,5})\b"
)
_NAMED = re.compile(
    r"\b(postgres(?:ql)?|redis|memcached?|mysql|mongo(?:db)?|kafka|rabbitmq|pub/?sub|spanner|firestore|bigtable|cloud ?sql"
    r"|elasticsearch|cassandra|dynamodb|etcd|psycopg2?|asyncpg|stripe|twilio|sendgrid|s3|gcs)\b",
    re.IGNORECASE,
)
_CALLEE = re.compile(
    r"\b(?:calling|call to|connect(?:ing|ion)? to|reach(?:ing)?|talking to|dependency)\s+['\"`]?"
    r"(?!(?:the|an?|this|our|my|your|it|its|remote|upstream|downstream|backend|server|service|services|host|peer|client|api"
    r"|function|method|handler|endpoint|callback|hook|super)\b)([a-z][a-z0-9]*(?:[-_][a-z0-9]+)*)(?![\w.(/:@-])"
    r"|^\W{0,3}([a-z][a-z0-9]*(?:-[a-z0-9]+)*): (?:connect|timed? ?out|unavailable|unreachable|no route)",
    re.IGNORECASE,
)
_HOST_AND_PORT = re.compile(
    r"\b(?:host|server at)[=:\s]{1,3}[\"']?([a-z0-9][a-z0-9.-]{1,80})\b[^\n]{0,80}\n?[^\n]{0,80}?\bport[=:\s]{1,3}[\"']?(\d{2,5})\b",
    re.IGNORECASE,
)
_LIBRARY_OF = {"psycopg": "postgres", "psycopg2": "postgres", "asyncpg": "postgres", "postgresql": "postgres"}
_FOREIGN = re.compile(  # a host by its full name, of nobody who runs on Cloud Run
    r"(?<![\w.@-])(?!(?:[a-z0-9-]+\.)+run\.app\b)(?:[a-z0-9-]+\.)+"
    r"(?:com|net|org|io|dev|cloud|ai|co|us|eu|de|uk|example|test|internal|local)(?=[:/\s\"')]|$)"
)
_SAYS_ERROR = re.compile(  # on a line without a level; broad, since what is always said is no rise
    r"error|exception|fail|fatal|panic|traceback|could not|cannot|can't|unable|refused|timed? ?out|exceeded|abort|denied"
    r"|invalid|crash|undefined|not found|reject|too many|giving up|unavailable|bad gateway|out of memory|limit of|no space"
    r"|killed|panicked|mismatch|not ready|no route|\b(?:answered|status|returned|responded|code)\D{0,9}5\d\d\b",
    re.IGNORECASE,
)
_SAYS_ALL_IS_WELL = re.compile(
    r"\b(?:INFO|DEBUG|NOTICE|TRACE|WARN(?:ING)?)\b|\"level\": ?\"(?:info|debug|warn)|\b0 errors|Warning:|\bretry",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"^(?:HTTP [45]\d\d|(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b[^\n]{0,300}|https?://\S+(?: \d{3})?)?$"
)
_TOO_SLOW = "has reached the maximum request timeout"
_LOOKED_AT = 4_000


def theme(text: str) -> Theme:
    """What this message speaks of first of all; OTHER for an empty one."""
    text = text[:_LOOKED_AT]
    if _TOO_SLOW in text:
        return Theme.OTHER  # the platform's word for an answer that did not come; whose fault, it does not say
    found = next((theme for theme, pattern in _PATTERNS if pattern.search(text)), Theme.OTHER)
    return Theme.DEPENDENCY if found is Theme.UPSTREAM and _FOREIGN.search(text) else found


def speaks_of_death(text: str) -> bool:
    """True for what tells of a dead container or a crash, whatever severity it was logged with."""
    return _DEATH.search(text[:_LOOKED_AT]) is not None


def says_error(text: str) -> bool:
    """True for a line without a level that speaks of an error."""
    text = text[:_LOOKED_AT]
    return _SAYS_ERROR.search(text) is not None and _SAYS_ALL_IS_WELL.search(text) is None


def is_request_line(text: str) -> bool:
    """True for what a request log says: method, address and status, or nothing at all."""
    return _REQUEST.match(text) is not None


def callee_name(text: str) -> str:
    """What the message says it called, in lower case: a service of ours or a dependency; "" where it does not say."""
    found = _CALLEE.search(text[:_LOOKED_AT])
    return (found[1] or found[2]).lower() if found else ""


def dependency_name(text: str) -> str:
    """The dependency that a message names ("postgres at 10.1.2.3:5432"); "" where it names none."""
    text = text[:_LOOKED_AT]
    named, both = _NAMED.search(text), _HOST_AND_PORT.search(text)
    hosts = list(_HOST.finditer(text))
    host = next((h for h in hosts if ":" in h[0]), hosts[0] if hosts else _FOREIGN.search(text))
    address = f"{both[1]}:{both[2]}" if both else host[0].rstrip(":") if host else ""
    product = _LIBRARY_OF.get(named[0].lower(), named[0].lower()) if named else ""
    return f"{product} at {address}" if product and address and product not in address else address or product
