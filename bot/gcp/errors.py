"""Google's exceptions, translated into the bot's, with words a person can act on."""

from __future__ import annotations

import re
import shlex
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from google.api_core import exceptions as google
from google.auth import exceptions as auth

from bot.errors import Conflict, Permanent, ReliabilityError, Retryable
from bot.gcp.budget import used_up

LOG_IN = "run `gcloud auth application-default login`, or attach a service account where the bot runs"
_APIS: Mapping[str, str] = {
    "Cloud Run": "run.googleapis.com",
    "Cloud Logging": "logging.googleapis.com",
    "Cloud Monitoring": "monitoring.googleapis.com",
}
_NOT_ENABLED = re.compile(r"API has not been used in project|API .* is disabled|SERVICE_DISABLED")
_PERMISSION = re.compile(r"""[Pp]ermission\W+([a-z]+\.[a-zA-Z]+\.[a-zA-Z]+)""")
_ACCOUNT = re.compile(r"[\w.+-]+@[\w.-]+")
_MESSAGE_LIMIT = 500


@dataclass(frozen=True)
class Call:
    """What is being asked of Google, for the words of a refusal.

    Attributes:
        source: "Cloud Run", "Cloud Logging" or "Cloud Monitoring".
        role: the predefined role that is enough for this call.
        account: the bot's own account, None where it is not known.
        missing: what to say when Google does not find it.
    """

    source: str
    project: str
    role: str
    timeout: timedelta
    account: str | None = None
    missing: str = ""


@asynccontextmanager
async def translated(call: Call) -> AsyncIterator[None]:
    """Whatever Google raises inside comes out as Retryable, Permanent or Conflict."""
    try:
        yield
    except (google.GoogleAPIError, auth.GoogleAuthError, TimeoutError) as error:
        raise translate(error, call) from error


def translate(error: Exception, call: Call) -> ReliabilityError:  # noqa: C901, PLR0911  one case per answer
    """One exception of Google's client libraries in our words."""
    cause = error.cause if isinstance(error, google.RetryError) else error
    text = _text(cause)
    match cause:
        case auth.TransportError():
            return Retryable(f"Google's sign-in did not answer: {text}")
        case auth.GoogleAuthError() | google.Unauthenticated():
            return Permanent(f"Google does not accept the bot's credentials ({text}): {LOG_IN}")
        case google.ServiceUnavailable() if "metadata from plugin failed" in text:  # how gRPC reports a failed sign-in
            return Permanent(f"Google does not accept the bot's credentials ({text}): {LOG_IN}")
        case google.ServiceUnavailable() if cause is error:
            return Retryable(f"{call.source} is not available")
        case google.DeadlineExceeded() | google.GatewayTimeout() | google.ServiceUnavailable() | TimeoutError() | None:
            return Retryable(f"{call.source} did not answer within {call.timeout.total_seconds():g} s")
        case google.ResourceExhausted() if call.source == "Cloud Logging":
            return used_up()
        case google.ResourceExhausted():
            return Retryable(f"{call.source}'s quota is used up: {text}")
        case google.ServerError() | google.Cancelled() | google.Unknown():
            return Retryable(f"{call.source} failed: {text}")
        case google.Aborted() | google.FailedPrecondition():
            return Conflict(f"{call.source} refused: {text}")
        case google.PermissionDenied():
            return Permanent(_not_enabled(call) if _is_not_enabled(cause, text) else _not_allowed(text, call))
        case google.NotFound():
            return Permanent(call.missing or f"{call.source} does not find it: {text}")
        case _:
            return Permanent(f"{call.source} refused the request: {text}")


def _is_not_enabled(error: google.PermissionDenied, text: str) -> bool:
    """Google says it with the same code as a missing permission."""
    return error.reason == "SERVICE_DISABLED" or _NOT_ENABLED.search(text) is not None


def _not_enabled(call: Call) -> str:
    line = shlex.join(
        ["gcloud", "services", "enable", _APIS.get(call.source, call.source), f"--project={call.project}"]
    )
    return f"{call.source}'s API is not enabled in {call.project}. Enable it: `{line}`"


def _not_allowed(text: str, call: Call) -> str:
    member = f"serviceAccount:{call.account or 'THE_BOTS_SERVICE_ACCOUNT'}"
    found = _PERMISSION.search(text)
    permission = found.group(1) if found else call.role
    if permission.lower() == "iam.serviceaccounts.actas":
        # Whoever changes a service must be allowed to act as the account that the service runs as.
        runtime = _ACCOUNT.search(text)
        account = runtime.group() if runtime else "RUNTIME_SERVICE_ACCOUNT"
        words = ["iam", "service-accounts", "add-iam-policy-binding", account, f"--project={call.project}"]
        role = "roles/iam.serviceAccountUser"
    else:
        words = ["projects", "add-iam-policy-binding", call.project]
        role = call.role
    line = shlex.join(["gcloud", *words, f"--member={member}", f"--role={role}"])
    return f"{call.source} does not let the bot do this in {call.project}: {permission} is missing. Grant it: `{line}`"


def _text(error: BaseException | None) -> str:
    message = getattr(error, "message", None) or str(error)
    return message if len(message) <= _MESSAGE_LIMIT else f"{message[:_MESSAGE_LIMIT]}…"
