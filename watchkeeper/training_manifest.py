"""Makes the manifest of a training window from the stores."""

from __future__ import annotations

from collections.abc import Sequence

from core import moment
from core.contract import Task
from core.error import Missing
from core.retrain import Manifest, Retrain
from storage.facts.view import called, quoted
from watchkeeper.stores import Stores
from watchkeeper.training_address import TrainingWindow

LIFETIME = 7 * moment.DAY  # of the address of an export that no run waits for


def manifest(stores: Stores, model: str, since: int | None, now: int, *, segments: Sequence[str] = ()) -> Manifest:
    """The manifest of the events of a model from `since` (the onset of a change, or the last training) to `now`, in microseconds; None: from the first event on.

    Counts are those that the owner of the model knows. Raises Missing for an unknown model.
    """
    contract = stores.control.contract(model)
    if contract is None:
        raise Missing(f"there is no model {model[:100]!r}", remedy="GET /v1/models lists them")
    first = stores.exported.first(model) if since is None else since
    start = min(now if first is None else first, now)
    rows, labelled = stores.exported.counts(model, start, now)
    return Manifest(
        start=start,
        end=now,
        contract=contract.version,
        version=stores.exported.main_version(model, start, now),
        rows=rows,
        labelled=labelled,
        segments=tuple(segments),
        as_of=now,
        sql=query(model, contract.task, start, now),
    )


def export_url(stores: Stores, base: str, asked: Retrain) -> str | None:
    """The address at the server `base` from which the window of a request's manifest can be fetched until the run must have ended; None without a manifest."""
    if asked.manifest is None:
        return None
    made = asked.manifest.as_of or asked.created
    window = TrainingWindow(model=asked.model, start=asked.manifest.start, end=asked.manifest.end, as_of=made)
    return window.address(base, stores.control.signing_key(), made + LIFETIME if asked.deadline is None else asked.deadline)


def query(model: str, task: Task, start: int, end: int) -> str:
    """A query of the fact store for the events of a window, with the labels that hold; each event has the columns of the model's view, and `label`, `label_ts` and `weight`."""
    span = " AND ".join(f"ts {sign} '{_time(at)}'" for sign, at in ((">=", start), ("<", end)))
    text = model.replace("\\", "\\\\").replace("'", "\\'")
    label = "number" if task is Task.REGRESSION else "text"
    where = f"model = '{text}' AND {span}"
    places = "prediction_id, partition, position, place"
    held = f"SELECT prediction_id, ts, toNullable({label}) AS label, toNullable(label_ts) AS label_ts, toNullable(weight) AS weight FROM outcomes FINAL WHERE {where}"
    return (
        f"SELECT e.*, o.label AS label, o.label_ts AS label_ts, o.weight AS weight FROM (SELECT * FROM {quoted(called(model))} WHERE {span}"
        f" AND ({places}) NOT IN (SELECT {places} FROM contested WHERE {where})) AS e"
        f" LEFT JOIN ({held}) AS o ON e.prediction_id = o.prediction_id AND e.ts = o.ts"
    )


def _time(at: int) -> str:
    return moment.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S.%f")
