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
                host=settings.host,
                port=settings.port,
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


def serve(application: ASGIApp, settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    asyncio.run(_until_told(UvicornServer(application, settings, lifespan=True)))


async def _until_told(server: UvicornServer) -> None:
    stopping = signals()
    serving = asyncio.create_task(server.serve())
    await asyncio.wait((serving, asyncio.ensure_future(stopping.wait())), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving


def signals() -> asyncio.Event:
    """An event that SIGTERM and Ctrl-C set."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def require_free_address(settings: Settings) -> None:
    """Raise Fatal if the address is in use or cannot be used, before anything is opened."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Fatal(
                f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}; stop what is there, or use another --port"
            ) from None
