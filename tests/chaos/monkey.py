"""Random faults by a seed: kills, freezes beyond the session timeout, members that come and go."""

from __future__ import annotations

import random
import time
from collections import Counter

from compose.servers.server import Server
from tests.acceptance.machines import Machines
from tests.acceptance.world import Cluster

SESSION = 6.0  # seconds after which the group gives up a member
_THIRD = "ingest-3"
# How often each comes, against the others.
_KILLS = {"ingest-1": 4, "ingest-2": 4, "evaluate": 3, "serve": 2, "deliver": 3, "broker": 2, "clickhouse": 3, "postgres": 2}
_OTHERS = {"freeze ingest": 2, "freeze evaluate": 1, "rebalance": 3}


class Monkey:
    """Causes one fault after another in a cluster and its servers, starts again what it has stopped, and counts the faults."""

    def __init__(self, cluster: Cluster, machines: Machines, seed: str) -> None:
        self._cluster, self._machines = cluster, machines
        self._draw = random.Random(seed)
        self._third = cluster.processes[_THIRD] = cluster.process(_THIRD)
        self._all: dict[str, Server] = {**machines.by_name, **cluster.processes}
        self._down: set[str] = set()  # killed, and not started again yet
        self.kills: Counter[str] = Counter()
        self.freezes: Counter[str] = Counter()
        self.rebalances = 0
        self.ended: Counter[str] = Counter()  # by themselves

    def rage(self, until: float) -> None:
        """Go on until this time of `time.monotonic()`; afterwards all processes run except the third ingest."""
        weights = {**_KILLS, **_OTHERS}
        while time.monotonic() < until:
            for name in self._draw.choices([*weights], [*weights.values()], k=self._draw.choice((1, 1, 1, 2))):
                self._act(name)
            self._revive()
            self._rest(0.3, 5.0)
        if self._third.running:
            self._third.stop()
        self._revive()

    def _act(self, name: str) -> None:
        if name == "rebalance":
            self._rebalance()
        elif name in _OTHERS:
            self._freeze(self._draw.choice(("ingest-1", "ingest-2")) if name == "freeze ingest" else "evaluate")
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
        self.kills[name] += 1
        self._down.add(name)
        self._all[name].kill()

    def _revive(self) -> None:
        """Start processes that do not run, as a supervisor would."""
        for name, server in self._all.items():
            if not server.running and server is not self._third:
                if name not in self._down:
                    self.ended[name] += 1
                server.start(wait=name in self._machines.by_name)
        self._down.clear()

    def _rest(self, least: float, most: float) -> None:
        time.sleep(self._draw.uniform(least, most))
