"""What a caller may write into a service, and what Cloud Run refuses before it does anything."""

from typing import Any, Final

from google.cloud import run_v2

from bot.sandbox.local_google.names import short
from bot.sandbox.local_google.refusals import invalid
from bot.sandbox.local_google.traffic_split import check_targets

_Service: Final = run_v2.Service.pb()
_RESERVED: Final = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})


def check_wish(wish: Any) -> None:
    """INVALID_ARGUMENT for templates and traffic that Cloud Run refuses at once."""
    if not wish.template.containers or not all(container.image for container in wish.template.containers):
        raise invalid("spec.template.spec.containers: should contain at least one container with an image.")
    if sum(bool(container.ports) for container in wish.template.containers) > 1:
        raise invalid("spec.template.spec.containers: exactly one container may expose a port.")
    names = {variable.name for container in wish.template.containers for variable in container.env}
    if reserved := sorted(names & _RESERVED):
        raise invalid(
            f"spec.template.spec.containers[0].env: The following reserved env names were provided: "
            f"{', '.join(reserved)}. These values are automatically set by the system."
        )
    named = wish.template.revision
    if named and not named.startswith(f"{short(wish.name)}-"):
        raise invalid(f"spec.template.metadata.name: must be prefixed by the service's name, was '{named}'.")
    check_targets(wish.traffic)


SPEC: Final = (
    "description",
    "labels",
    "annotations",
    "client",
    "client_version",
    "ingress",
    "launch_stage",
    "binary_authorization",
    "template",
    "traffic",
    "scaling",
    "invoker_iam_disabled",
    "default_uri_disabled",
    "custom_audiences",
)


def spec(service: Any) -> bytes:
    """What a caller may write, as comparable bytes."""
    only = _Service()
    only.CopyFrom(service)
    for field in only.DESCRIPTOR.fields:
        if field.name not in SPEC:
            only.ClearField(field.name)
    return bytes(only.SerializeToString(deterministic=True))
