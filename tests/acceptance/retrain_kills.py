"""Retrainings while processes are killed at random moments: `make retrain-kills` (WATCHKEEPER_KILLS a world, 50). It takes minutes, so it is no part of `make test`."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import yaml

from tests.acceptance.test_retrain import DEFINITIONS, MODEL, SOON, here, hook, send_day
from tests.acceptance.world import World
from watchkeeper.client import Client
from watchkeeper.demo.receiver import Receiver

T = TypeVar("T")
KILLS = int(os.environ.get("WATCHKEEPER_KILLS", "50"))
_PATIENCE = 600.0  # seconds
_LONGEST = 4.0  # seconds between a process that is ready and its next kill


class Killer:
    """Kills random processes of a world, one after the other, while it is entered; `kills` counts them by name."""

    def __init__(self, place: World, seed: int) -> None:
        self._place, self._dice = place, random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="killer")
        self.kills: Counter[str] = Counter()
        self.fault: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _loop(self) -> None:
        try:
            while not self._stop.wait(self._dice.uniform(0.0, _LONGEST)):
                name = self._dice.choice(list(self._place.names))
                self._place.kill(name)
                self.kills[name] += 1
        except BaseException as error:  # told by the test, which waits for no thread that is gone
            self.fault = error


def test_whatever_dies_each_request_is_one_run_and_comes_to_its_end(world: Callable[[Mapping[str, str]], World]) -> None:
    """One model after the other goes wrong, asks for a retraining, gets a new version, and is judged, until enough processes were killed: each has one request, one run at the target, and the history of a quiet run."""
    asked: list[dict[str, Any]] = []
    seed, done = random.SystemRandom().randrange(2**32), 0
    print(f"\nseed {seed}")  # noqa: T201 - a failure is made again from it
    with Receiver(asked.append) as receiver, world(SOON) as place, Client(place.url, patience=_PATIENCE) as client:
        with Killer(place, seed) as killer:
            while killer.kills.total() < KILLS:
                assert killer.fault is None, killer.fault
                _circle(client, receiver, f"{MODEL}-{done}", asked)
                done += 1
                print(f"{killer.kills.total()} kills, {done} retrainings")  # noqa: T201 - long work shows progress
        assert killer.fault is None, killer.fault
        client.wait(_PATIENCE)
        for number in range(done):
            _check(client, f"{MODEL}-{number}", asked)
    print(f"{killer.kills.total()} kills {dict(killer.kills)}: {done} retrainings, {len(asked)} messages to the target")  # noqa: T201


def _circle(client: Client, receiver: Receiver, model: str, asked: list[dict[str, Any]]) -> None:
    """From the first event to the verdict."""
    today = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    client.apply(DEFINITIONS.replace(MODEL, model) + yaml.safe_dump([hook(receiver, model)]))
    for day, right in ((7, 0.95), (6, 0.95), (5, 0.6), (4, 0.6)):
        send_day(client, today - timedelta(days=day), "1", right, model)
    data = _until(lambda: next((one["data"] for one in list(asked) if one["data"]["model"] == model), None))
    callback = here(client.url, data["callback_url"])
    for state in ("running", "succeeded"):
        _until(partial(_told, callback, state))
    for day in (3, 2, 1):
        send_day(client, today - timedelta(days=day), "2", 0.95, model)
    _until(lambda: next((one for one in client.retrains(model=model) if one["state"] == "effective"), None))


def _told(callback: str, state: str) -> bool:
    """Whether the callback took a state. A second report of a run that has ended is refused: the first one has arrived, though its answer was lost."""
    try:
        answer = httpx.post(callback, json={"state": state, "version": "2"}, timeout=60, trust_env=False)
    except httpx.TransportError:
        return False
    assert answer.status_code in {200, 403, 429} or answer.status_code >= 500, answer.text
    return answer.status_code in {200, 403}


def _check(client: Client, model: str, asked: list[dict[str, Any]]) -> None:
    """One request, one id at the target, all states in order, both episodes ended."""
    found = client.retrains(model=model)
    assert [one["state"] for one in found] == ["effective"], found
    assert {one["data"]["id"] for one in asked if one["data"]["model"] == model} == {found[0]["id"]}
    states = list(dict.fromkeys(one["state"] for one in found[0]["history"]))
    assert [one for one in states if one != "blocked"] == ["requested", "dispatched", "running", "succeeded", "verifying", "effective"], (
        states
    )
    episodes = list(client.episodes(model=model))
    assert len(episodes) == 2
    assert {one["ended_by"] for one in episodes} <= {"retrained", "cleared"}
    assert client.contract(model)["version"] == 2


def _until(holds: Callable[[], T | None]) -> T:
    """What it gives once it gives something."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if found := holds():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come to hold")
