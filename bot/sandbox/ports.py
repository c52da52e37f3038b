"""Ports on the loopback address: one to listen on, and one kept free for somebody else."""

import contextlib
import errno
import socket
import sys
from collections.abc import Iterator
from typing import Final

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8765
"""Of the console; when nobody chose one and it is taken, any free one does as well."""


class PortTaken(OSError):
    """Somebody listens there already."""


def open_port(port: int) -> socket.socket:
    """A bound socket; port 0 picks a free one.

    Raises:
        PortTaken: with words for whoever chose the port.
    """
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HOST, port))
        opened.listen(128)
    except OSError as error:
        opened.close()
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        reason = "taken" if error.errno == errno.EADDRINUSE else "not yours to use"
        raise PortTaken(
            f"Port {port} is {reason}; choose another with --port N, or any free one with --port 0"
        ) from error
    return opened


def open_console_port(port: int | None) -> socket.socket:
    """The port that was asked for; if none was, the usual one, or a free one when that is taken.

    Raises:
        PortTaken: a port was asked for, and it cannot be had.
    """
    if port is not None:
        return open_port(port)
    try:
        return open_port(DEFAULT_PORT)
    except PortTaken:
        return open_port(0)


@contextlib.contextmanager
def reserved_port() -> Iterator[int]:
    """A free port for a child process to listen on, now and after each restart.

    Linux keeps a bound port from being given to anybody who does not ask for it by number, and still lets the child
    listen on it (both with SO_REUSEADDR). Elsewhere the port is only free at this moment.
    """
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind((HOST, 0))
        port = int(kept.getsockname()[1])
        if sys.platform != "linux":
            kept.close()
        yield port
