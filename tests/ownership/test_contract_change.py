"""Each kind of change of a contract makes its next version, under which the model reads as if it had had it from the beginning, as far as raw events have it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from core import moment
from core.contract import Contract
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from monitors.definition.declared import content
from monitors.definition.grammar import parse
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend
from tests.ownership.scene import START, label, predict, settle

_EVER = (-2_208_988_800_000_000, 9_000_000_000_000_000)
BEFORE: dict[str, Any] = {
    "task": "multiclass",
    "classes": ["a", "b"],
    "columns": [
        {"name": "x", "kind": "numeric", "edges": [0, 1, 2]},
        {"name": "c", "kind": "categorical", "categories": ["p", "q"]},
        {"name": "d", "kind": "boolean"},
        {"name": "g", "kind": "categorical", "categories": ["f", "m"], "tag": True},
    ],
    "segments": ["d"],
}
X, C, D, G = BEFORE["columns"]
CHANGES: dict[str, dict[str, Any]] = {
    "column": {"columns": [X, C, D, G, {"name": "y", "kind": "numeric", "edges": [0, 1]}]},
    "category": {"columns": [X, C | {"categories": ["p", "q", "r"]}, D, G]},
    "type": {"columns": [{"name": "x", "kind": "categorical", "categories": ["0.5", "1.5"]}, C, D, G]},
    "class": {"classes": ["a", "b", "n"]},
    "segment": {"segments": ["d", "c"]},
    "cross": {"segments": ["d", "c", "c*d"]},
    "protected": {"protected": ["g"]},
}

# What raw events do not have: a column before it was there, and the text of what was no number.
LOST = {"column": {("quality.null_rate", "y")}, "type": {("quality.invalid_rate", "x")}}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_changed_contract_reads_as_if_it_had_always_been_there(backend: Backend, kind: str) -> None:
    """Version + 1; panes of earlier events are made again from raw events; the same contract again makes no version."""
    changed, always = f"{kind} changed", f"{kind} always"
    after = BEFORE | CHANGES[kind]
    for model, contracts in ((changed, (BEFORE, after, after)), (always, (after,))):
        for at, document in enumerate(contracts):
            _give(backend, model, document)
            if at < 2:
                for part in range(2) if len(contracts) == 1 else (at,):
                    _send(backend, model, part)
                settle(backend, model)
    assert [backend.contracts[model].version for model in (changed, always)] == [2, 1]
    found, wanted = _read(backend, changed), _read(backend, always)
    assert found.keys() == wanted.keys()
    apart = {key for key, reading in wanted.items() if reading != found[key]}
    assert {key[:2] for key in apart} == LOST.get(kind, set())
    assert all(start < START + 2 * moment.DAY for *_, start in apart)  # the third day came under the new contract alone
    values = [found["quality.null_rate", "y", "all", START + day * moment.DAY]["value"] for day in range(3) if kind == "column"]
    assert values in ([], [1.0, 0.5, 0.0])
    assert len([reading for reading in found.values() if reading["n_target"]]) > 10


def _give(backend: Backend, model: str, document: dict[str, Any]) -> None:
    """Declare the contract, as `apply` does, and watch the columns, classes and segments that it has."""
    written = yaml.safe_dump([{"contract": model, **document}])
    (read,) = parse(written, contract=lambda _: None).contracts
    held = backend.contracts.get(model)
    saved = backend.control.save_contract(read, content=content(read), reference=None)
    if held is not None and held.version != saved.version:
        backend.earlier[model, held.version] = held
    backend.contracts[model] = saved
    backend.monitors[model] = _monitors(saved)


def _monitors(contract: Contract) -> list[Monitor]:
    groupings = ("all", *(one.name for one in contract.dimensions), *("*".join(one) for one in contract.crosses))
    shared = Monitor(name="", model=contract.model, measure="", segments=groupings, window=Tumbling(moment.DAY), min_samples=1)
    columns = tuple(column.name for column in (*contract.features, *contract.tags))
    own: dict[str, Any] = {
        "quality.null_rate": {"columns": columns},
        "quality.invalid_rate": {"columns": columns},
        "quality.unseen_category_rate": {"columns": tuple(name for name in columns if name == "c")},
        "performance.accuracy": {},
    }
    return [msgspec.structs.replace(shared, name=measure, measure=measure, **more) for measure, more in own.items()]


def _send(backend: Backend, model: str, part: int) -> None:
    """Half of the events: of the first two days, or of the second and the third."""
    for day in (part, part + 1):
        for at in range(8):
            key = f"{part}-{day}-{at}"
            features = {"x": [0.5, 1.5, None, "bad"][at % 4], "c": "pqr"[at % 3], "d": at % 2 == 0, "y": at / 8}
            predict(
                backend, model, 0, 100 * part + at, key, day=day, hour=at, features=features, tags={"g": "fm"[at % 2]},
                prediction="abn"[at % 3], score=None,
            )  # fmt: skip
            label(backend, model, key, "abn"[at // 2 % 3])  # type: ignore[arg-type]


def _read(backend: Backend, model: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The current readings, without what differs between two models with the same events."""
    held = Readings(backend.engine).newest(model, {one.name: one.evaluated_revision for one in backend.monitors[model]}, _EVER)
    key = ("monitor", "column", "segment", "window_start")
    newest = backend.contracts[model].version
    rows = [row for table in held.values() for row in table.to_pylist() if row["contract"] == newest]
    own = {"contract", "evaluated_at", "generation", "model", "revision"}
    return {tuple(row[name] for name in key): {name: value for name, value in row.items() if name not in own} for row in rows}
