"""Segments that are found depend on the contract and its reference alone."""

from __future__ import annotations

from unittest.mock import Mock

import msgspec
import pytest

from core.contract import Contract, Dimension, Task
from core.monitor import AutoSegments, Monitor
from monitors.definition.grammar import parse
from monitors.evaluation.watched import possible, segments_of
from monitors.model import Model

ROWS = {"all": 100, "c=a": 50, "c=b": 20, "c=d": 20, "c=null": 6, "c=e": 3, "c=other": 1, "d=a": 100}


def model(new: tuple[str, ...] = (), *, declared: bool = False) -> Model:
    """A contract with two dimensions, whose reference has these rows."""
    dimensions = (Dimension(name="c", values=("a", "b", "d", "e"), new=new), Dimension(name="d", values=("a",)))
    reference = None if declared else Mock(rows=ROWS, segments=tuple(ROWS))
    return Model(Contract(model="m", version=1, task=Task.BINARY, features=(), dimensions=dimensions), reference)


def found(held: Model, auto: AutoSegments) -> tuple[str, ...]:
    """The segments of a monitor, where raw events have others too."""
    monitor = Monitor(name="w", model="m", measure="quality.volume", segments=("all", *auto.columns), auto=auto)
    return segments_of(monitor, held, ["c=x", "c=other", "c=invalid", "c=e", "c=a"])


@pytest.mark.parametrize(
    ("share", "most", "wanted"),
    [
        (0.02, 20, ("all", "c=a", "c=b", "c=d", "c=e", "c=null", "c=other")),
        (0.04, 20, ("all", "c=a", "c=b", "c=d", "c=null", "c=other")),
        (0.2, 20, ("all", "c=a", "c=b", "c=d", "c=other")),
        (0.02, 2, ("all", "c=a", "c=b", "c=other")),
        (0.9, 1, ("all", "c=other")),
    ],
)
def test_frequent_values_of_the_reference_are_segments(share: float, most: int, wanted: tuple[str, ...]) -> None:
    """With a share of its rows or more; of those that are as frequent the first by name. What the reference does not have is `other`."""
    assert found(model(), AutoSegments(columns=("c",), min_share=share, most=most)) == wanted


def test_values_that_were_taken_up_are_segments_however_rare() -> None:
    """They are beside the `most` of the reference."""
    assert found(model(("x",)), AutoSegments(columns=("c",), most=1)) == ("all", "c=a", "c=other", "c=x")


def test_a_segment_is_possible_while_contract_and_monitor_have_it() -> None:
    """Whether or not any event is in it: an episode of another one ends."""
    plain = Monitor(name="w", model="m", measure="quality.volume", segments=("all", "c"))
    asked = ("all", "c=a", "c=null", "c=other", "c=invalid", "c=x", "d=a", "c=a,d=a")
    assert [one for one in asked if possible(plain, model(), one)] == list(asked[:5])
    assert possible(plain, model(("x",)), "c=x")
    found_few = msgspec.structs.replace(plain, auto=AutoSegments(columns=("c",), most=1))
    assert [one for one in asked if possible(found_few, model(), one)] == ["all", "c=a", "c=other"]


def test_what_is_read_can_be_stored() -> None:
    """Numbers of YAML become numbers."""
    (read,) = parse(
        "{monitor: w, model: m, measure: quality.volume, segments: {auto: c, most: 2}}", contract=lambda _: model().contract
    ).monitors
    assert msgspec.json.decode(msgspec.json.encode(read), type=Monitor).auto == AutoSegments(columns=("c",), most=2)


def test_of_a_declared_contract_the_first_values_are_segments() -> None:
    """It has no rows to count."""
    assert found(model(declared=True), AutoSegments(columns=("c",), most=2)) == ("all", "c=a", "c=other")
