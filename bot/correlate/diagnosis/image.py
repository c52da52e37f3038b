"""The image itself: not there, not readable, or built for another processor."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import DOCS, STARTUP_ECHOES, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_IMAGE = r"(?P<image>[\w./:@-]{3,300})"
_NOT_FOUND = re.compile(
    rf"[Ii]mage:? ['\"`]?(?P<image>[\w.-]{{1,100}}[/:@][\w./:@-]{{1,300}})['\"`]?:? (?:was )?(?:not found|does not exist|could not be found)|\b(?:MANIFEST_UNKNOWN|NAME_UNKNOWN)[^\n]{{0,100}}?{_IMAGE.replace('image', 'tag')}"
    r"|\bMANIFEST_UNKNOWN\b|\bmanifest (?:unknown|for [^\n]{3,300} not found)|\bContainer import failed\b|\b(?:ImagePullBackOff|ErrImagePull)\b|[Ff]ailed to (?:pull|import|fetch) (?:the )?(?:container )?image"
)
_NO_ACCESS = re.compile(
    rf"must have permission to read the image,? '?{_IMAGE}|CONTAINER_PERMISSION_DENIED|CONTAINER_IMAGE_UNAUTHORIZED"
    r"|artifactregistry\.repositories\.downloadArtifacts|(?:pull|read|access)[^\n]{0,30} image[^\n]{0,200}(?:denied|unauthorized|forbidden)"
)
_WRONG_CPU = re.compile(
    r"(?:failed to load (?P<file>[^\s:]{1,200}): |exec (?P<script>/[^\s:]{1,200}): )?\b[Ee]xec format error\b|must support amd64/linux"
    r"|no matching manifest for linux/amd64|[Ii]mage [^\n]{0,200}(?:arm64|aarch64)[^\n]{0,80}(?:not (?:supported|match)|does not match)|rosetta error|\bexec user process caused: exec format|image(?:'s)? (?:operating system|platform|architecture)[^\n]{0,120}(?:not supported|does not match)"
)
_ECHOES = STARTUP_ECHOES | {"permission_denied", "command_not_found"}


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
        rollback_helps=False,  # a revision without an image never served
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
        rollback_helps=False,  # it never ran, so it never served
        documentation=f"{DOCS}/container-contract#languages",
        facts={"file": file} if (file := hit["file"] or hit["script"]) else {},
    )


RULES = (
    Rule("image_not_found", _image_not_found, explains=_ECHOES),
    Rule("image_access", _image_access, explains=_ECHOES),
    Rule("wrong_architecture", _wrong_architecture, explains=_ECHOES),
)
