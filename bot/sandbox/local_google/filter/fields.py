"""Find the values that a field path names inside a log entry.

A path that the LogEntry type does not have is an error before anything is read, as in the real service; a missing key in
a payload or in labels is merely missing. Audit payloads are opened; a payload of another type has no fields here.
"""

from collections.abc import Iterator
from typing import Any, Final

from google.cloud.audit import audit_log_pb2
from google.cloud.logging_v2 import types as logging_types
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from bot.sandbox.local_google.refusals import invalid

_ENTRY: Final[Any] = logging_types.LogEntry.pb().DESCRIPTOR
_AUDIT: Final[Any] = audit_log_pb2.AuditLog.DESCRIPTOR
_FREE: Final = frozenset({"google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.Any"})
_LEAVES: Final = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration"})


def field_named(message: Descriptor, name: str) -> FieldDescriptor | None:
    """The field by its proto or JSON name, or None."""
    found: FieldDescriptor | None = message.fields_by_name.get(name) or message.fields_by_camelcase_name.get(name)
    return found


def is_map(field: FieldDescriptor) -> bool:
    """Whether the field is a map<…>."""
    return bool(field.message_type is not None and field.message_type.GetOptions().map_entry)


def check_path(path: tuple[str, ...]) -> FieldDescriptor | None:
    """The typed leaf that `path` ends in; None where the path leads into free form (payloads, labels).

    Raises:
        Refusal: INVALID_ARGUMENT for a field that LogEntry does not have.
    """
    message = _ENTRY
    for index, name in enumerate(path):
        field = field_named(message, name)
        if field is None:
            raise invalid(f"Field not found: '{'.'.join(path[: index + 1])}'.")
        last = index == len(path) - 1
        if field.message_type is None:
            if not last:
                raise invalid(f"Field not found: '{'.'.join(path[: index + 2])}'.")
            return field
        if is_map(field) or field.message_type.full_name in _FREE:
            return None
        if last:
            return field
        message = field.message_type
    return None


def values(entry: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Each value at `path`: str, int, float, bool, bytes or a message; nothing where a key is missing."""
    return _walk(entry, path)


def _walk(message: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not path:
        yield message
        return
    descriptor: Descriptor = message.DESCRIPTOR
    if descriptor.full_name == "google.protobuf.Any":
        if (opened := open_payload(message)) is not None:
            yield from _walk(opened, path)
    elif descriptor.full_name == "google.protobuf.Struct":
        if path[0] in message.fields:
            yield from _walk_value(message.fields[path[0]], path[1:])
    elif (field := field_named(descriptor, path[0])) is not None:
        yield from _walk_field(message, field, path[1:])


def _walk_field(message: Any, field: FieldDescriptor, rest: tuple[str, ...]) -> Iterator[Any]:
    held = getattr(message, field.name)
    if is_map(field):
        if rest and rest[0] in held:
            yield held[rest[0]]
        elif not rest:
            yield from held.values()
    elif field.is_repeated:
        for item in held:
            yield from _walk(item, rest) if field.message_type is not None else (item,)
    elif field.message_type is None:
        yield held
    elif message.HasField(field.name):
        yield from _walk(held, rest)
    elif field.message_type.full_name not in _FREE | _LEAVES and field.message_type.file.package != "google.protobuf":
        yield from _walk(held, rest)  # a field of the LogEntry type is not missing, it has its default


def _walk_value(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        yield from _walk(value.struct_value, path)
    elif kind == "list_value":
        for item in value.list_value.values:
            yield from _walk_value(item, path)
    elif kind not in {"null_value", None} and not path:
        yield getattr(value, kind)


def open_payload(payload: Any) -> Any | None:
    """The AuditLog inside an Any, or None for another type."""
    if not payload.Is(_AUDIT):
        return None
    opened = audit_log_pb2.AuditLog()
    payload.Unpack(opened)
    return opened


def leaves(message: Any) -> Iterator[str]:
    """Every scalar below `message` as text, map values included: what a bare term is searched in."""
    if message.DESCRIPTOR.full_name == "google.protobuf.Any":
        opened = open_payload(message)
        if opened is not None:
            yield from leaves(opened)
        return
    if message.DESCRIPTOR.full_name in _LEAVES:
        yield str(message.ToJsonString())
        return
    for field, held in message.ListFields():
        if is_map(field):
            for item in held.values():
                yield from leaves(item) if hasattr(item, "DESCRIPTOR") else (_text(field, item),)
        elif field.is_repeated:
            for item in held:
                yield from leaves(item) if field.message_type is not None else (_text(field, item),)
        elif field.message_type is not None:
            yield from leaves(held)
        else:
            yield _text(field, held)


def _text(field: FieldDescriptor, value: Any) -> str:
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return named.name if named else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
