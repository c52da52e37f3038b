"""Serve a table of coroutine functions as one gRPC service, with faults and refusals turned into status codes."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import grpc

from bot.sandbox.local_google.faults import Faults
from bot.sandbox.local_google.refusals import Refusal

_log: Final = logging.getLogger(__name__)

Unary: TypeAlias = Callable[[Any], Awaitable[Any]]
Stream: TypeAlias = Callable[[AsyncIterator[Any]], AsyncIterator[Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC: the raw protobuf type of its request and the coroutine function that answers."""

    request: Any
    answer: Unary


@dataclass(frozen=True, slots=True)
class BidiMethod:
    """One bidirectional stream."""

    request: Any
    answer: Stream


def service(name: str, methods: Mapping[str, Method | BidiMethod], faults: Faults) -> grpc.GenericRpcHandler:
    """The generic handler of service `name`; methods not in the table answer UNIMPLEMENTED."""
    handlers = {
        short: _unary(f"/{name}/{short}", method, faults)
        if isinstance(method, Method)
        else _bidi(f"/{name}/{short}", method, faults)
        for short, method in methods.items()
    }
    generic: grpc.GenericRpcHandler = grpc.method_handlers_generic_handler(  # type: ignore[no-untyped-call]
        name, handlers
    )
    return generic


def _serialize(message: Any) -> bytes:
    return bytes(message.SerializeToString())


def _unary(full_name: str, method: Method, faults: Faults) -> grpc.RpcMethodHandler:
    async def answer(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            with faults.around(full_name):
                return await method.answer(request)
        except Refusal as refusal:
            await context.abort(refusal.code, refusal.message)
        except Exception:
            _log.exception("local_google_call_failed", extra={"method": full_name})
            raise

    handler: grpc.RpcMethodHandler = grpc.unary_unary_rpc_method_handler(  # type: ignore[no-untyped-call]
        answer, method.request.FromString, _serialize
    )
    return handler


def _bidi(full_name: str, method: BidiMethod, faults: Faults) -> grpc.RpcMethodHandler:
    async def answer(requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        try:
            with faults.around(full_name):
                async for reply in method.answer(requests):
                    yield reply
        except Refusal as refusal:
            await context.abort(refusal.code, refusal.message)

    handler: grpc.RpcMethodHandler = grpc.stream_stream_rpc_method_handler(  # type: ignore[no-untyped-call]
        answer, method.request.FromString, _serialize
    )
    return handler
