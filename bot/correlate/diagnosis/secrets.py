"""Secret Manager: no access, no such secret, no such version."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import DOCS, STARTUP_ECHOES, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_RESOURCE = (
    r"projects/(?P<project>[\w.:-]{1,64})/secrets/(?P<secret>[\w-]{1,255})(?:/versions/(?P<version>[\w-]{1,64}))?"
)
_DENIED = re.compile(
    rf"Permission denied on secret: {_RESOURCE}(?: for Revision service account (?P<account>[\w.@-]{{3,128}}[\w]))?"
    rf"|Permission 'secretmanager\.versions\.access' denied (?:for|on) resource '?{_RESOURCE.replace('?P<', '?P<r_')}"
    r"|SECRETS_ACCESS_CHECK_FAILED|secretmanager\.versions\.access|Permission denied on secret\b"
)
_GONE = re.compile(
    rf"Secret {_RESOURCE} was not found|Secret (?:Version )?['\"`\[]?{_RESOURCE.replace('?P<', '?P<r_')}['\"`\]]? (?:was )?(?:not found|does not exist|is in (?P<state>DISABLED|DESTROYED) state|has no versions|is (?P<condition>disabled|destroyed))"
    r"|[Ss]ecret (?:version )?['\"`\[]?(?P<name>[\w-]{1,255})['\"`\]]?(?::(?P<number>\d{1,6}|latest))? (?:was not found|not found|does not exist|has no (?:enabled )?versions)(?=[^\n]{0,200}(?:[Ss]ecret|revision|versions))"
)
_NEVER_READY = re.compile(
    r"is not ready and cannot serve traffic|Ready condition status changed to False|secret_key_ref|secretKeyRef"
)
_DOCUMENTATION = f"{DOCS}/configuring/services/secrets"
_ECHOES = STARTUP_ECHOES | {"permission_denied", "missing_env", "auth_failed"}


def _secret_access(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_DENIED)
    if hit is None:
        return None
    secret, account = hit["secret"] or hit["r_secret"], hit["account"]
    who = f"Service account `{account}`" if account else "The revision's service account"
    return Diagnosis(
        code="secret_access",
        title=f"{who} may not read secret `{secret}`"
        if secret
        else f"{who} may not read a secret that the revision uses",
        explanation="Cloud Run reads the secret with the revision's own service account before it starts the container.",
        advice=(
            f"`gcloud secrets add-iam-policy-binding {secret or 'SECRET'} --member=serviceAccount:{account or 'ACCOUNT'} "
            "--role=roles/secretmanager.secretAccessor`, then deploy again"
        ),
        evidence=lines(hit),
        confidence=0.97,
        rollback_helps=False,
        documentation=_DOCUMENTATION,
        facts={name: value for name, value in {"secret": secret, "service_account": account}.items() if value},
    )


def _secret_missing(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_GONE)
    if hit is None:
        return None
    secret, version = (
        hit["secret"] or hit["r_secret"] or hit["name"],
        hit["version"] or hit["r_version"] or hit["number"],
    )
    which = f"version {version} of secret `{secret}`" if version else f"secret `{secret}`"
    state = (hit["state"] or hit["condition"]).lower()
    return Diagnosis(
        code="secret_missing",
        title=f"{which[:1].upper()}{which[1:]} {f'is {state}' if state else 'does not exist'}",
        explanation="The revision refers to a secret that Secret Manager cannot deliver, so no instance of it can start.",
        advice=f"`gcloud secrets versions list {secret}` shows what there is; create a version or refer to an enabled one",
        evidence=lines(hit),
        confidence=0.95,
        rollback_helps=False if _NEVER_READY.search(hit.text) else None,
        documentation=_DOCUMENTATION,
        facts={"secret": secret, **({"version": version} if version else {})},
    )


RULES = (
    Rule("secret_access", _secret_access, explains=_ECHOES),
    Rule("secret_missing", _secret_missing, explains=_ECHOES),
)
