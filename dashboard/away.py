"""What pages know of models while the fact store does not answer: their contracts, monitors and episodes. So the frame of a page is drawn, and its panels say what fails."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable
from typing import TypeVar

from dash import html
from dash.development.base_component import Component

from core.contract import Contract
from core.error import Retryable
from dashboard import texts as word
from dashboard.panel import ask
from dashboard.ports import ModelRow, Reader

Answer = TypeVar("Answer")
Other = TypeVar("Other")

_log = logging.getLogger(__name__)


async def or_else(instead: Other, asked: Awaitable[Answer]) -> Answer | Other:
    """The answer, or `instead` if asking fails, which the log tells. For facts that a page can do without."""
    try:
        return await asked
    except Exception:  # whatever fails, the rest of the page must be there
        _log.exception("facts of a page could not be read")
        return instead


def uncounted(contract: Contract, opened: int = 0) -> ModelRow:
    """The row of a model whose events cannot be counted. Periods end now, since it is not known when the last event came."""
    return ModelRow(contract.model, str(contract.task), contract.version, None, word.now(), 0, 0, opened, known=False)


async def models(reader: Reader) -> list[ModelRow]:
    """Every model; uncounted rows while their events cannot be counted."""
    found = await or_else(None, ask(reader.models))
    if found is not None:
        return found
    opened = Counter(one.model for one in await ask(reader.open_ones))
    return [uncounted(one, opened[one.model]) for one in await ask(reader.contracts)]


def notice(*, known: bool) -> list[Component]:
    """Nothing where all is known; else what is missing, and the offer to try again."""
    if known:
        return []
    said = "The store of events does not answer: counts and times of events are missing here, and what needs them says so. Episodes and monitors are right. "
    return [html.P([said, _again()], className="notice", role="alert")]


def again(error: Exception) -> list[Component]:
    """The offer to try again, where that may help."""
    return [html.P(_again())] if isinstance(error, Retryable) else []


def _again() -> Component:
    return html.A("Try again", href="")
