"""In place of the page of a model that has no contract: what was seen in its events that wait, and how to take the contract that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import moment
from core.contract import Kind
from dashboard import components as piece
from dashboard import texts as word

_MOST = 200  # columns
_VALUES = 6  # categories of a column that are shown


def proposed(found: Mapping[str, Any]) -> list[Component]:
    """The proposal of a contract, from what `GET /v1/models/{m}/proposal` answers."""
    model, columns = found["model"], [*found["features"], *found["tags"]]
    came = f"{word.count(found['predictions'])} predictions and {word.count(found['labels'])} labels wait, the first since {word.minute(moment.parse(found['since']))} UTC."
    needed = found["needed"]
    ready = (
        "They are enough for a contract. It is made from them, and all that wait become its events:"
        if found["ready"]
        else f"A contract is proposed after {word.count(needed['predictions'])} predictions, or {needed['after']} after the first. So far this was seen:"
    )
    seen = f"From the first {word.count(found['seen'])} predictions"
    facts = [
        ("Task", found["task"]),
        ("Classes", _listed(found.get("classes", []))),
        ("Positive class", found.get("positive", "")),
        ("Signals", _listed(found["signals"])),
        ("Left out", _listed(found["left_out"])),
    ]
    rows = [(piece.name(one["name"], 60), one["kind"], _values(one), word.share(one["missing"])) for one in columns[:_MOST]]
    more = f"{_MOST} of {word.count(len(columns))} columns. GET /v1/models/{model}/proposal has all." if len(columns) > _MOST else ""
    take = html.Pre(f"watchkeeper reference {model} --from-production") if found["ready"] else None
    return [
        html.H1(piece.name(model, 120)),  # of no class: the pages of a model without a contract are not there, so there are no tabs
        piece.card("This model has no contract yet", [html.P(came), html.P(ready), *([take] if take else [])]),
        piece.card("What it seems to predict", piece.table(("", "Seen"), [one for one in facts if one[1]], caption="The model"), note=seen),
        piece.card(
            "Its columns", piece.table(("Column", "Kind", "Values", "Missing"), rows, caption="Columns", numbers=(3,)), note=seen, foot=more
        ),
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_VALUES]) + (f" and {len(names) - _VALUES} more" if len(names) > _VALUES else "")


def _values(column: Mapping[str, Any]) -> str:
    """The range of a numeric column, the most frequent categories of a categorical one."""
    if column["kind"] == Kind.NUMERIC:
        least, largest = column["range"]
        return f"{word.number(least)} to {word.number(largest)}"
    if column["kind"] != Kind.CATEGORICAL:
        return ""
    known, distinct = column["categories"], column["distinct"]
    left = "and many more" if distinct is None else f"and {distinct - _VALUES} more" if distinct > _VALUES else ""
    return f"{', '.join(word.cut(one) for one in known[:_VALUES])} {left}".strip()
