"""How the local Google Cloud says no: a gRPC status code with the text the real service would send."""

import grpc


class Refusal(Exception):
    """A call ends with this status.

    Attributes:
        code: the gRPC status code.
        message: details, worded as Google words them.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        """Keep the code apart from the words."""
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> Refusal:
    """INVALID_ARGUMENT."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> Refusal:
    """NOT_FOUND."""
    return Refusal(grpc.StatusCode.NOT_FOUND, message)
