"""Google's exceptions in our words; no I/O."""

from __future__ import annotations

from datetime import timedelta

import pytest
from google.api_core import exceptions as google
from google.auth import exceptions as auth
from google.rpc.error_details_pb2 import ErrorInfo

from bot.errors import Conflict, Permanent, ReliabilityError, Retryable
from bot.gcp.errors import Call, translate, translated

RUN = Call("Cloud Run", "acme-staging", "roles/run.viewer", timedelta(seconds=10), "bot@acme-staging.example")
LOGGING = Call("Cloud Logging", "acme-staging", "roles/logging.viewer", timedelta(seconds=10))

MONITORING = Call("Cloud Monitoring", "acme-staging", "roles/monitoring.viewer", timedelta(seconds=10))


@pytest.mark.parametrize(
    ("error", "family", "words"),
    [
        (google.DeadlineExceeded("x"), Retryable, "Cloud Run did not answer within 10 s"),
        (google.RetryError("x", google.ServiceUnavailable("x")), Retryable, "Cloud Run did not answer within 10 s"),
        (google.RetryError("x", None), Retryable, "Cloud Run did not answer within 10 s"),
        (TimeoutError(), Retryable, "Cloud Run did not answer within 10 s"),
        (google.ServiceUnavailable("x"), Retryable, "Cloud Run is not available"),
        (google.InternalServerError("broken"), Retryable, "Cloud Run failed: broken"),
        (google.Cancelled("gone"), Retryable, "Cloud Run failed: gone"),
        (google.Unknown("?"), Retryable, "Cloud Run failed: ?"),
        (google.ResourceExhausted("too many"), Retryable, "Cloud Run's quota is used up: too many"),
        (auth.TransportError("no route"), Retryable, "Google's sign-in did not answer: no route"),
        (google.Aborted("etag"), Conflict, "Cloud Run refused: etag"),
        (google.FailedPrecondition("not ready"), Conflict, "Cloud Run refused: not ready"),
        (google.NotFound("no such thing"), Permanent, "Cloud Run does not find it: no such thing"),
        (google.InvalidArgument("bad"), Permanent, "Cloud Run refused the request: bad"),
        (google.AlreadyExists("there"), Permanent, "Cloud Run refused the request: there"),
    ],
)
def test_every_answer_has_its_family_and_words(error: Exception, family: type[ReliabilityError], words: str):
    mine = translate(error, RUN)

    assert type(mine) is family
    assert str(mine) == words


@pytest.mark.parametrize(
    "error",
    [
        auth.RefreshError("Reauthentication is needed."),
        google.Unauthenticated("token expired"),
        google.RetryError("x", google.ServiceUnavailable("Getting metadata from plugin failed with error: expired")),
    ],
)
def test_refused_credentials_need_a_person_and_say_what_to_do(error: Exception):
    mine = translate(error, RUN)

    assert type(mine) is Permanent
    assert "gcloud auth application-default login" in str(mine)
    assert "service account" in str(mine)


def test_a_used_up_log_quota_has_its_own_words():
    assert str(translate(google.ResourceExhausted("x"), LOGGING)).startswith("Cloud Logging's read quota is used up")


def test_a_missing_permission_is_named_with_the_line_that_grants_it():
    refused = google.PermissionDenied("Permission 'run.services.get' denied on resource 'projects/acme-staging/…'")

    assert str(translate(refused, RUN)) == (
        "Cloud Run does not let the bot do this in acme-staging: run.services.get is missing. Grant it: "
        "`gcloud projects add-iam-policy-binding acme-staging --member=serviceAccount:bot@acme-staging.example "
        "--role=roles/run.viewer`"
    )


def test_acting_as_the_runtime_account_is_granted_on_that_account():
    refused = google.PermissionDenied(
        "Permission 'iam.serviceaccounts.actAs' denied on service account auth@acme-staging.example (or it may not exist)."
    )

    words = str(translate(refused, RUN))

    assert (
        "gcloud iam service-accounts add-iam-policy-binding auth@acme-staging.example --project=acme-staging" in words
    )
    assert "--role=roles/iam.serviceAccountUser" in words


def test_a_refusal_without_a_permission_names_the_role_and_leaves_a_place_for_the_account():
    words = str(translate(google.PermissionDenied("The caller does not have permission"), LOGGING))

    assert "roles/logging.viewer is missing" in words
    assert "serviceAccount:THE_BOTS_SERVICE_ACCOUNT" in words


@pytest.mark.parametrize(
    "refused",
    [
        google.PermissionDenied(
            "Cloud Monitoring API has not been used in project 100000000001 before or it is disabled. Enable it by visiting …"
        ),
        google.PermissionDenied("no", error_info=ErrorInfo(reason="SERVICE_DISABLED", domain="googleapis.com")),
    ],
)
def test_an_api_that_is_not_enabled_is_not_a_missing_role(refused: google.PermissionDenied):
    assert str(translate(refused, MONITORING)) == (
        "Cloud Monitoring's API is not enabled in acme-staging. Enable it: "
        "`gcloud services enable monitoring.googleapis.com --project=acme-staging`"
    )


def test_a_very_long_answer_is_cut():
    assert len(str(translate(google.InvalidArgument("x" * 100_000), RUN))) < 600


async def test_our_own_errors_and_bugs_pass_through_untouched():
    with pytest.raises(KeyError):
        async with translated(RUN):
            raise KeyError("a bug")
    with pytest.raises(Conflict, match="ours"):
        async with translated(RUN):
            raise Conflict("ours")


async def test_the_cause_is_kept():
    with pytest.raises(Retryable) as caught:
        async with translated(RUN):
            raise google.DeadlineExceeded("late")

    assert isinstance(caught.value.__cause__, google.DeadlineExceeded)
