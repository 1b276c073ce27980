"""Every column of a Parquet file is read and counted right, or the file is refused with column, type and remedy; nothing is kept in part."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import moment, text
from core.block import Categories, Predictions
from core.clock import ManualClock
from core.contract import Contract, Task
from core.error import ConfigError
from detectors.summary.bins import bins
from ingest.decode.prediction import decode_predictions
from monitors.reference.derive import ReferenceSummary, derive
from monitors.reference.option import Options
from tests.acceptance.sheet import COLUMNS, KEYS, NAMES, ROWS, Group, Made
from watchkeeper import document
from watchkeeper.api.app import create_api
from watchkeeper.embedded import Embedded
from watchkeeper.replay.recording import Recording, Stretch
from watchkeeper.services import Services
from watchkeeper.settings.settings import load

NOW = moment.parse("2024-02-01T00:00:00Z")
BEGIN = moment.parse("2024-01-01T00:00:00Z")
FEATURE: set[Group] = {"text", "boolean", "integer", "number", "nothing"}
NUMBER: set[Group] = {"integer", "number", "nothing"}
_names = itertools.count()

# By place in the file: the tasks that have it, its column's name (None: any), its option, and what it takes whatever its values.
PLACES: dict[str, tuple[tuple[str, ...], str | None, dict[str, str], set[Group]]] = {
    "feature": (tuple(Task), None, {}, FEATURE),
    "segment": (tuple(Task), "odd", {"segments": "odd"}, FEATURE),
    "tag": (tuple(Task), "odd", {"features": "plain", "protected": "odd"}, FEATURE),
    "category": (tuple(Task), "odd", {"categorical": "odd"}, FEATURE),
    "id": (tuple(Task), "prediction_id", {}, {"text", "integer"}),
    "ts": (tuple(Task), "ts", {}, {"time"}),
    "label_ts": (tuple(Task), "label_ts", {}, {"time"}),
    "prediction": (("multiclass",), "prediction", {}, FEATURE - {"nothing"}),
    "number predicted": (("regression",), "prediction", {}, NUMBER - {"nothing"}),
    "label": (("multiclass",), "label", {}, FEATURE),
    "true number": (("regression",), "label", {}, NUMBER),
    "score": (("binary",), "score", {}, NUMBER),
    "probability": (("multiclass",), "proba_a", {}, NUMBER),
    "interval": (("regression",), "pred_low", {}, NUMBER),
}


class Stand(NamedTuple):
    """An embedded backend without owners and consumers, and its API."""

    whole: Embedded
    http: httpx.AsyncClient
    loop: asyncio.Runner

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """A request to the API."""
        return self.loop.run(self.http.request(method, path, **given))

    def contract(self, model: str) -> Contract:
        answer = self.ask("GET", f"/v1/models/{model}/contract")
        assert answer.status_code == 200
        return document.read(answer.json())


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    clock = ManualClock(NOW)
    whole = Embedded(load(None, data=tmp_path_factory.mktemp("parquet"), port=0), clock)
    api = create_api(Services(whole), address="http://127.0.0.1", clock=clock)
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    with asyncio.Runner() as loop:
        yield Stand(whole, httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1"), loop)
    whole.log.close()
    whole.stores.close()


def _file(place: str, task: str, name: str, made: Made) -> pa.Table:
    """A file in which all columns but one are good."""
    classes = ["a", "b", "a", "b", "a", "b"] if task == "multiclass" else [0, 1, 0, 1, 0, 1]
    columns: dict[str, Any] = {
        "prediction_id": KEYS,
        "ts": pa.array([BEGIN + row * moment.HOUR for row in range(ROWS)], pa.timestamp("us", "UTC")),
        "plain": [0.5, None, 2.5, 3.0, 4.0, 5.0],
        "prediction": classes,
        "label": classes,
    }
    if place == "interval":
        columns["pred_high"] = [1.0] * ROWS
    columns[name] = made.array
    return pa.table(columns)


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("WATCHKEEPER_EXAMPLES", "40")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_column_of_any_type_in_any_place_is_taken_right_or_refused(stand: Stand, tmp_path: Path, data: st.DataObject) -> None:
    """`reference` and `replay` read the column right or refuse the file with column, type and remedy; a refused file leaves no model."""
    place = data.draw(st.sampled_from(sorted(PLACES)), label="place")
    tasks, fixed, options, takes = PLACES[place]
    task, name = data.draw(st.sampled_from(tasks), label="task"), fixed or data.draw(NAMES, label="name")
    made: Made = data.draw(COLUMNS, label="column")
    if fixed is None and (name in {"prediction_id", "ts", "plain", "prediction", "label"} or (name == "label_ts")):
        return
    table, path, model = _file(place, task, name, made), tmp_path / "file.parquet", f"m{next(_names)}"
    options = {"task": task, **options}
    try:
        pq.write_table(table, path)
    except pa.ArrowException:  # no Parquet file can hold it; a table can
        _derive(table, options, name)
        return
    kind = pq.read_schema(path).field(name).type
    if pa.types.is_null(kind):  # what is written of an empty dictionary
        made = made._replace(group="nothing")
    answer = stand.ask(
        "PUT",
        f"/v1/models/{model}/reference",
        params=options,
        content=path.read_bytes(),
        headers={"Content-Type": "application/octet-stream"},
    )
    event = f"{place} {name!r} {made.array.type} {answer.text}"
    assert answer.status_code in {200, 422}, event
    if answer.status_code == 422:
        _refused(stand, model, answer.json(), name, made, kind)
        assert made.group not in takes or _odd(place, name, made), event
        return
    told = answer.json()
    if place == "feature":
        watched = {one["name"] for one in told["features"]} | {one for names in told["roles"].values() for one in names}
        ours = name in {"", "__index_level_0__"} or (name.startswith("proba_") and task == "binary")  # left out whatever they hold
        vectors = _vectors(kind, made)
        assert (name in watched) == ((vectors or made.group in takes) and not ours), event
        if vectors:  # what becomes of them is proven where vectors are
            assert ours or {"name": name, "kind": "vector"} in told["features"], event
            return
    else:
        assert made.group in takes | ({"integer", "number", "text", "nothing"} if place in {"ts", "label_ts"} else {"nothing"}), event
    _counted(stand, model, told["version"], name, made)
    _replayed(stand, model, path, name)


def _vectors(kind: pa.DataType, made: Made) -> bool:
    """Whether a feature of this type in the file holds vectors: lists of numbers of a fixed length, or of which nine tenths have one."""
    lists = any(of(kind) for of in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))
    if not lists or not pa.types.is_integer(kind.value_type):
        return False
    lengths = Counter(len(value) for value in made.means if value is not None)
    usual, many = max(lengths.items(), key=lambda one: one[1], default=(0, 0))
    return pa.types.is_fixed_size_list(kind) or (usual > 0 and 10 * many >= 9 * lengths.total())


def _odd(place: str, name: str, made: Made) -> bool:
    """Why a column is refused for its values or its name, although its type can be read."""
    values = [value for value in made.means if value is not None]
    if place in {"ts", "label_ts"}:
        late = any(not moment.EARLIEST <= value <= moment.LATEST for value in values if made.group == "time")
        return late or not values or (place == "ts" and max(values) < 365 * moment.DAY)
    if place in {"prediction", "number predicted"}:
        return not values
    return place == "feature" and (not name.isalnum() or name == "score")  # a name that cannot be a column's, or is a role's


def _derive(table: pa.Table, options: dict[str, str], name: str) -> None:
    """Also for columns that no file can hold."""
    refused: ConfigError | None = None
    try:
        derive("m", table, Options.of(options))
    except ConfigError as error:
        refused = error
    assert refused is None or (_names_it(refused.message, name) and refused.remedy)


def _refused(stand: Stand, model: str, problem: dict[str, Any], name: str, made: Made, kind: pa.DataType) -> None:
    """Check that the problem names the column and says what to do, and that there is no model."""
    assert _names_it(problem["detail"], name), problem
    assert problem["remedy"] not in {"", "correct it and send it again"}, problem
    assert made.group != "unreadable" or any(word in problem["detail"] for word in (str(kind)[:20], "UTF-8", "name")), problem
    assert stand.ask("GET", f"/v1/models/{model}/contract").status_code == 404
    assert model not in {one["model"] for one in stand.ask("GET", "/v1/models").json()["items"]}
    assert stand.whole.stores.control.monitors(model) == []


def _names_it(message: str, name: str) -> bool:
    return repr(name) in message or f" {name}" in message


def _counted(stand: Stand, model: str, version: int, name: str, made: Made) -> None:
    """Check that the summary of the reference counts the given values."""
    contract, held = stand.contract(model), stand.whole.stores.control.reference(model, version)
    assert held is not None
    column = next((one for one in contract.features if one.name == name), None)
    if column is None:
        return
    counts = ReferenceSummary.from_bytes(held).counts(name)["all"]
    assert counts.sum() == ROWS
    assert counts[column.null] == sum(value is None for value in made.means)
    np.testing.assert_array_equal(counts, _binned(column, made.means))


def _binned(column: Any, means: list[Any]) -> Any:
    """The counts of JSON values in a column's bins."""
    if column.numeric:
        numbers = [np.nan if value is None else np.inf if np.isinf(value) else float(value) for value in means]
        found = bins(column, np.array(numbers, np.float64))
    else:
        found = bins(column, Categories.of([text.of(value) for value in means]))
    return np.bincount(found, minlength=column.bins)


def _replayed(stand: Stand, model: str, path: Path, name: str) -> None:
    """Check that the file is sent as events that fall into the bins of the reference, or is refused with column and remedy."""
    contract = stand.contract(model)
    refused: ConfigError | None = None
    stretches: list[Stretch] = []
    try:
        stretches = list(Recording(path, contract).stretches())
    except ConfigError as error:
        refused = error
    assert refused is None or (_names_it(refused.message, name) and refused.remedy)
    bodies = [stretch.predictions for stretch in stretches if stretch.predictions]
    accepted = 0
    for kind, body in [("predictions", body) for body in bodies] + [("labels", body) for stretch in stretches for body in stretch.labels]:
        answer = stand.ask("POST", f"/v1/{kind}", content=body, headers={"Content-Type": "application/x-ndjson"})
        assert answer.status_code in {200, 422}, (kind, body, answer.text)
        accepted += answer.json()["accepted"] if kind == "predictions" else 0
    blocks = [decode_predictions(body, "ndjson", {model: contract}.get, NOW).blocks for body in bodies]
    for column in contract.features if accepted == ROWS else ():
        held = stand.whole.stores.control.reference(model, contract.version)
        assert held is not None
        sent = sum(np.bincount(bins(column, _values(block[model][1], contract, column)), minlength=column.bins) for block in blocks)
        np.testing.assert_array_equal(sent, ReferenceSummary.from_bytes(held).counts(column.name)["all"], err_msg=column.name)


def _values(block: Predictions, contract: Contract, column: Any) -> Any:
    """The values of a column in a block."""
    alike = [one.name for one in contract.columns if one.numeric == column.numeric]
    return (block.numbers if column.numeric else block.texts)[alike.index(column.name)]
