"""google.longrunning.Operations for Cloud Run: get, wait, list, delete.

Finished operations are kept until the process ends. Not imitated: expiry, filters of ListOperations.
"""

import asyncio
import uuid
from typing import Any, Final

import grpc
from google.longrunning import operations_pb2
from google.protobuf.empty_pb2 import Empty  # type: ignore[attr-defined]  # made at import time

from bot.sandbox.local_google.grpc_service import BidiMethod, Method
from bot.sandbox.local_google.names import Place
from bot.sandbox.local_google.refusals import not_found

SERVICE: Final = "google.longrunning.Operations"


class Operation:
    """A change under way; `pb` is the raw google.longrunning.Operation."""

    def __init__(self, place: Place, metadata: Any, random_id: str) -> None:
        """Not done; `metadata` is the resource as wished."""
        self.pb: Any = operations_pb2.Operation(name=f"{place.parent}/operations/{random_id}")
        self.pb.metadata.Pack(metadata)
        self.ended = asyncio.Event()

    def succeed(self, resource: Any) -> None:
        """Done, with the resource as it is now."""
        self.pb.metadata.Pack(resource)
        self.pb.response.Pack(resource)
        self._end()

    def fail(self, code: grpc.StatusCode, message: str) -> None:
        """Done, with an error."""
        self.pb.error.code = code.value[0]
        self.pb.error.message = message
        self._end()

    def _end(self) -> None:
        self.pb.done = True
        self.ended.set()


class Operations:
    """All operations and the RPCs to follow them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[str, Operation] = {}

    def begin(self, place: Place, metadata: Any) -> Operation:
        """A new operation that is not done."""
        operation = Operation(place, metadata, str(uuid.uuid4()))
        self._known[operation.pb.name] = operation
        return operation

    def methods(self) -> dict[str, Method | BidiMethod]:
        """The table for `grpc_service.service`."""
        return {
            "GetOperation": Method(operations_pb2.GetOperationRequest, self.get),
            "WaitOperation": Method(operations_pb2.WaitOperationRequest, self.wait),
            "ListOperations": Method(operations_pb2.ListOperationsRequest, self.list_operations),
            "DeleteOperation": Method(operations_pb2.DeleteOperationRequest, self.delete),
        }

    def _find(self, name: str) -> Operation:
        if name not in self._known:
            raise not_found(f"Operation '{name}' not found.")
        return self._known[name]

    async def get(self, request: Any) -> Any:
        """The operation as it is now."""
        return self._find(request.name).pb

    async def wait(self, request: Any) -> Any:
        """The operation when it is done or the time-out is over, whichever is first."""
        operation = self._find(request.name)
        seconds = request.timeout.ToTimedelta().total_seconds() if request.HasField("timeout") else 30.0
        try:
            async with asyncio.timeout(seconds):
                await operation.ended.wait()
        except TimeoutError:
            return operation.pb  # not done: the caller asks again
        return operation.pb

    async def list_operations(self, request: Any) -> Any:
        """The operations of a location, on one page."""
        reply = operations_pb2.ListOperationsResponse()
        reply.operations.extend(
            operation.pb for name, operation in self._known.items() if name.startswith(request.name.rstrip("/") + "/")
        )
        return reply

    async def delete(self, request: Any) -> Any:
        """Forget a finished operation."""
        self._find(request.name)
        del self._known[request.name]
        return Empty()
