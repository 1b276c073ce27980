"""The suite on several workers (`pytest -n`): files go to workers, the longest first and none behind another long one, and all share the servers that the controller starts and ends."""

from __future__ import annotations

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from compose.servers.fetch import Absent
from compose.servers.server import Failed, Server
from core.struct_types import prepare
from tests.services.fixture import VARIABLES, address, serving

# What takes longest, alone on two cores: begun last, one of these would be waited for by idle workers.
LONGEST = (
    "tests/acceptance/test_year.py",
    "tests/acceptance/test_retrain.py",
    "tests/acceptance/test_shuffled.py",
    "tests/acceptance/test_outage.py",
    "tests/browser/test_pages.py",
    "tests/acceptance/test_disorder.py",
    "tests/acceptance/test_kill.py",
    "tests/acceptance/test_contract.py",
    "tests/acceptance/test_clocks.py",
    "tests/browser/test_journey.py",
    "tests/browser/test_real.py",
    "tests/acceptance/test_law.py",
    "tests/acceptance/test_partitions.py",
)

_SLOW_UNTIL = 0.6  # of the files that are not the longest: after so many the last slow one has begun

SERVERS = pytest.StashKey[list[Server]]()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two workers a core: much of what is slow waits."""
    return 2 * (os.cpu_count() or 1)


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file is of one worker, for the sake of its fixtures. Files begin in the order in which they are collected, but none waits for the last test of a long one.

    A worker begins a test only when it knows the next one. Beside the last test of a long file it is given the last of all files, which is short: a second long one would wait
    for the first while other workers are idle.
    """

    def _reschedule(self, node: Any) -> None:
        if not node.shutting_down and self.workqueue:
            waiting = [scope for scope, tests in self.assigned_work[node].items() for done in tests.values() if not done]
            if len(waiting) > 1:
                return
            if waiting and waiting[0] in LONGEST:
                self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._reschedule(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Files go to workers as a whole."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first, then the others, each in its own order. Those with slow tests, which mostly wait, come among those that compute, so that no core is idle, and well before the end."""
    if not hasattr(config, "workerinput"):
        return
    slow = {item.location[0] for item in items if item.get_closest_marker("slow")}
    others = [name for name in dict.fromkeys(item.location[0] for item in items) if name not in LONGEST]
    waiting, computing = ([name for name in others if (name in slow) is which] for which in (True, False))
    places: dict[str, float] = {name: place - len(LONGEST) for place, name in enumerate(LONGEST)}
    places |= {name: _SLOW_UNTIL * place / len(waiting) for place, name in enumerate(waiting)}
    places |= {name: place / len(computing) for place, name in enumerate(computing)}
    items.sort(key=lambda item: places[item.location[0]])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Prepare struct types, before a test starts threads, and take what was imported and collected out of garbage collection, which would look through all of it again and again:
    a tenth of the CPU of a test.
    """
    prepare()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers before the workers, which find them named in the environment. They end after pytest's last line."""
    if not session.config.getoption("numprocesses", 0) or hasattr(session.config, "workerinput"):
        return
    stack = ExitStack()
    session.config.add_cleanup(stack.close)
    session.config.stash[SERVERS] = servers = []

    def begin(variable: str) -> None:
        with suppress(Absent, Failed):  # the first test that needs it says why it is not there
            servers.append(server := stack.enter_context(serving(variable)))
            os.environ[variable] = address(server)

    with ThreadPoolExecutor() as pool:
        list(pool.map(begin, [name for name in VARIABLES if not os.environ.get(name)]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say of a server that ended during the tests how, for then they fail for want of it."""
    for server in config.stash.get(SERVERS, []):
        if not server.running:
            terminalreporter.section(f"{server.name} ended during the tests", sep="=")
            terminalreporter.line(server.end)
