"""The rows that are expected in a window do not depend on what is evaluated with it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from core import moment
from core.block import Ints
from core.span import Spans
from detectors.arrival import Volume
from monitors.evidence import volume
from monitors.evidence.extent import Extent

START = 19_000 * moment.DAY


def stream(hours: Ints, slots: Ints | None = None) -> Any:
    """A stream with as many rows each hour as its number says, whose reference had the same."""
    table = pa.table({"start": START + np.arange(len(hours)) * moment.HOUR, "segment": ["all"] * len(hours), "n": hours})
    model = SimpleNamespace(contract=SimpleNamespace(pane=moment.HOUR), reference=object())
    return SimpleNamespace(
        scope=SimpleNamespace(segments=("all",), groupings=("",), model=model),
        predictions=lambda _extent: table,
        reference_rows=lambda: table,
        slots_of_version=table["start"].to_numpy() if slots is None else slots,
        of_reference=lambda _key, make: make(),
    )


def read(reads: Any, *sides: Spans) -> list[Volume]:
    """The evidence of sides over cells of an hour."""
    every = Spans.of([(START, START + 40 * moment.DAY)])
    return volume.read(reads, Extent(moment.HOUR, START + np.arange(960) * moment.HOUR).part(every), "", [[side] for side in sides])


def test_the_dispersion_of_each_length_is_its_own() -> None:
    """A day that is evaluated with weeks has that of days."""
    reads = stream(np.random.default_rng(1).poisson(20, 960) * np.repeat(np.random.default_rng(2).integers(1, 4, 40), 24))
    day, weeks = (START, START + moment.DAY), [(START + at * moment.DAY, START + (at + 7) * moment.DAY) for at in (1, 8)]
    together, alone, weekly = (read(reads, Spans.of(spans))[0] for spans in ([day, *weeks], [day], weeks))
    assert together.phi[:, 0].tolist() == [*alone.phi[:, 0].tolist(), *weekly.phi[:, 0].tolist()]
    assert together.windows[:, 0].tolist() == [*alone.windows[:, 0].tolist(), *weekly.windows[:, 0].tolist()]
    assert len({*together.windows[:, 0].tolist()}) == 2


def test_a_long_baseline_counts_from_the_first_event_of_the_version() -> None:
    """Of 20 days, in 10 of which it was there."""
    reads = stream(np.full(960, 2), slots=np.array([START + 10 * moment.DAY]))
    target, before = Spans.of([(START + 20 * moment.DAY, START + 21 * moment.DAY)]), Spans.of([(START, START + 20 * moment.DAY)])
    assert read(cast("Any", reads), target, before)[1].expected.tolist() == [[960 / 10]]


def test_without_a_reference_its_rows_are_not_asked_for() -> None:
    """Then nothing is expected."""
    reads = stream(np.full(960, 2))
    reads.scope.model.reference, reads.reference_rows = None, lambda: pytest.fail("asked")
    (found,) = read(reads, Spans.of([(START, START + moment.DAY)]))
    assert found.n.tolist() == [[48.0]]
    assert np.isnan(found.expected).all()
