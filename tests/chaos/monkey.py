"""Random faults by a seed: kills, freezes beyond the session timeout, members that come and go."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any, Protocol

import psycopg

from tests.acceptance.machines import Machines
from tests.acceptance.world import Cluster

SESSION = 6.0  # seconds after which the group gives up a member
_THIRD = "ingest-3"
ALERTING = ("evaluate", "evaluate-2", "deliver", "deliver-2")  # what decides and tells, each kind twice
# How often each comes, against the others.
_KILLS = {
    "ingest-1": 4,
    "ingest-2": 4,
    "serve": 2,
    "broker": 2,
    "clickhouse": 3,
    "postgres": 2,
    "receiver": 2,
    **dict.fromkeys(ALERTING, 2),
}
_OTHERS = {"freeze ingest": 2, "freeze evaluate": 1, "rebalance": 3, "failover": 1}
_GIVEN_UP = 120.0  # seconds after which nobody waits for a failover
_PATIENCE = 600.0  # seconds in which so many failovers as are wanted must be measured
_OWNED = "SELECT owner, epoch FROM cursors WHERE owner LIKE 'owner:%'"


class Killed(Protocol):
    """What is killed, and started again in the same place."""

    running: bool

    def start(self, *, wait: bool = True) -> object:
        """Start it, unless it runs."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class Monkey:
    """Causes one fault after another in a cluster, its servers and a receiver of notifications, starts again what it has stopped, and counts the faults."""

    def __init__(self, cluster: Cluster, machines: Machines, receiver: Killed, seed: str) -> None:
        self._cluster, self._machines = cluster, machines
        self._draw = random.Random(seed)
        for name in (_THIRD, *ALERTING):
            cluster.processes.setdefault(name, cluster.process(name))
        self._third = cluster.processes[_THIRD]
        self._all: dict[str, Any] = {**machines.by_name, **cluster.processes, "receiver": receiver}
        self._down: set[str] = {name for name in ALERTING if not cluster.processes[name].running}  # killed, or not started yet
        self.kills: Counter[str] = Counter()
        self.freezes: Counter[str] = Counter()
        self.rebalances = 0
        self.failovers: list[float] = []  # seconds until all models of a killed owner had another
        self.ended: Counter[str] = Counter()  # by themselves

    def rage(self, until: float, alerting: int = 0, failovers: int = 0) -> None:
        """Go on until this time of `time.monotonic()`, and until processes that decide and tell were killed so often, and until so many failovers were measured; afterwards all processes run except the third ingest."""
        weights = {**_KILLS, **_OTHERS}
        self._revive()
        while time.monotonic() < until or self.alerting < alerting:
            for name in self._draw.choices([*weights], [*weights.values()], k=self._draw.choice((1, 1, 1, 2))):
                self._act(name)
            if self.alerting < alerting:
                self._interrupt()
            self._revive()
            self._rest(0.3, 3.0 if alerting else 5.0)
        until = time.monotonic() + _PATIENCE
        while len(self.failovers) < failovers and time.monotonic() < until:  # it needs both owners to be ready, which chance seldom allows
            self._failover()
            self._revive()
            self._rest(1.0, 2.0)
        if self._third.running:
            self._third.stop()
        self._revive()

    @property
    def alerting(self) -> int:
        """How often processes that decide and tell were killed."""
        return sum(self.kills[name] for name in ALERTING)

    def _interrupt(self) -> None:
        """Kill one or two of those that decide and tell, and are ready: a process that only begins loses nothing."""
        ready = [name for name in ALERTING if self._ready(name)]
        for name in self._draw.sample(ready, min(len(ready), self._draw.choice((1, 2)))):
            self._kill(name)

    def _ready(self, name: str) -> bool:
        process = self._cluster.processes[name]
        return process.running and process.problem() is None

    def _failover(self) -> None:
        """Kill an owner while the other `evaluate` process is ready, and measure until that one has taken all models."""
        both = [name for name in ALERTING if name.startswith("evaluate")]
        processes = self._cluster.processes
        held = {name: processes[name].evaluated() for name in both if self._ready(name)}
        if len(held) < len(both) or not all(server.running for server in self._machines.by_name.values()):
            return
        victim = max(held, key=lambda name: (held[name], self._draw.random()))
        (heir,) = (name for name in both if name != victim)
        before, began = self._epochs(), time.monotonic()
        self._kill(victim)
        while (spent := time.monotonic() - began) < _GIVEN_UP:
            taken = sum(epoch > before.get(name, 0) for name, epoch in self._epochs().items())
            if taken >= held[victim] and processes[heir].evaluated() == len(before):
                break
            time.sleep(0.1)
        self.failovers.append(spent)

    def _epochs(self) -> dict[str, int]:
        with psycopg.connect(self._cluster.servers.control) as connection:
            return dict(connection.execute(_OWNED).fetchall())

    def _act(self, name: str) -> None:
        if name == "rebalance":
            self._rebalance()
        elif name == "failover":
            self._failover()
        elif name in _OTHERS:
            self._freeze(self._draw.choice(("ingest-1", "ingest-2") if name == "freeze ingest" else ("evaluate", "evaluate-2")))
        else:
            self._kill(name)
            self._rest(0.0, 1.5)

    def _rebalance(self) -> None:
        """A third member of the group starts; or it ends, in order or killed."""
        self.rebalances += 1
        if not self._third.running:
            self._third.start(wait=False)
        elif self._draw.random() < 0.5:
            self._third.stop()
        else:
            self._kill(_THIRD)

    def _freeze(self, name: str) -> None:
        """Stop a process for longer than the group's session: when it continues, its partitions belong to another."""
        process = self._cluster.processes[name]
        if not process.running:
            return
        self.freezes[name] += 1
        process.freeze()
        try:
            time.sleep(SESSION + self._draw.uniform(0.5, 3.0))
        finally:
            process.thaw()

    def _kill(self, name: str) -> None:
        """Kill what runs: what is down already, as one that is drawn twice, is not killed again."""
        if not self._all[name].running:
            return
        self.kills[name] += 1
        self._down.add(name)
        self._all[name].kill()

    def _revive(self) -> None:
        """Start what does not run, all at once, as a supervisor would. Servers are waited for, since the processes wait for them."""
        for name, server in self._all.items():
            if not server.running and server is not self._third:
                if name not in self._down:
                    self.ended[name] += 1
                server.start(wait=False)
        self._down.clear()
        for server in self._machines.by_name.values():
            server.wait()

    def _rest(self, least: float, most: float) -> None:
        time.sleep(self._draw.uniform(least, most))
