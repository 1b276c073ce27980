"""Puts a chart on a page; all charts use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from core.retrain import Retrain
from dashboard.aria import aria
from dashboard.figure.trained import trained

# plotly's own 'share chart' button sends the data to a server on the internet.
_CONFIG: Any = {
    "displaylogo": False,
    "responsive": True,
    "modeBarButtonsToRemove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "pan2d"],
    "displayModeBar": "hover",
}


def graph(name: str, figure: dict[str, Any], sentence: str, requests: Sequence[Retrain] = ()) -> Component:
    """A figure, with a sentence that says what it shows for people who cannot see it. `name` must be unique on the page. `requests` are the retrainings of the model, which are marked where the figure has a time axis."""
    caption = f"{name}-caption"
    figure, said = trained(figure, requests)
    return html.Figure(
        [
            dcc.Graph(id=name, figure=figure, config=_CONFIG, style={"height": f"{figure['layout']['height']}px"}),
            html.Figcaption(" ".join([sentence, *(f"On {one}." for one in said)]), id=caption, className="unseen"),
        ],
        className="chart",
        **aria(labelledby=caption),
    )


def meant(name: str, figure: dict[str, Any], sentence: str, requests: Sequence[Retrain] = ()) -> list[Component]:
    """A figure below the sentence that says what it means."""
    return [html.P(sentence, className="next"), graph(name, figure, sentence, requests)]
