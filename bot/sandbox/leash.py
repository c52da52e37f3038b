"""Run as a script: become another program that gets SIGTERM when the one who started it dies. Linux only.

A sandbox that is killed by SIGKILL can end nothing itself; the kernel does it instead, and remembers across the exec.
It is asked here, in a small program of its own, rather than in subprocess's `preexec_fn`: Python between fork and exec
can deadlock in a parent that has threads, and gRPC has them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1


def main(parent: int, command: list[str]) -> None:
    """Replace this program by `command`, bound to the life of `parent`."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before the kernel was asked
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
