"""Where a server listens: on a free port that is nobody else's, and nowhere else if its address is in use."""

from __future__ import annotations

import socket
from errno import EADDRINUSE

import pytest

from core.error import Fatal
from watchkeeper import listen
from watchkeeper.free_port import free_port
from watchkeeper.settings.settings import Settings


def test_a_port_is_given_once_and_can_be_listened_on_again() -> None:
    """A server listens, ends and listens again; a connection is refused between; nobody who does not share addresses gets it."""
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use") as refused:
        other.bind(("127.0.0.1", port))
    assert refused.value.errno == EADDRINUSE
    for _ in range(2):
        with socket.socket() as caller:
            assert caller.connect_ex(("127.0.0.1", port)) != 0
        with socket.create_server(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
            pass
    assert len({port, *(free_port() for _ in range(50))}) == 51


def test_an_address_in_use_is_refused_before_anything_is_opened() -> None:
    """The first listens from then on; the second is told what to do."""
    settings = Settings(port=free_port())
    with (
        listen.listening(settings),
        pytest.raises(Fatal, match=f"127.0.0.1:{settings.port} cannot be listened on: Address already in use; .*--port"),
    ):
        listen.listening(settings)
