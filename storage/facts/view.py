"""A view for each model that names what raw events hold by position, for people who ask in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from core.contract import Contract, Task
from storage.facts.engine import Engine

_OWN = ("prediction_id", "ts", "version", "role", "prediction", "score", "extra", "partition", "position", "place", "logged")


def show(engine: Engine, versions: Sequence[Contract]) -> str:
    """Make the view of a model, from all versions of its contract (the newest last); its name, `events_` and the model's.

    A number that is missing or invalid is NULL, and so is a missing text; a column that a version has not is NULL in its events. A column
    that is called like one of the events' own is `feature_` and its name.
    """
    newest = versions[-1]
    places: dict[str, list[tuple[int, str]]] = {}
    for contract in versions:
        numbers = texts = 0
        for column in contract.columns:
            if column.numeric:
                numbers += 1
                value = f"if(isFinite(numbers[{numbers}]), numbers[{numbers}], NULL)"
            else:
                texts += 1
                value = f"nullIf(texts[{texts}]::String, 'null')"
            places.setdefault(column.name, []).append((contract.version, value))
    prediction = "number" if newest.task == Task.REGRESSION else "class"
    own = ", ".join(f"{prediction} AS prediction" if name == "prediction" else name for name in _OWN)
    named = [
        f"{_chosen(held)} AS {_quoted(f'feature_{name}' if name in _OWN else name)}"
        for name, held in places.items()
        if name in {column.name for column in newest.columns}
    ]
    view = f"events_{newest.model}"
    model = newest.model.replace("\\", "\\\\").replace("'", "\\'")
    engine.define(f"CREATE OR REPLACE VIEW {_quoted(view)} AS SELECT {', '.join([own, *named])} FROM predictions WHERE model = '{model}'")
    return view


def _chosen(held: list[tuple[int, str]]) -> str:
    """The value of a column in whichever version of the contract an event was taken under; as text where kinds differ."""
    mixed = len({"texts" in value for _, value in held}) > 1
    cases = ", ".join(f"contract = {version}, {f'toString({value})' if mixed else value}" for version, value in held)
    return f"multiIf({cases}, NULL)"


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
