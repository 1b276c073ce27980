"""What is read for proposals is large, so they are made one after the other."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

import pytest

from core.error import ConfigError
from watchkeeper.learning import proposal
from watchkeeper.settings.section import IngestSettings
from watchkeeper.stores import Stores

_EVENT = b'{"features": {"x": 1.5}, "prediction": 1}'


class _Waiting:
    """Two predictions wait; it counts how many read them at a time."""

    reading, most = 0, 0

    def counts(self, model: str) -> dict[str, dict[str, int]]:
        """Of the model that is asked for."""
        return {model: {"predictions": 2}}

    def first(self, model: str, topic: str, _most: int, _size: int) -> list[tuple[int, int, int, int, bytes]]:
        """The predictions, after a while; those of `bad` have no features."""
        self.reading += 1
        self.most = max(self.most, self.reading)
        time.sleep(0.005)
        self.reading -= 1
        body = b"{}" if model == "bad" else _EVENT
        return [(5, 0, 0, 0, body), (7, 0, 1, 0, body)] if topic == "predictions" else []


def test_proposals_are_made_one_after_the_other_also_after_one_that_failed() -> None:
    """Many pages may ask for them at a time."""
    waiting = _Waiting()
    control, settings = SimpleNamespace(contract=lambda _: None), SimpleNamespace(ingest=IngestSettings())
    stores = cast("Stores", SimpleNamespace(control=control, waiting=waiting, settings=settings))
    with pytest.raises(ConfigError, match="has a feature that can be watched"):
        proposal(stores, "bad", 9)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda name: proposal(stores, name, 9), ["a", "b", "c", "d"]))
    assert ([one["model"] for one in found], waiting.most) == (["a", "b", "c", "d"], 1)
    assert (found[0]["seen"], found[0]["ready"]) == (2, False)
