"""Between the container and the rest of the world: names, certificates, the way into the VPC, and who is upstream."""

from __future__ import annotations

from bot.correlate.diagnosis.endpoints import Kind, unreached
from bot.correlate.diagnosis.known import Known, known, words
from bot.correlate.diagnosis.rule import DOCS, SERVING_ECHOES, Rule, Scene
from bot.model.judgement import Diagnosis

_HOST = r"(?P<host>[\w.-]{1,253}\w)"
_URL = rf"https?://(?:[^\s@/]{{0,80}}@)?{_HOST}"

_VPC = Known(
    says=words(
        r"(?:VPC|[Ss]erverless VPC) ?(?:[Aa]ccess )?[Cc]onnector:? [`'\"\[]?(?P<connector>[\w./-]{1,200})[`'\"\]]?[^\n]{0,200}(?:not (?:exist|ready|found)|error|failed|permission|unhealthy|state)",
        r"(?P<connector>projects/[\w.:-]{1,64}/locations/[\w-]{1,40}/connectors/[\w-]{1,64})[^\n]{0,200}(?:not |error|failed|permission)",
        r"VPC (?:Access )?[Cc]onnector[^\n]{0,200}(?:not (?:exist|ready|found)|error|failed|denied|throttl)",
        r"(?:no|not enough|insufficient|exhausted)[^\n]{0,40} (?:free |available )?IP addresses[^\n]{0,120}subnet|[Ss]ubnet(?:work)?[^\n]{0,120}(?:no free|not enough|insufficient|exhausted|does not have enough) ?[^\n]{0,40}IP",
        r"(?:Direct )?VPC (?:egress|network|subnet\w*)[^\n]{0,160}(?:not (?:exist|ready|found)|failed|denied|exhausted)|vpcaccess\.googleapis\.com[^\n]{0,100}(?:denied|not found|disabled)",
    ),
    title="VPC connector `{connector}` does not work",
    bare="The way into the VPC does not work (connector or Direct VPC egress)",
    explanation="The revision leaves through a VPC connector or subnet that is missing, not ready, full, or that Cloud Run may not use.",
    advice=(
        "`gcloud compute networks vpc-access connectors describe {connector} --region REGION`: it must be READY, in the service's region, "
        "and the Cloud Run service agent must be allowed to use it (roles/vpcaccess.user); for Direct VPC the subnet needs free addresses"
    ),
    rollback_helps=None,
    documentation=f"{DOCS}/configuring/vpc-connectors",
)
_DNS = Known(
    says=words(
        rf"\b(?:ENOTFOUND|EAI_AGAIN|EAI_NONAME|EAI_NODATA) {_HOST}",
        rf"could not translate host name \"{_HOST}\" to address",
        rf"lookup {_HOST}(?: on [\w.:\[\]]{{2,60}})?: (?:no such host|server misbehaving|i/o timeout|Temporary failure|[^\n]{{0,40}}timeout)",
        rf"\bUnknownHostException: (?:Failed to resolve '?)?{_HOST}",
        rf"Failed to resolve '{_HOST}'|[Cc]ould not resolve host:? '?{_HOST}|(?:No address|Name or service not known)[^\n]{{0,40}}\(?{_HOST}:\d",
        rf"Cannot connect to host {_HOST}:\d{{2,5}} ssl:[^\n]{{1,40}}\[(?:Name or service|No address|nodename|Temporary failure|Domain name)",
        rf"host='{_HOST}', port=\d{{2,5}}\)[^\n]{{0,400}}(?:NameResolutionError|Name or service not known|Temporary failure in name resolution|nodename nor servname|getaddrinfo failed)",
        rf"(?:connecting to|connect to|server on|server at|host) [`'\"]?{_HOST}(?::\d{{2,5}})?[`'\"]?[^\n]{{0,120}}(?:Name or service not known|Name does not resolve|Temporary failure in name resolution|nodename nor servname|No address associated|Name has no usable address|Unknown (?:MySQL server )?host)",
        rf"(?:Name or service not known|Name does not resolve|No such host is known|getaddrinfo)[: (]{{1,3}}{_HOST}(?::\d{{2,5}})?\)?$",
        rf"DnsNameResolver\w{{0,40}}(?:Exception)?[^\n]{{0,80}}'{_HOST}\.?'",
        rf"DNS resolution failed for (?:dns:/{{0,3}})?{_HOST}|php_network_getaddresses: getaddrinfo (?:for {_HOST} )?failed|Failed to open TCP connection to {_HOST}:\d{{2,5}} \(getaddrinfo",
        r"\bgaierror\b|Name or service not known|Temporary failure in name resolution|nodename nor servname|Name does not resolve|\bno such host\b|getaddrinfo (?:ENOTFOUND|EAI_AGAIN|failed)|DNS resolution failed|SERVFAIL|NXDOMAIN",
    ),
    title="Host name `{host}` cannot be resolved",
    bare="A host name cannot be resolved (DNS)",
    explanation="DNS has no address for the name, or does not answer: misspelt in the configuration, a private zone out of reach, or no way to the name server.",
    advice=(
        "Compare the name in the revision's variables with what exists; for private names: does the VPC egress send DNS and traffic there, "
        "and is the private zone attached to that network? If this deploy changed the name, {revert}"
    ),
    rollback_helps=None,
    documentation=f"{DOCS}/configuring/networking-best-practices",
)
_TLS = Known(
    says=words(
        rf"host='{_HOST}', port=\d{{2,5}}\)[^\n]{{0,400}}(?:SSLError|SSLCertVerificationError|CERTIFICATE_VERIFY_FAILED)",
        rf"Cannot connect to host {_HOST}:\d{{2,5}} ssl:[^\n]{{0,80}}\[?(?:SSL|CERTIFICATE)",
        rf"\"?{_URL}[^\n]{{0,200}}(?:x509: |tls: |certificate|PKIX|SSL)",
        rf"Host(?:name)?[:/ ]\S{{0,10}} ?{_HOST}\.? is not in the cert's altnames|certificate is (?:not )?valid for [^\n]{{1,200}}, not {_HOST}",
        rf"[Hh]ostname '?{_HOST}'? (?:doesn't match|not verified)|No subject alternative (?:DNS )?names? matching (?:\w+ )?(?:DNS )?(?:name )?{_HOST}",
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|certificate verify failed|SSLV3_ALERT_\w+|WRONG_VERSION_NUMBER|TLSV1_ALERT_\w+|UNSUPPORTED_PROTOCOL|\[SSL: \w+\]",
        r"\b(?:CERT_HAS_EXPIRED|UNABLE_TO_VERIFY_LEAF_SIGNATURE|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|ERR_TLS_\w+|ERR_SSL_\w+|EPROTO)\b",
        r"(?:^|[:('\"] ?)certificate has expired|unable to verify the first certificate|self[- ]signed certificate|unable to get local issuer certificate",
        r"\bx509: |\btls: (?:failed to verify|handshake|first record|bad certificate|unknown certificate|no application|protocol version|internal error|certificate)|remote error: tls",
        r"PKIX path (?:building|validation) failed|SSLHandshakeException|SSLPeerUnverifiedException|CertificateExpiredException|SunCertPathBuilderException|NotSslRecordException",
        r"The SSL connection could not be established|The remote certificate is invalid|AuthenticationException: [^\n]{0,60}certificate|OpenSSL::SSL::SSLError|SSL_connect returned=1|SSL certificate problem|SSL operation failed with code|error:\w{8}:SSL routines",
        r"server does not support SSL, but SSL was required|SSL is not enabled on the server|The server does not support SSL connections|SSL connection is required|requires a valid client certificate",
    ),
    title="No secure connection to `{host}`: its TLS certificate or handshake is refused",
    bare="A TLS handshake fails: the certificate is refused or the protocols do not fit",
    explanation="Expired, self-signed, for another name, or signed by an authority that the image does not know; or one side does not speak TLS there.",
    advice=(
        "`openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -dates -subject -issuer`: renew the certificate, "
        "or bring the authority's certificate into the image (package ca-certificates). Do not switch verification off"
    ),
    rollback_helps=None,
    documentation="https://cloud.google.com/load-balancing/docs/ssl-certificates/troubleshooting",
)
_THEIR_429 = Known(
    programs=True,
    says=words(
        rf"\b429\b[^\n]{{0,80}}(?:Too Many Requests|Client Error)[^\n]{{0,80}}{_URL}",
        rf"host='{_HOST}', port=\d{{2,5}}\)[^\n]{{0,300}}too many 429 error",
        rf"{_URL}[^\n]{{0,200}}?(?:\b429\b|too many 429|Too Many Requests|rate.?limit)",
        rf"(?:\b429\b|rate limit)[^\n]{{0,120}}{_URL}",
        r"status code:? 429\b|\bHTTP(?: error| status)?:? ?(?:code )?429\b|\b(?:got|received|returned|responded with|response:?|status=?|statusCode[\"']?:|status:|code[\"']?:|unexpected status(?: code)?:?) ?429\b",
        r"\b429[: ]{1,3}(?:[\"'\[{]|Too Many|TOO_MANY)|HttpClientErrorException\$TooManyRequests|TooManyRequestsError|\bRateLimitError\b|RateLimitExceeded(?:Error|Exception)?\b|rate_limit_exceeded|ThrottlingException|ThrottledException|\bratelimited\b|Too Many Requests",
        r"\brate ?limit(?:s|ed|ing)? (?:exceeded|reached|hit)\b|[Rr]ate exceeded|API rate limit",
    ),
    title="Upstream `{host}` limits the rate (429 Too Many Requests)",
    bare="An upstream service limits the rate (429 Too Many Requests)",
    explanation="The program calls another service more often than that allows; it answers 429 until the rate falls.",
    advice="Retry with growing pauses (honour Retry-After), cache, and lower the concurrency; ask the provider for a higher limit. Did this deploy add calls?",
    rollback_helps=False,
    documentation="https://cloud.google.com/storage/docs/retry-strategy",
    confidence=0.85,
)
_THEIR_5XX = Known(
    programs=True,
    says=words(
        rf"\b(?P<status>5\d\d)\b (?:Server Error|Internal Server Error|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out)[^\n]{{0,80}}?{_URL}",
        rf"host='{_HOST}', port=\d{{2,5}}\)[^\n]{{0,300}}too many (?P<status>5\d\d) error",
        rf"{_URL}[^\n]{{0,200}}?(?:too many (?P<status>5\d\d) error|(?:status|code|returned|HTTP|error|response)[^\n]{{0,20}}?\b(?P<code>5\d\d)\b|\b(?:502|503|504) )",
        rf"\b(?P<status>5\d\d)\b[^\n]{{0,120}}\b(?:from|during|for url|url:?|calling|GET|POST|PUT|DELETE|PATCH)\b[^\n]{{0,40}}{_URL}",
        r"(?:[Rr]esponse|[Ss]tatus|HTTP) code:? (?P<status>5(?:0\d|2[0-7]|30))\b|Response status code does not indicate success: (?P<net>5\d\d)|(?:unexpected|bad|upstream|backend|remote)[^\n]{0,40} (?:status(?: code)?|returned|responded(?: with)?|answered|response)[: ]{1,3}(?:HTTP )?(?P<more>5\d\d)\b",
        r"[Uu]nexpected (?:HTTP |http |response )?status(?: code)?[^\n]{0,60}?[ :](?P<status>5(?:0\d|2[0-7]|30))\b",
        r"HttpServerErrorException(?:\$\w+)?|WebClientResponseException\$(?:ServiceUnavailable|BadGateway|InternalServerError|GatewayTimeout)|FeignException\$(?:ServiceUnavailable|BadGateway|InternalServerError|GatewayTimeout)|Faraday::ServerError|ServerException: Server error",
        r"StatusCode\.UNAVAILABLE|code = Unavailable\b|\b14 UNAVAILABLE|StatusRuntimeException: (?:UNAVAILABLE|INTERNAL)|ServiceUnavailable: 503|\bInternalServerError: 500\b|upstream connect error or disconnect|[Cc]ircuit ?[Bb]reaker[^\n]{0,60}(?:open|OPEN)|CallNotPermittedException",
        r"no healthy upstream|upstream prematurely closed|\b50[234] Bad Gateway from upstream",
    ),
    title="Upstream `{host}` answers with errors (5xx)",
    bare="An upstream service answers with errors (5xx)",
    explanation="The program is up, but a service that it calls fails; what it answers itself follows from that.",
    advice="Look at that service's status, log and last deploys first; moving this service back does not mend it. A circuit breaker and a fallback keep the rest alive",
    rollback_helps=False,
    documentation=f"{DOCS}/troubleshooting",
    confidence=0.85,
)
_THEIR_TIMEOUT = Known(
    programs=True,
    says=words(
        rf"ConnectionPool\(host='{_HOST}', port=\d{{2,5}}\): Read timed out",
        rf"{_URL}[^\n]{{0,200}}(?:context deadline exceeded|Client\.Timeout exceeded|[Rr]ead timed out|timed out|timeout of \d+ ?ms exceeded|request timeout)",
        rf"(?:upstream|backend|dependency|service|call to|request to|calling|requesting) {_HOST} (?:has )?timed out",
        rf"(?:timed out|timeout)[^\n]{{0,80}}{_URL}",
        r"timeout of \d{1,8} ?ms exceeded|ECONNABORTED|ESOCKETTIMEDOUT|UND_ERR_(?:HEADERS|BODY)_TIMEOUT|HeadersTimeoutError|BodyTimeoutError",
        r"Client\.Timeout exceeded|context deadline exceeded|DEADLINE_EXCEEDED|DeadlineExceeded|Deadline Exceeded",
        r"SocketTimeoutException|HttpTimeoutException|ReadTimeoutException|\bReadTimeout(?:Error)?\b|[Rr]ead timed out|ServerTimeoutError|Net::ReadTimeout|request was canceled due to the configured HttpClient\.Timeout|cURL error 28",
        r"upstream timed out|upstream request timeout",
    ),
    title="Upstream `{host}` does not answer in time",
    bare="An upstream service does not answer in time",
    explanation="The program waits for another service until its own timeout; its callers see slow answers, 504s or 500s.",
    advice="Look at that service's latency and last deploys; keep outgoing timeouts shorter than the request's, and retry only what is idempotent",
    rollback_helps=False,
    documentation=f"{DOCS}/configuring/request-timeout",
    confidence=0.8,
)


def _upstream_unreachable(scene: Scene) -> Diagnosis | None:
    found = unreached(scene, Kind.OTHER)
    if found is None:
        return None
    return Diagnosis(
        code="upstream_unreachable",
        title=f"{found.address} does not accept connections"
        if found.address
        else "An upstream service does not accept connections",
        explanation="The program is up, but a service that it calls is not reachable: stopped, moved, or cut off by the network.",
        advice="Is it running, is the address in the configuration right, and does the revision's VPC egress reach it? 127.0.0.1 is the container itself",
        evidence=(found.hit.line,),
        confidence=0.85 if found.address else 0.6,
        rollback_helps=False,
        documentation=f"{DOCS}/configuring/networking-best-practices",
        facts={k: v for k, v in {"host": found.host, "port": str(found.port or "")}.items() if v},
    )


_UPSTREAM = SERVING_ECHOES - {"upstream_error", "upstream_timeout", "upstream_unreachable"}
_UNRESOLVED = SERVING_ECHOES | {"database_unreachable", "redis_unreachable", "cloud_sql_socket"}

FIRST_RULES = (known("vpc_connector", _VPC, explains=_UNRESOLVED | {"dns_failure", "permission_denied"}),)
RULES = (
    known("dns_failure", _DNS, explains=_UNRESOLVED | {"tls_failure"}),
    known("tls_failure", _TLS, explains=_UNRESOLVED),
)
LATE_RULES = (
    known("upstream_rate_limited", _THEIR_429, explains=_UPSTREAM | {"upstream_error"}, alone=False),
    known("upstream_error", _THEIR_5XX, explains=_UPSTREAM | {"upstream_timeout"}, alone=False),
    Rule("upstream_unreachable", _upstream_unreachable, explains=SERVING_ECHOES),
    known("upstream_timeout", _THEIR_TIMEOUT, explains=_UPSTREAM, alone=False),
)
