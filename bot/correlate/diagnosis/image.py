"""The image itself: not there, not readable, or built for another processor."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import DOCS, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_IMAGE = r"(?P<image>[\w./:@-]{3,300})"
_NOT_FOUND = re.compile(
    rf"Image '{_IMAGE}' not found|MANIFEST_UNKNOWN[^\n]{{0,100}}?{_IMAGE.replace('image', 'tag')}|\bContainer import failed\b"
)
_NO_ACCESS = re.compile(
    rf"must have permission to read the image,? '?{_IMAGE}|CONTAINER_PERMISSION_DENIED|CONTAINER_IMAGE_UNAUTHORIZED"
)
_WRONG_CPU = re.compile(r"(?:failed to load (?P<file>[^\s:]{1,200}): )?\bexec format error\b|must support amd64/linux")
_ECHOES = frozenset({"exit_code", "did_not_listen", "startup_probe_failed", "malformed_response", "permission_denied"})


def _image_not_found(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_NOT_FOUND)
    if hit is None:
        return None
    image = hit["image"].rstrip(".")
    return Diagnosis(
        code="image_not_found",
        title=f"Image `{image}` does not exist" if image else "Cloud Run cannot import the image",
        explanation="The revision names an image that the registry does not have: never pushed, deleted by a clean-up policy, or misspelt.",
        advice="Push the image, or deploy an existing one by digest; exempt images of live revisions from the registry's clean-up policy",
        evidence=lines(hit),
        confidence=0.95 if image else 0.7,
        rollback_helps=None,
        documentation=f"{DOCS}/deploying",
        facts={"image": image} if image else {},
    )


def _image_access(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_NO_ACCESS)
    if hit is None:
        return None
    image = hit["image"].rstrip(".,'")
    return Diagnosis(
        code="image_access",
        title=f"Cloud Run may not read image `{image}`" if image else "Cloud Run may not read the image",
        explanation="Images are pulled by the project's Cloud Run service agent, not by the revision's own service account.",
        advice=(
            "Grant roles/artifactregistry.reader on the repository to "
            "service-PROJECT_NUMBER@serverless-robot-prod.iam.gserviceaccount.com, then deploy again"
        ),
        evidence=lines(hit),
        confidence=0.95,
        rollback_helps=False,
        documentation="https://cloud.google.com/artifact-registry/docs/integrate-cloud-run",
        facts={"image": image} if image else {},
    )


def _wrong_architecture(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_WRONG_CPU)
    if hit is None:
        return None
    return Diagnosis(
        code="wrong_architecture",
        title="The image was built for another processor: Cloud Run needs linux/amd64",
        explanation="`exec format error` means that the program is no Linux x86-64 program (or a script without its #! line).",
        advice="Build with `docker build --platform linux/amd64 …` (the default on an ARM laptop is arm64) and deploy again",
        evidence=lines(hit),
        confidence=0.95,
        rollback_helps=True,
        documentation=f"{DOCS}/container-contract#languages",
        facts={"file": hit["file"]} if hit["file"] else {},
    )


RULES = (
    Rule("image_not_found", _image_not_found, explains=_ECHOES),
    Rule("image_access", _image_access, explains=_ECHOES),
    Rule("wrong_architecture", _wrong_architecture, explains=_ECHOES),
)
