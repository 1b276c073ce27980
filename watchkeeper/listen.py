"""Serves HTTP until the process gets SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.lifespan.on import LifespanOn

from core.error import Fatal
from watchkeeper.settings.settings import Settings


class UvicornServer(uvicorn.Server):
    """An HTTP server that leaves signals to the process."""

    def __init__(self, application: ASGIApp, settings: Settings, *, lifespan: bool) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                log_level="warning",
                log_config=None,
                access_log=False,
                lifespan="on" if lifespan else "off",
                timeout_graceful_shutdown=5,
                forwarded_allow_ips=list(settings.proxies),
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@asynccontextmanager
async def begun(application: ASGIApp) -> AsyncIterator[None]:
    """Run the ASGI lifespan of an application that another one calls. Dash adds the addresses of its pages at the start of the lifespan."""
    lifespan = LifespanOn(uvicorn.Config(application, lifespan="on", log_config=None))
    await lifespan.startup()
    if lifespan.should_exit:
        raise Fatal("the API and the pages could not begin; the log says why")
    try:
        yield
    finally:
        await lifespan.shutdown()


def serve(application: ASGIApp, settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    asyncio.run(_until_told(UvicornServer(application, settings, lifespan=True), listener))


async def _until_told(server: UvicornServer, listener: socket.socket) -> None:
    stopping = signals()
    serving = asyncio.create_task(server.serve([listener]))
    await asyncio.wait((serving, asyncio.ensure_future(stopping.wait())), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving


def signals() -> asyncio.Event:
    """An event that SIGTERM and Ctrl-C set."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def listening(settings: Settings) -> socket.socket:
    """A socket that listens on the address of the settings, before anything else is opened; connections wait until they are served.

    Raises Fatal if the address is in use or cannot be used.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        why = str(error.strerror).partition(" (while")[0]  # the address stands in the sentence already
        raise Fatal(f"{settings.host}:{settings.port} cannot be listened on: {why}; stop what is there, or use another --port") from None
