"""Who may call whom: callers without identity, tokens that expired or do not verify, signing keys, CORS."""

from __future__ import annotations

from bot.correlate.diagnosis.known import Known, known, words
from bot.correlate.diagnosis.rule import DOCS, SERVING_ECHOES

_ORIGIN = r"(?P<origin>https?://[\w.:-]{1,200})"
_JWT_DOCS = "https://datatracker.ietf.org/doc/html/rfc7519#section-4.1"

_UNAUTHENTICATED = Known(
    says=words(
        r"The request was not authenticated\.",
        r"The request was not authorized to invoke this service",
        r"The access token could not be verified",
    ),
    title="Cloud Run refuses the callers: no identity token, or no right to invoke",
    bare="Cloud Run refuses the callers: no identity token, or no right to invoke",
    explanation="The platform answers 401 or 403 before the container sees the request; the right to invoke belongs to the service, not to a revision.",
    advice=(
        "Who should call? `gcloud run services add-iam-policy-binding {service} --member=MEMBER --role=roles/run.invoker`; the caller sends "
        "`Authorization: Bearer` with an identity token whose audience is the service's URL"
    ),
    rollback_helps=False,
    documentation=f"{DOCS}/troubleshooting#unauthorized-client",
    confidence=0.7,
)
_EXPIRED = Known(
    programs=True,
    says=words(
        r"\bSignature has expired|ExpiredSignatureError|\bJWTExpired\b|JWT::ExpiredSignature",
        r"\bTokenExpiredError\b|\bjwt expired\b",
        r"ExpiredJwtException|\bJWT expired\b|JWTVerificationException: The Token has expired|TokenExpiredException|The Token has expired",
        r"\btoken is expired\b|ErrTokenExpired|token has invalid claims: token is expired|\bexp\W{1,3} (?:claim timestamp check failed|not satisfied)|oidc: token is expired",
        r"IDX10223|Lifetime validation failed|SecurityTokenExpiredException|Firebase\\JWT\\ExpiredException|Expired token",
        r"\b(?:ID|id|access|refresh|Access|Refresh|session|bearer|auth) ?token (?:has |is |was )?(?:been )?expired|Token (?:has )?expired|[Tt]oken has been expired or revoked|id-token-expired|ExpiredToken\b|token_expired",
        r"Token used too early|Token used before issued|(?:[Tt]oken|JWT|jwt)[^\n]{0,60} not yet valid|NotBeforeError|jwt not active|ImmatureSignatureError|PrematureJwtException",
    ),
    title="Tokens are refused because they expired (or clocks differ)",
    bare="Tokens are refused because they expired (or clocks differ)",
    explanation="A token's `exp` (or `nbf`/`iat`) does not fit the time here: it is not renewed in time, lives too short, or a clock is wrong.",
    advice="Renew tokens before they expire, allow some leeway (30–60 s); did this deploy change the token's lifetime or the renewal? Then {revert}",
    rollback_helps=None,
    documentation=_JWT_DOCS,
    confidence=0.85,
)
_JWKS = Known(
    programs=True,
    says=words(
        r"(?:Unable to find a signing key that matches|[Nn]o (?:\w+ ){0,2}keys? (?:was |were )?(?:found )?(?:for|with|matching) kid|[Uu]n(?:able to find|known)[^\n]{0,30} kid)[: =]{0,3}['\"]?(?P<kid>[\w.-]{6,100})['\"]?",
        r"[Kk]ey (?:ID|id)[: =]{1,3}['\"]?(?P<kid>[\w.-]{6,100})['\"]?[^\n]{0,60}(?:JWKS?\b|jwks|JSON Web Key|signing key|certificate)",
        r"\bSigningKeyNotFoundError|\bJwksError\b|JwksRateLimitError|JWKSNoMatchingKey|JWKSTimeout|JWKSInvalid|PyJWKClient(?:Connection)?Error|PyJWKSet(?:Error)?\b|PyJWKSetError",
        r"Fail(?:ed)? to fetch data from the url|no applicable key found in the JSON Web Key Set|Unable to find a signing key|Couldn't retrieve remote JWK set|RemoteKeySourceException|BadJOSEException|no matching (?:signing |public |verification )?key\(?s?\)? found",
        r"fetching keys oidc|failed to (?:get|fetch|refresh|retrieve)[^\n]{0,40}(?:JWKS|JWK [Ss]et|jwks)|key ID (?:was )?not found in (?:the )?JWKS|(?i:jwks)[^\n]{0,80}(?:fail|error|unable|timed? ?out|refused|not found|unavailable)",
        r"IDX1050[0135]|IDX2080[34]|[Uu]nable to (?:fetch|load|retrieve|obtain|get)[^\n]{0,60}(?:jwks|JWKS|signing keys?|openid-configuration|public keys?|JWK)",
        r"Unable to resolve the Configuration with the provided Issuer|Certificate for key id \S{1,100} not found|Could not fetch certificates at|No key found for kid|\.well-known/(?:jwks\.json|openid-configuration)[^\n]{0,200}(?:error|fail|timed? ?out|refused|50\d|404)",
    ),
    title="No signing key `{kid}` to verify tokens with (JWKS)",
    bare="The keys to verify tokens with (JWKS) cannot be found or fetched",
    explanation="Tokens are verified with the issuer's published keys: they were rotated, the address is wrong, or the issuer does not answer.",
    advice=(
        "Ask the issuer's JWKS address from the container's network: does it answer, and does it hold the token's `kid`? Refresh the key cache on an "
        "unknown `kid`; if this deploy changed issuer, tenant or address, {revert}"
    ),
    rollback_helps=None,
    documentation="https://datatracker.ietf.org/doc/html/rfc7517",
    confidence=0.88,
)
_TOKEN = Known(
    programs=True,
    says=words(
        r"JsonWebTokenError: (?P<why>[^\n]{1,100})",
        r"\bInvalidSignatureError\b|InvalidTokenError|InvalidAudienceError|InvalidIssuerError|\bDecodeError: (?:Not enough|Invalid)|\bJWTError\b|JWTClaimsError|JOSEError|JWSSignatureVerificationFailed|JWSInvalidSignature|JWTClaimValidationFailed|JWTInvalid",
        r"\bjwt (?:malformed|must be (?:a string|provided))|[Tt]oken is (?:invalid|not valid|malformed)|\bInvalidToken\b|[Ii]nvalid (?:access |bearer |id |auth(?:entication|orization)? |refresh |session |JWT |jwt |ID )token\b|(?:401|[Uu]nauthori[sz]ed|[Aa]uthenticat\w{2,5})[^\n]{0,60}[Ii]nvalid token\b|^(?:Error: )?[Ii]nvalid token[.!]?$",
        r"[Ss]ignature verification (?:failed|raised)|JWT signature does not match|(?:[Tt]oken|JWT|jwt)[^\n]{0,60}signature is invalid|: signature is invalid$|(?:invalid|bad|wrong) (?:jwt |JWT |token )?signature|crypto/(?:rsa|ecdsa): verification error|token signature is invalid",
        r"MalformedJwtException|io\.jsonwebtoken\.\w*(?:Signature|Security)Exception|SignatureVerificationException|JWTDecodeException|token is malformed|token contains an invalid number of segments|Not enough segments|JWT::(?:VerificationError|DecodeError)",
        r"Audience doesn't match|Invalid audience|[Ww]rong (?:audience|recipient)|jwt audience invalid|jwt issuer invalid|Invalid issuer|unexpected \"aud\" claim|IDX1021[0-9]|IDX1020[0-9]|IDX10511|oidc: expected audience|Token has wrong audience|Wrong recipient",
        r"\binvalid_grant\b|\binvalid_client\b|\bunauthorized_client\b|AADSTS\d{4,7}|RefreshError: |OAuth2?(?:Error|AuthenticationException|AuthorizationException)|TokenRequestDenied|auth/invalid-credential|auth/argument-error",
        r"\b401 (?:Client Error: )?Unauthorized|status code:? 401\b|HttpClientErrorException\$Unauthorized|StatusCode\.UNAUTHENTICATED|code = Unauthenticated|\b16 UNAUTHENTICATED|UNAUTHENTICATED: |Unauthenticated: 401|FeignException\$Unauthorized|\b401\b[^\n]{0,40}(?:from|for url) https?://",
        r"(?:[Ii]nvalid|[Ii]ncorrect|[Mm]issing|[Ee]xpired) API ?[Kk]ey|API key not valid|AuthenticationError: (?:Error code: 401|Incorrect|No API key|invalid)|SMTPAuthenticationError|Username and Password not accepted|Invalid login: 535|StripeAuthenticationError|InvalidAPIKey",
    ),
    title="Authentication fails: tokens or credentials do not verify",
    bare="Authentication fails: tokens or credentials do not verify",
    explanation="Signature, audience, issuer or the client's secret do not fit what the other side expects: often a rotated secret or a changed setting.",
    advice="Compare secret, issuer and audience on both sides (which version does the revision use?); if this deploy changed one of them, {revert}",
    rollback_helps=None,
    documentation="https://cloud.google.com/run/docs/authenticating/overview",
    confidence=0.8,
)
_CREDENTIALS = Known(
    programs=True,
    says=words(
        r"DefaultCredentialsError|[Cc]ould not (?:automatically determine|load the default) credentials|[Cc]ould not find default credentials|Your default credentials were not found|Application Default Credentials are not available",
        r"File (?P<file>/[^\s]{1,200}\.json) was not found|(?P<file>/[^\s:]{1,200}\.json)[^\n]{0,60}(?:credential|service account)|GOOGLE_APPLICATION_CREDENTIALS",
        r"Failed to parse (?:service account|private key)|Service account object must contain|MalformedError|error:1E08010C:DECODER routines::unsupported|No key could be detected|Could not deserialize key data|invalid_grant: Invalid JWT Signature",
        r"metadata\.google\.internal[^\n]{0,200}(?:fail|refused|404|unavailable|timed? ?out)|compute: Received (?:403|404|500)|UNREACHABLE metadata",
    ),
    title="Google credentials cannot be read from `{file}`",
    bare="The program finds no usable Google credentials",
    explanation="On Cloud Run the client libraries use the revision's service account by themselves; a key file in the configuration gets in the way, or is broken.",
    advice="Remove GOOGLE_APPLICATION_CREDENTIALS from the revision (`gcloud run services update {service} --remove-env-vars GOOGLE_APPLICATION_CREDENTIALS`), or repair the mounted key",
    rollback_helps=True,
    documentation="https://cloud.google.com/docs/authentication/application-default-credentials",
    confidence=0.85,
)
_CORS = Known(
    programs=True,
    says=words(
        rf"[Oo]rigin:? [`'\"]?{_ORIGIN}[`'\"]?[^\n]{{0,120}}(?:CORS|not allowed|not permitted|does not have permission|denied|rejected|disallowed)",
        rf"(?:CORS|cors|Not allowed|[Dd]isallowed|[Rr]ejected)[^\n]{{0,120}}{_ORIGIN}",
        r"blocked by CORS(?: policy)?|[Nn]ot allowed by CORS|Disallowed CORS (?:origin|method|headers?)|Invalid CORS request|CORS (?:policy execution failed|error|request (?:rejected|denied|blocked|did not succeed)|origin|header|preflight|configuration|missing)",
        r"No 'Access-Control-Allow-Origin' header|Access-Control-Allow-Origin|Response to preflight request|corsheaders\.E\d{3}|allowedOrigins cannot contain the special value|CORS_ALLOW\w{0,40}|conflict settings: all origins (?:are )?(?:enabled|allowed)|bad origin: origins must",
        r"CSRF Failed: Origin checking failed|Origin checking failed",
    ),
    title="Origin `{origin}` is not allowed (CORS)",
    bare="Requests of browsers are refused: the origin is not allowed (CORS)",
    explanation="The service's list of allowed origins does not hold the page's origin (scheme, host and port count), so browsers drop its answers.",
    advice="Add `{origin}` to the allowed origins in the service's configuration; if this deploy changed the list, {revert}",
    rollback_helps=None,
    documentation="https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS",
    confidence=0.85,
)

_ECHOES = SERVING_ECHOES | {"auth_failed"}

LATE_RULES = (
    known("credentials_missing", _CREDENTIALS, explains=_ECHOES | {"permission_denied"}, alone=False),
    known("jwks", _JWKS, explains=_ECHOES | {"token_expired"}, alone=False),
    known("token_expired", _EXPIRED, explains=_ECHOES, alone=False),
    known("cors", _CORS, explains=SERVING_ECHOES, alone=False),
    known("auth_failed", _TOKEN, explains=SERVING_ECHOES, alone=False),
    known("request_unauthenticated", _UNAUTHENTICATED),
)
