"""Gives out ports of loopback to servers that are started on them."""

from __future__ import annotations

import atexit
import socket


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses, and that nobody else is given while this process lives.

    A socket stays bound to it: neither another caller, in whichever process, nor a connection that somebody opens can get it. A server can still listen
    on it, and again after it ended, since servers set SO_REUSEADDR, as the socket does once it is bound.
    """
    keeper = socket.socket()
    keeper.bind(("127.0.0.1", 0))
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    atexit.register(keeper.close)  # which keeps it until then
    port: int = keeper.getsockname()[1]
    return port
