"""What a host asks of the stores while nothing comes: as much for many models as for one."""

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
from storage.facts.earlier import Earlier
from watchkeeper.change.apply import Apply
from watchkeeper.embedded import Embedded
from watchkeeper.scheduling.host import StepDone
from watchkeeper.services import Services
from watchkeeper.settings.settings import Settings

ROUNDS = 3
MARK = "GROUP BY topic, partition"  # of the question whether anything was committed


@pytest.fixture
def spine(tmp_path: Path) -> Iterator[Embedded]:
    with Embedded(Settings(data=tmp_path)) as spine:
        yield spine


class Asked:
    """Counts what the threads of evaluation ask of both stores; `rounds` lets that many rounds pass."""

    def __init__(self, spine: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counts = Counter[str]()
        self.marks = 0
        query, command, read, write = (
            spine.stores.engine.query,
            spine.stores.engine.command,
            spine.stores.control.read,
            spine.stores.control.write,
        )

        def counted(kind: str, work: Callable[..., Any]) -> Callable[..., Any]:
            def ask(*given: Any, **named: Any) -> Any:
                if threading.current_thread().name.startswith("evaluate"):
                    self.counts[kind] += 1
                    self.marks += kind == "facts" and given[0].endswith(MARK)
                return work(*given, **named)

            return ask

        monkeypatch.setattr(spine.stores.engine, "query", counted("facts", query))
        monkeypatch.setattr(spine.stores.engine, "command", counted("facts written", command))
        monkeypatch.setattr(spine.stores.control, "read", counted("control", read))
        monkeypatch.setattr(spine.stores.control, "write", counted("control written", write))

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


def add(spine: Embedded, names: list[str]) -> None:
    """Models with an event each, evaluated."""
    columns = [{"name": "x", "kind": "numeric", "range": [0, 1]}]
    definitions = [{"contract": name, "task": "binary", "columns": columns} for name in names]
    Services(spine).do(LOCAL, "apply", Apply(text=yaml.safe_dump(definitions)))
    for name in names:
        send(spine, name, "a")
    until(lambda: spine.host.quiet)


def send(spine: Embedded, name: str, key: str) -> None:
    now = spine.clock.now()
    body = b'{"prediction_id": "%s", "model": "%s", "ts": "%s", "features": {"x": 0.5}, "prediction": 1}' % (
        key.encode(),
        name.encode(),
        moment.text(now - moment.DAY).encode(),
    )
    spine.append("predictions", body, "ndjson", decode_predictions(body, "ndjson", spine.stores.control.contract, now), now).result()
    spine.appended()


def test_an_idle_host_asks_as_little_for_many_models_as_for_one(spine: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    """One question of each store a round, and nothing is written."""
    add(spine, ["only"])
    asked = Asked(spine, monkeypatch)
    assert asked.rounds() == {"facts": ROUNDS, "control": ROUNDS}
    add(spine, [f"m{place}" for place in range(12)])
    assert asked.rounds() == {"facts": ROUNDS, "control": ROUNDS}
    assert spine.host.quiet


def test_an_event_of_one_model_asks_nothing_of_the_others(spine: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is evaluated; the others are neither stepped nor less quiet."""
    add(spine, ["a", "b", "c"])
    steps = {name: owner.counts.steps for name, owner in spine.host.owners.items()}
    stepped: list[str] = []
    told = spine.host._told

    def noted(step: StepDone) -> None:
        stepped.append(step.model)
        told(step)

    monkeypatch.setattr(spine.host, "_told", noted)
    send(spine, "b", "later")
    until(lambda: spine.host.quiet)
    assert set(stepped) == {"b"}
    assert spine.host.owners["b"].counts.steps > steps["b"]


def test_an_owner_that_was_replaced_and_writes_late_is_noticed(spine: Embedded) -> None:
    """The numbers of its model change, and those of no other."""
    add(spine, ["a", "b"])
    earlier, first = Earlier(spine.stores.engine), {name: owner.first for name, owner in spine.host.owners.items()}
    before = earlier.written({name: of for name, of in first.items() if of is not None})
    contract = spine.stores.control.contract("a")
    assert (contract is not None, first["a"] is not None, before) == (True, True, {})
    assert contract is not None
    assert first["a"] is not None
    spine.stores.writer.rebuilt(contract, [0], first["a"] - 1)
    assert list(earlier.written({name: of for name, of in first.items() if of is not None})) == ["a"]
