"""The client for other programs: sends events, and reads readings, episodes and definitions.

It needs httpx and no other part of Watchkeeper. Sending an event again is always safe, because events have ids. So the client repeats a request
when the server is away or asks it to wait.

    with watchkeeper.Client() as client:
        client.predictions([{"prediction_id": "1", "model": "taxi-fare", "ts": 1656633600000, "features": {"km": 3.1}, "prediction": 12.5}])
        client.labels([{"prediction_id": "1", "model": "taxi-fare", "label": 13.0}])
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import httpx

from watchkeeper.event_text import ZONE, Unsendable, line
from watchkeeper.server_connection import URL, ClientError, Refused, ServerConnection, Unavailable, encoded, quoted

__all__ = ["URL", "Client", "ClientError", "Refused", "Sent", "Unavailable"]

_LISTED = 100  # how many faults of each kind are kept, as in the server's answer
_SELDOM = 2.0  # seconds between two questions of someone who has waited long

When = datetime | str | None


@dataclass
class Sent:
    """The result of sending: counts, and at most 100 faults of each kind. Rows count from 0 over all batches.

    `errors` are rows that were rejected, by the server or because they could not be written as JSON; `cells` are values that were not kept.
    """

    accepted: int = 0
    rejected: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    cells: list[dict[str, Any]] = field(default_factory=list)

    def add(self, answer: Mapping[str, Any], *, first: int = 0, rows: Sequence[int] | None = None) -> None:
        """Add a server's answer about a batch; `first` is the number of its first row, `rows` are the numbers of all its rows."""
        self.accepted += int(answer.get("accepted", 0))
        self.rejected += int(answer.get("rejected", 0))
        for name, kept in (("errors", self.errors), ("cells", self.cells)):
            faults = answer.get(name) or []
            kept.extend({**fault, "row": rows[fault["row"]] if rows else fault["row"] + first} for fault in faults[: _LISTED - len(kept)])

    def reject(self, row: int, fault: Unsendable) -> None:
        """Count a row that could not be written as JSON."""
        self.rejected += 1
        if len(self.errors) < _LISTED:
            self.errors.append({"row": row, "field": fault.field, "reason": fault.reason})


class Client(ServerConnection):
    """A connection to one Watchkeeper; safe to share between threads.

    `url` is that of the server (else `WATCHKEEPER_URL`, else http://127.0.0.1:8650), `token` its token if it has one. `batch` is the number of events
    a request, `patience` the seconds for which a request is repeated. Every call may raise Unavailable or Refused, both ClientError.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        batch: int = 2_000,
        patience: float = 60.0,
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(url, token, patience=patience, timeout=timeout, transport=transport)
        self._batch = batch

    def predictions(self, events: Iterable[Mapping[str, Any]]) -> Sent:
        """Send predictions (`prediction.v1`), in order, in batches; returns when all are durable.

        Null may be written as None, NaN, or pandas' NA and NaT; numbers and booleans may be numpy's, times `datetime` with a zone. A row that cannot
        be written as JSON is rejected with its field and the reason, and the others are sent.
        """
        return self._events("predictions", events)

    def labels(self, events: Iterable[Mapping[str, Any]]) -> Sent:
        """Send labels (`label.v1`), in order, in batches, as `predictions` does; returns when all are durable."""
        return self._events("labels", events)

    def send(self, kind: str, body: bytes, *, compress: bool = True) -> dict[str, Any]:
        """Send one body of NDJSON, `kind` "predictions" or "labels"; returns the server's answer, wholly rejected bodies too."""
        headers = {"Content-Type": "application/x-ndjson"}
        if compress:
            body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        response = self._request("POST", f"/v1/{kind}", content=body, headers=headers, taken=(422,))
        answer: dict[str, Any] = response.json()
        if "rejected" not in answer:
            raise Refused(response.status_code, answer)
        return answer

    def readings(self, *, start: When = None, end: When = None, as_of: When = None, **filters: Any) -> Iterator[dict[str, Any]]:
        """Readings with `start <= window_start < end`, page by page; `as_of`: those that were known at that time.

        `filters` are model, monitor, measure, column ("" is the whole model), segment, revisions ("all") and limit (of a page).
        """
        return self._pages("/v1/readings", {"from": _time(start), "to": _time(end), "as_of": _time(as_of), **filters})

    def events(self, model: str, *, start: When = None, end: When = None, **filters: Any) -> Iterator[dict[str, Any]]:
        """Events of a model with `start <= ts < end`, with their labels, page by page.

        `filters` are segment, column and bin, version, role, label (`known`, `unknown`, `wrong`), order (`newest`, `oldest`, `worst`), as_of and limit (of a page).
        """
        return self._pages("/v1/events", {"model": model, "from": _time(start), "to": _time(end), **filters})

    def export(self, model: str, kind: str = "parquet", *, start: When = None, end: When = None, **filters: Any) -> Iterator[bytes]:
        """The same events as a file, `kind` "parquet" or "csv", in parts; `limit` is of all of them. If it breaks off, ClientError is raised, and what came is no whole file."""
        return self._parts("/v1/events", {"model": model, "format": kind, "from": _time(start), "to": _time(end), **filters})

    def event(self, model: str, prediction_id: str) -> dict[str, Any]:
        """One event, with all labels that came for it."""
        return self._json("GET", f"/v1/events/{quoted(model)}/{quoted(prediction_id)}")

    def episodes(self, *, state: str | None = None, model: str | None = None, monitor: str | None = None) -> Iterator[dict[str, Any]]:
        """Episodes, all or those that are `open` or `closed`, of a model or a monitor."""
        return self._pages("/v1/episodes", {"state": state, "model": model, "monitor": monitor})

    def noise(self, *, start: When = None, end: When = None, **filters: Any) -> list[dict[str, Any]]:
        """What became of the episodes of each monitor; `suggest="true"` with `model` and `monitor` looks for a change that spares most."""
        given = {"from": _time(start), "to": _time(end), **filters}
        items: list[dict[str, Any]] = self._json("GET", "/v1/noise", params=given, timeout=600.0)["items"]
        return items

    def models(self) -> Iterator[dict[str, Any]]:
        """The models that have a contract."""
        return self._pages("/v1/models", {})

    def monitors(self, *, model: str | None = None) -> Iterator[dict[str, Any]]:
        """The monitors' definitions."""
        return self._pages("/v1/monitors", {"model": model})

    def monitor(self, model: str, name: str) -> dict[str, Any]:
        """One monitor with its calibration."""
        return self._json("GET", f"/v1/monitors/{quoted(model)}/{quoted(name)}")

    def evaluate(self, monitor: Mapping[str, Any], **trial: Any) -> list[dict[str, Any]]:
        """The readings of a monitor (the fields of its definition), computed now and not stored; `trial` may hold start, end and segment."""
        return list(self._trial("/v1/evaluate", monitor, trial)["items"])

    def backtest(self, monitor: Mapping[str, Any], **trial: Any) -> dict[str, Any]:
        """What a monitor would have raised: windows, readings, alarm_windows, episodes, expected_false_alarm_windows. `trial` as for `evaluate`."""
        return self._trial("/v1/monitors/backtest", monitor, trial)

    def budgets(self) -> Iterator[dict[str, Any]]:
        """The budgets of models as a whole."""
        return self._pages("/v1/budgets", {})

    def destinations(self) -> Iterator[dict[str, Any]]:
        """The destinations' definitions, without their secrets."""
        return self._pages("/v1/destinations", {})

    def measures(self) -> Iterator[dict[str, Any]]:
        """The measures."""
        return self._pages("/v1/measures", {})

    def contract(self, model: str) -> dict[str, Any]:
        """The newest contract of `model`."""
        return self._json("GET", f"/v1/models/{quoted(model)}/contract")

    def reference(self, model: str, parquet: bytes, **options: Any) -> dict[str, Any]:
        """Give `model` the reference in the file `parquet`. `options` are those of `watchkeeper reference`; None counts as not given, lists are joined."""
        params = {name: ",".join(map(_listed, value)) if isinstance(value, list | tuple) else value for name, value in options.items()}
        headers = {"Content-Type": "application/vnd.apache.parquet"}
        return self._json("PUT", f"/v1/models/{quoted(model)}/reference", content=parquet, headers=headers, params=params, timeout=600.0)

    def reference_from_production(self, model: str, *, start: When = None, end: When = None) -> dict[str, Any]:
        """Make the events with `start <= ts < end` the reference of `model`. Refused (422) without any; the answer is that of `reference`."""
        return self._json("POST", f"/v1/models/{quoted(model)}/reference", params={"from": _time(start), "to": _time(end)}, timeout=600.0)

    def apply(self, text: str, *, dry_run: bool = False, replace: bool = False) -> list[dict[str, Any]]:
        """Apply definitions in YAML. Returns what was created, changed or unchanged. With `replace` a declared contract may remove a reference."""
        params = {"dry_run": "true" if dry_run else None, "replace": "true" if replace else None}
        headers = {"Content-Type": "application/yaml"}
        return list(self._json("POST", "/v1/apply", content=encoded(text), headers=headers, params=params)["items"])

    def rebuild(self, model: str) -> dict[str, Any]:
        """Request that the panes of `model` are made again from raw events. Returns the progress: model, state, done, slots, at."""
        return self._json("POST", f"/v1/models/{quoted(model)}/rebuild")

    def rebuilding(self, model: str) -> dict[str, Any]:
        """The progress of the last rebuild of `model`; `state` is none, waiting, running or done."""
        return self._json("GET", f"/v1/models/{quoted(model)}/rebuild")

    def deliveries(
        self, *, state: str | None = None, destination: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> dict[str, Any]:
        """A page of notifications, the newest first; `cursor` is the `next` of the page before."""
        asked = {"state": state, "destination": destination, "limit": str(limit), "cursor": cursor}
        return self._json("GET", "/v1/deliveries", params=asked)

    def delivery(self, name: str) -> dict[str, Any]:
        """A notification with its body and its last attempts. Refused (404) if there is none."""
        return self._json("GET", f"/v1/deliveries/{quoted(name)}")

    def replay_delivery(self, name: str) -> dict[str, Any]:
        """Send a notification again, under the same id. Refused (404) if there is none."""
        return self._json("POST", f"/v1/deliveries/{quoted(name)}/replay")

    def replay_dead(self, destination: str | None = None) -> dict[str, Any]:
        """Send again all that was given up, of one destination or of all. Returns how many: replayed."""
        return self._json("POST", "/v1/deliveries/replay", params={"destination": destination})

    def check_destination(self, name: str) -> dict[str, Any]:
        """Send a test to a destination. Returns the notification. Refused (404) if there is none."""
        return self._json("POST", f"/v1/destinations/{quoted(name)}/test")

    def delete_monitor(self, model: str, name: str) -> dict[str, Any]:
        """Delete a monitor. Refused (404) if there is none."""
        return self._json("DELETE", f"/v1/monitors/{quoted(model)}/{quoted(name)}")

    def delete_budget(self, name: str) -> dict[str, Any]:
        """Delete a budget of a model. Refused (404) if there is none."""
        return self._json("DELETE", f"/v1/budgets/{quoted(name)}")

    def delete_destination(self, name: str) -> dict[str, Any]:
        """Delete a destination. Refused (404) if there is none."""
        return self._json("DELETE", f"/v1/destinations/{quoted(name)}")

    def act(self, episode: str, action: str, **given: Any) -> dict[str, Any]:
        """Acknowledge, assign, comment, snooze, resolve or give feedback on an episode, with `comment`, `to`, `until` and `useful`. Returns the episode, and of a snooze `advice` if it holds nothing back."""
        sent = {name: value for name, value in given.items() if value not in (None, "")}
        return self._json("POST", f"/v1/episodes/{quoted(episode)}/{quoted(action)}", json=sent)

    def silence(
        self, match: Mapping[str, Any], *, ends_at: str, starts_at: str | None = None, comment: str = "", dry_run: bool = False
    ) -> dict[str, Any]:
        """Silence episodes that match until a time. Returns the silence, and the open episodes that it holds; `dry_run` only says which it would."""
        sent = {"match": dict(match), "starts_at": starts_at, "ends_at": ends_at, "comment": comment}
        return self._json("POST", "/v1/silences", json=sent, params={"dry_run": "true" if dry_run else None})

    def silences(self, *, all_: bool = False) -> list[dict[str, Any]]:
        """Silences that are not over, or all."""
        return list(self._json("GET", "/v1/silences", params={"state": "all" if all_ else None})["items"])

    def delete_silence(self, name: str) -> dict[str, Any]:
        """Delete a silence. Refused (404) if there is none."""
        return self._json("DELETE", f"/v1/silences/{quoted(name)}")

    def delete_policy(self, name: str) -> dict[str, Any]:
        """Delete the policy. Refused (404) if there is none of this name."""
        return self._json("DELETE", f"/v1/policies/{quoted(name)}")

    def retrain(self, hook: str, reason: str = "") -> dict[str, Any]:
        """Ask for a retraining by a hook. Returns the request, which may be one that is open already. Refused (404) if there is no such hook."""
        return self._json("POST", "/v1/retrains", json={"hook": hook, "reason": reason})

    def retrains(self, *, model: str | None = None, state: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """The last requests for retraining, the newest first."""
        return list(self._json("GET", "/v1/retrains", params={"model": model, "state": state, "limit": limit})["items"])

    def trainings(self, *, model: str | None = None) -> list[dict[str, Any]]:
        """When a model, or each that has a hook, was trained last, on what, why and with which effect, and whether the next run is overdue."""
        return list(self._json("GET", "/v1/trainings", params={"model": model})["items"])

    def decide_retrain(self, name: str, action: str, comment: str = "") -> dict[str, Any]:
        """Approve or cancel a request. Returns it."""
        return self._json("POST", f"/v1/retrains/{quoted(name)}/{quoted(action)}", json={"comment": comment})

    def hooks(self, model: str | None = None) -> list[dict[str, Any]]:
        """The hooks of a model, or all."""
        return list(self._json("GET", "/v1/hooks", params={"model": model})["items"])

    def delete_hook(self, name: str) -> dict[str, Any]:
        """Delete a hook. Refused (404) if there is none of this name."""
        return self._json("DELETE", f"/v1/hooks/{quoted(name)}")

    def delete_model(self, name: str, *, purge: bool = False) -> dict[str, Any]:
        """Delete a model and its monitors; with `purge` also its facts, even if it was deleted before. Refused (404) if there is none."""
        return self._json("DELETE", f"/v1/models/{quoted(name)}", params={"purge": "true" if purge else None}, timeout=600.0)

    def status(self) -> dict[str, Any]:
        """The server's status: whether the stream is quiet, the progress of ingest and evaluation, and problems."""
        return self._json("GET", "/v1/status")

    def wait(self, timeout: float = 600.0, *, every: float = 0.25) -> dict[str, Any]:
        """Return the status once the stream is quiet; TimeoutError after `timeout` seconds. It is asked for every `every` seconds, and less often, up to `_SELDOM`, the longer it takes."""
        began = time.monotonic()
        while not (status := self.status()).get("quiet"):
            waited = time.monotonic() - began
            pause = max(every, min(waited / 20, _SELDOM))
            if waited + every > timeout:
                raise TimeoutError(f"{self.url} was not quiet within {timeout:g} s")
            time.sleep(min(pause, timeout - waited))
        return status

    def _events(self, kind: str, events: Iterable[Mapping[str, Any]]) -> Sent:
        sent, numbered = Sent(), enumerate(events)
        while batch := list(islice(numbered, self._batch)):
            lines, rows = [], []
            for row, event in batch:
                try:
                    lines.append(line(event))
                    rows.append(row)
                except Unsendable as fault:
                    sent.reject(row, fault)
            if lines:
                sent.add(self.send(kind, b"\n".join(lines)), rows=rows)
        return sent

    def _trial(self, path: str, monitor: Mapping[str, Any], trial: Mapping[str, Any]) -> dict[str, Any]:
        body = {"monitor": monitor, "from": _time(trial.get("start")), "to": _time(trial.get("end")), "segment": trial.get("segment")}
        return self._json("POST", path, json=body, timeout=600.0)


def _time(value: When) -> str | None:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"{value} has no time zone; {ZONE}")
    return value.isoformat() if isinstance(value, datetime) else value


def _listed(value: object) -> str:
    """A name for a list: in quotes, as in CSV, if it would not be read back as it is."""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') or text != text.strip() else text
