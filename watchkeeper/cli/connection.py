"""The connection of a command to the server."""

from __future__ import annotations

from typing import Annotated

import typer

from watchkeeper.client import URL, Client

Url = Annotated[str | None, typer.Option("--url", envvar="WATCHKEEPER_URL", help=f"The server. [default: {URL}]", show_default=False)]


def connect(url: str | None, *, patience: float = 5.0) -> Client:
    """A client of the server at `url`, which repeats a request for `patience` seconds. The token is in `WATCHKEEPER_TOKEN`."""
    return Client(url, patience=patience)
