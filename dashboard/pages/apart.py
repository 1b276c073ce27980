"""Where the difference of a measure between two spans comes from: the slices and the columns that contribute most."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from core import bin_text
from core.cause import CauseQuery, Causes
from core.error import ConfigError, Retryable
from dashboard import components as piece
from dashboard import texts as word
from dashboard.away import again
from dashboard.pages.head import there
from dashboard.panel import ask
from dashboard.ports import Reader
from dashboard.state import PageState, address

_SHOWN = 5  # slices and columns


async def apart(reader: Reader, asked: CauseQuery, kept: PageState, *, title: str, names: tuple[str, str], note: str) -> Component:
    """A card with the sentence and two tables; `names` are those of the span that is asked about and of its baseline, `kept` is the state of the links."""
    try:
        found: Causes = await ask(reader.cause, asked)
    except (ConfigError, Retryable) as error:
        return piece.card(title, piece.empty("Cannot be computed", str(error), *again(error)), note=note)
    model, (own, other) = asked.model, names
    slices = [
        (
            piece.link(piece.name(bin_text.of_slice(one.segment)), there(model, "segments", kept.but(segment=one.segment))),
            word.number(one.value),
            word.number(one.baseline),
            word.share(one.share),
            word.count(one.n),
            html.Span(word.chance(one.p), className="" if one.certain else "faint"),
        )
        for one in found.segments[:_SHOWN]
    ]
    columns = [
        (
            piece.link(piece.name(one.column), address("models", model, "columns", one.column, state=kept)),
            word.number(one.psi),
            word.share(one.missing),
            word.share(one.missing_baseline),
        )
        for one in found.columns[:_SHOWN]
    ]
    shown: list[Any] = [html.P(found.sentence, className="next")]
    if slices:
        shown.append(
            piece.table(("Slice", own, other, "Share", "n", "p"), slices, caption="Slices that contribute most", numbers=range(1, 6))
        )
    if columns:
        heads = ("Column", "PSI", f"Missing, {own}", f"Missing, {other}")
        shown.append(piece.table(heads, columns, caption="Columns that contribute most", numbers=range(1, 4)))
    return piece.card(title, shown, note=note)
