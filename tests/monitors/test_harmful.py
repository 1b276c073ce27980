"""Harmful change, from stored outcomes to readings, and what the grammar takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from core import moment
from core.calendar import Calendar, Unit
from core.contract import Dimension
from core.error import ConfigError
from core.reading import Verdict
from core.window.period import Period
from detectors.change.harmful import gain, play
from monitors.definition.grammar import parse
from monitors.evaluation.harmful import _possible, _windows_in
from monitors.evidence import due_losses
from tests.monitors import outcomes
from tests.monitors.contracts import CONTRACTS

HOURS, EACH = 40, 200
_PARAMS = {"risk": 0.22, "wait": "1s"}


def _stream() -> tuple[outcomes.Store, Any]:
    """Errors of a fifth of the rows, and of two fifths after 20 hours; none at all in hour 7. And the errors of each hour."""
    rng = np.random.default_rng(6)
    wrong = rng.random((HOURS, EACH)) < np.where(np.arange(HOURS) < 20, 0.2, 0.4)[:, None]
    hour = np.repeat(np.arange(HOURS), EACH)
    there = hour != 7
    label = ["1"] * int(there.sum())
    said = np.where(wrong.ravel()[there], "0", "1").tolist()
    return outcomes.binary(said, label, hour=hour[there]), np.where(np.arange(HOURS) == 7, 0, wrong.sum(1))


def test_readings_are_what_bets_are_worth() -> None:
    """With the window of the change as the onset; the detection stays told while bets are worth the limit."""
    store, wrong = _stream()
    found = outcomes.readings(store, "change.harmful", _PARAMS, HOURS)
    n = np.where(np.arange(HOURS) == 7, 0, EACH)
    gains = wrong[:, None] * gain(np.ones(1), np.array([0.22])) + (n - wrong)[:, None] * gain(np.zeros(1), np.array([0.22]))
    worth = np.exp(np.minimum(play(gains, n > 0).worth - np.log(40), np.log(1e6)))
    assert [one.value for one in found] == [None if place == 7 else pytest.approx(value) for place, value in enumerate(worth)]
    assert (found[7].verdict, found[7].reason) == (Verdict.NODATA, "no predictions that were labelled in time")
    first = int(np.flatnonzero(worth >= 1)[0])
    told = found[first].evidence
    assert told["onset"] == moment.text(20 * moment.HOUR)
    assert told["detected_at"] == found[-1].evidence["detected_at"] == moment.text((first + 1) * moment.HOUR)
    assert (told["before"], told["after"]) == (pytest.approx(wrong[:20].sum() / (19 * EACH)), pytest.approx(0.4, abs=0.1))
    assert (told["bound"], told["limit"], told["windows"]) == (0.22, 40.0, first + 1)


def test_what_is_told_of_a_window_depends_on_no_later_one_and_not_on_the_order_of_rows() -> None:
    """The first windows of a stream read the same when the others have come."""
    store, _ = _stream()
    found = outcomes.readings(store, "change.harmful", _PARAMS, HOURS)
    again = outcomes.Store(store.contract, store.rows.take(np.random.default_rng(1).permutation(len(store.rows))))
    assert outcomes.readings(again, "change.harmful", _PARAMS, 25) == found[:25]


def test_labels_are_asked_for_as_they_were_when_due() -> None:
    """By `params.wait`."""
    store, _ = _stream()
    asked = []

    class Asked(outcomes.Store):
        def outcomes(self, *args: Any, due: int | None = None, **more: Any) -> Any:
            asked.append(due)
            return super().outcomes(*args, **more)

    outcomes.readings(Asked(store.contract, store.rows), "change.harmful", {"risk": 0.2, "wait": "3d"}, HOURS)
    assert set(asked) == {3 * moment.DAY}


def test_windows_of_which_raw_events_are_gone_have_no_value_and_end_older_bets() -> None:
    """Windows after them are told by what is there."""
    store, _ = _stream()

    class Lost(outcomes.Store):
        def traces(self, model: str, pane: int) -> Any:
            slots, n = super().traces(model, pane)
            return slots, np.where(slots == 25 * moment.HOUR, 0, n[:, 0])[:, None]

    found = outcomes.readings(Lost(store.contract, store.rows), "change.harmful", _PARAMS, HOURS)
    assert (found[25].value, found[25].reason) == (None, "raw events of the window are not there any more")
    values = [one.value or 0 for one in found]
    assert values[24] > values[26] > 0


def test_a_long_window_is_read_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whole slots, and its sums are the same bits."""
    store, _ = _stream()
    asked = list[int]()

    class Asked(outcomes.Store):
        def outcomes(self, *args: Any, **more: Any) -> Any:
            asked.append(len(args[2]))
            return super().outcomes(*args, **more)

    params = {**_PARAMS, "of": "performance.brier"}
    counted = Asked(store.contract, replace(store.rows, score=np.random.default_rng(2).random(len(store.rows))))
    whole = outcomes.readings(counted, "change.harmful", params, days=2)
    assert asked == [HOURS - 1]
    monkeypatch.setattr(due_losses, "_AT_ONCE", 3 * EACH)
    assert outcomes.readings(counted, "change.harmful", params, days=2) == whole
    assert len(asked) > 10
    assert max(asked[1:]) <= 3


def test_events_that_come_while_a_window_is_read_do_not_stop_it() -> None:
    """The slots and their rows are of one query."""
    store, _ = _stream()
    calls = list[int]()

    class Growing(outcomes.Store):
        def slots(self, contract: Any) -> Any:
            calls.append(1)
            slots, n = super().slots(contract)
            more = (HOURS + np.arange(len(calls))) * moment.HOUR
            return np.append(slots, more), np.append(n, np.full(len(more), EACH))

    found = outcomes.readings(Growing(store.contract, store.rows), "change.harmful", _PARAMS, HOURS)
    assert found == outcomes.readings(store, "change.harmful", _PARAMS, HOURS)


def test_a_mean_time_is_no_shorter_than_promised() -> None:
    """Though some days have 25 hours, and some months 31 days."""
    rome = Calendar(timezone="Europe/Rome")
    assert _windows_in("365d", Period(Unit.DAY, rome)) == 365
    assert _windows_in("364d", Period(Unit.MONTH, rome)) == 13
    assert _windows_in("1d", Period(Unit.WEEK)) == 2


def test_all_segments_that_there_can_be_share_alpha_where_the_risk_is_said() -> None:
    """The values that are kept, others, null and invalid; of groupings that the contract has."""
    region = Dimension(name="region", values=("a", "b"))
    held = msgspec.structs.replace(_stream()[0].contract, dimensions=(region, Dimension(name="sex", values=("f",))))
    assert _possible(held, ("all",)) == 1
    assert _possible(held, ("region", "all", "region*sex", "gone")) == 1 + 5 + 5 * 4


def test_without_a_reference_the_risk_must_be_said() -> None:
    """Nothing tells what is usual."""
    store, _ = _stream()
    (found, *_) = outcomes.readings(store, "change.harmful", {"wait": "1s"}, HOURS)
    assert (found.verdict, found.reason) == (Verdict.NOT_ESTIMABLE, "the reference has no labelled rows of it: write `params.risk`")


def test_the_grammar_takes_days_and_weeks_and_fills_params_in() -> None:
    """A measure of costs has its four cells."""
    text = (
        "- {monitor: h, model: delay, measure: change.harmful, target: weekly, params: {of: {measure: performance.value, params: {fn: 5}}}}"
    )
    (one,) = parse(text, contract=CONTRACTS.get).monitors
    assert one.params["of"]["params"] == {"tp": 0.0, "fp": 0.0, "fn": 5.0, "tn": 0.0, "better": "less"}
    assert (one.params["wait"], one.critical, one.min_samples) == ("7d", 1.0, 1)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("target: {window: 1h}", "whole days or weeks"),
        ("target: {window: 36h}", "whole days or weeks"),
        ("target: {window: 2d, every: 1d}", "whole days or weeks"),
        ("baseline: reference", "compares the stream with itself"),
        ("params: {of: performance.recall}", "no losses of rows between 0 and 1"),
        ("params: {alpha: 0.5}", "alpha"),
    ],
)
def test_what_bets_cannot_be_read_of_is_refused(more: str, why: str) -> None:
    """With what can be written."""
    with pytest.raises(ConfigError, match=why):
        parse(f"- {{monitor: h, model: delay, measure: change.harmful, {more}}}", contract=CONTRACTS.get)
