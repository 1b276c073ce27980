"""While nothing comes, a scheduler makes as many queries for many models as for one."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from core import moment
from core.principal import LOCAL
from ingest.decode.prediction import decode_predictions
from storage.facts.late_writes import LateWrites
from watchkeeper.change.apply import ApplyRequest
from watchkeeper.embedded import Embedded
from watchkeeper.scheduling.scheduler import StepDone
from watchkeeper.services import Services
from watchkeeper.settings.settings import Settings

ROUNDS = 3
MARK = "GROUP BY topic, partition"  # of the question whether anything was committed


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Embedded]:
    with Embedded(Settings(data=tmp_path)) as backend:
        yield backend


class Asked:
    """Counts what the threads of evaluation ask of both stores; `rounds` lets that many rounds pass."""

    def __init__(self, backend: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counts = Counter[str]()
        self.marks = 0
        query, command, read, write = (
            backend.stores.engine.query,
            backend.stores.engine.command,
            backend.stores.control.read,
            backend.stores.control.write,
        )

        def counted(kind: str, work: Callable[..., Any]) -> Callable[..., Any]:
            def ask(*given: Any, **named: Any) -> Any:
                if threading.current_thread().name.startswith("evaluate"):
                    self.counts[kind] += 1
                    self.marks += kind == "facts" and given[0].endswith(MARK)
                return work(*given, **named)

            return ask

        monkeypatch.setattr(backend.stores.engine, "query", counted("facts", query))
        monkeypatch.setattr(backend.stores.engine, "command", counted("facts written", command))
        monkeypatch.setattr(backend.stores.control, "read", counted("control", read))
        monkeypatch.setattr(backend.stores.control, "write", counted("control written", write))

    def rounds(self) -> Counter[str]:
        """What so many rounds ask, from the question of one to that of the last but one."""
        start = self.marks
        until(lambda: self.marks > start)
        before, first = self.counts.copy(), self.marks
        until(lambda: self.marks >= first + ROUNDS)
        return self.counts - before


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def add(backend: Embedded, names: list[str]) -> None:
    """Models with an event each, evaluated."""
    columns = [{"name": "x", "kind": "numeric", "range": [0, 1]}]
    definitions = [{"contract": name, "task": "binary", "columns": columns} for name in names]
    Services(backend).do(LOCAL, "apply", ApplyRequest(text=yaml.safe_dump(definitions)))
    for name in names:
        send(backend, name, "a")
    until(lambda: backend.scheduler.quiet and not backend.scheduler._busy)  # a step that found nothing more to do may still be under way


def send(backend: Embedded, name: str, key: str) -> None:
    now = backend.clock.now()
    body = b'{"prediction_id": "%s", "model": "%s", "ts": "%s", "features": {"x": 0.5}, "prediction": 1}' % (
        key.encode(),
        name.encode(),
        moment.text(now - moment.DAY).encode(),
    )
    backend.append("predictions", body, "ndjson", decode_predictions(body, "ndjson", backend.stores.control.contract, now), now).result()
    backend.appended()


def test_an_idle_host_asks_as_little_for_many_models_as_for_one(backend: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    """One question of each store a round, and nothing is written."""
    add(backend, ["only"])
    asked = Asked(backend, monkeypatch)
    assert asked.rounds() == {"facts": ROUNDS, "control": ROUNDS}
    add(backend, [f"m{place}" for place in range(12)])
    assert asked.rounds() == {"facts": ROUNDS, "control": ROUNDS}
    assert backend.scheduler.quiet


def test_an_event_of_one_model_asks_nothing_of_the_others(backend: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is evaluated; the others are neither stepped nor less quiet."""
    add(backend, ["a", "b", "c"])
    steps = {name: owner.counts.steps for name, owner in backend.scheduler.owners.items()}
    stepped: list[str] = []
    on_step = backend.scheduler._on_step

    def noted(step: StepDone) -> None:
        stepped.append(step.model)
        on_step(step)

    monkeypatch.setattr(backend.scheduler, "_on_step", noted)
    send(backend, "b", "later")
    until(lambda: backend.scheduler.quiet)
    assert set(stepped) == {"b"}
    assert backend.scheduler.owners["b"].counts.steps > steps["b"]


def test_an_owner_that_was_replaced_and_writes_late_is_noticed(backend: Embedded) -> None:
    """The numbers of its model change, and those of no other."""
    add(backend, ["a", "b"])
    earlier, first = LateWrites(backend.stores.engine), {name: owner.first for name, owner in backend.scheduler.owners.items()}
    before = earlier.written({name: of for name, of in first.items() if of is not None})
    contract = backend.stores.control.contract("a")
    assert (contract is not None, first["a"] is not None, before) == (True, True, {})
    assert contract is not None
    assert first["a"] is not None
    backend.stores.writer.rebuilt(contract, [0], first["a"] - 1)
    assert list(earlier.written({name: of for name, of in first.items() if of is not None})) == ["a"]
