"""The grid of events: rows come from the reader, a block at a time, while a person scrolls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import dash_ag_grid as ag
from dash import dcc, html
from dash.development.base_component import Component

from core import moment
from core.contract import Contract, Task
from dashboard import texts as word
from dashboard.aria import aria

BLOCK = 100  # rows that are asked for at once
HIGHEST = 17  # rows in sight at most
FEATURES = 60  # columns shown at most
_TEXT = 80  # characters of a cell
_ROW, _HEAD = 34, 56  # pixels


@dataclass(frozen=True)
class GridColumn:
    """A column of the grid: its title, what it shows of an event, and whether that is a number."""

    title: str
    cell: Callable[[Mapping[str, Any]], Any]
    number: bool = False
    width: int = 120
    pinned: bool = False


def columns(contract: Contract, chosen: str = "", *, worst: bool = False) -> list[GridColumn]:
    """Id, time, prediction, truth and error; then the features and tags of a contract, the chosen column first. In a list of the `worst` the error stands beside the id, where a telephone shows it."""
    number = contract.task is Task.REGRESSION
    fixed = [
        GridColumn("Prediction id", lambda event: event["prediction_id"], width=170, pinned=True),
        GridColumn("Time (UTC)", lambda event: word.second(moment.parse(event["ts"])), width=176),
        GridColumn("Prediction", lambda event: event["prediction"], number=number, width=110),
        GridColumn("Truth", lambda event: event["label"], number=number, width=100),
        GridColumn("Error", error_of, number=True, width=90),
        GridColumn("Score", lambda event: event["score"], number=True, width=90),
        GridColumn("Version", lambda event: event["version"], width=100),
        GridColumn("Role", lambda event: event["role"], width=100),
    ]
    if worst:
        fixed.sort(key=lambda one: 0 if one.pinned else 1 if one.title == "Error" else 2)
    named = sorted((*contract.features, *contract.tags), key=lambda one: one.name != chosen)[:FEATURES]
    return [*fixed, *(GridColumn(one.name, _value(one.name), number=one.numeric) for one in named)]


def error_of(event: Mapping[str, Any]) -> Any:
    """The loss as people say it: of classes whether it is wrong, of numbers how large the error is; None without a label."""
    if event["loss"] is None or isinstance(event["prediction"], int | float):
        return event["loss"]
    return "wrong" if event["loss"] else "right"


def _value(name: str) -> Callable[[Mapping[str, Any]], Any]:
    def value(event: Mapping[str, Any]) -> Any:
        held = event["features"] if name in event["features"] else event["tags"]
        return "invalid" if name in event["invalid"] else held.get(name)

    return value


def written(value: Any) -> str:
    """A value of an event in a cell."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return word.number(float(value))
    return word.cut(", ".join(map(written, value)) if isinstance(value, list) else str(value), _TEXT)


def row(event: Mapping[str, Any], shown: Sequence[GridColumn], address: str) -> dict[str, Any]:
    """A row of the grid. A cell holds its text, how it is drawn, and its address if it is a link."""
    cells: dict[str, Any] = {"id": event["prediction_id"]}
    for place, one in enumerate(shown):
        value = one.cell(event)
        kind = "none" if value is None else "bad" if value in ("invalid", "wrong") else ""
        text = word.NONE if value is None and one.title in ("Truth", "Error", "Score") else written(value)
        cells[f"c{place}"] = {"text": text, "kind": kind, **({"href": address} if place == 0 else {})}
    return cells


def grid(shown: Sequence[GridColumn], search: str, rows: int) -> Component:
    """The empty grid, which asks for its rows, about `rows` in all. `search` names the list: for another one the grid is made again."""
    name = blake2b(search.encode(), digest_size=8).hexdigest()
    definitions = [
        {
            "field": f"c{place}",
            "headerName": one.title,
            "width": one.width,
            "cellRenderer": "WatchkeeperCell",
            "cellDataType": False,
            "pinned": "left" if one.pinned else None,
            "type": "rightAligned" if one.number else None,
        }
        for place, one in enumerate(shown)
    ]
    table = ag.AgGrid(
        id={"events": name},
        columnDefs=definitions,
        defaultColDef={"sortable": False, "filter": False, "resizable": True, "suppressMovable": False, "suppressHeaderMenuButton": True},
        rowModelType="infinite",
        getRowId="params.data.id",
        dashGridOptions={
            "theme": {"function": "watchkeeperTheme(themeQuartz)"},
            "cacheBlockSize": BLOCK,
            "maxConcurrentDatasourceRequests": 1,
            "infiniteInitialRowCount": 1,
            "rowHeight": _ROW,
            "headerHeight": 36,
            "ensureDomOrder": True,
            "suppressDragLeaveHidesColumns": True,
        },
        style={"height": f"{_HEAD + _ROW * min(max(rows, 3), HIGHEST)}px", "width": "100%"},
    )
    return html.Div([table, dcc.Store(id={"cursors": name})], key=name, className="grid", role="region", **aria(label="Events"))
