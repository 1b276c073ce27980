"""Trust: the state by version and segment that readings make."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from alerts.trust import HISTORY, RECENT, counts, trust
from core.moment import DAY
from core.monitor import Monitor
from core.reading import Reading, Verdict
from core.trust import TrustState
from detectors.catalogue import MEASURES

RIGHT = Monitor(name="right", model="m", measure="performance.accuracy", warn={"below": 0.8}, critical={"below": 0.7})
SURE = Monitor(name="sure", model="m", measure="uncertainty.ece", warn={"above": 0.05})
KNOWN = Monitor(name="known", model="m", measure="quality.unseen_category_rate", warn=0.1)
MONITORS = (RIGHT, SURE, KNOWN)


def reading(monitor: Monitor, day: int, verdict: str, segment: str = "all", **more: Any) -> Reading:
    """A reading of a day."""
    return Reading(
        monitor=monitor.name,
        model="m",
        measure=monitor.measure,
        segment=segment,
        window_start=day * DAY,
        window_end=(day + 1) * DAY,
        value=0.75,
        n_target=500,
        threshold=monitor.threshold,
        verdict=Verdict(verdict),
        **more,
    )


def states(*readings: Reading) -> dict[str, TrustState]:
    """The state by segment."""
    return {one.segment: one.state for one in trust(MONITORS, readings, MEASURES)}


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        (("ok", "ok", "ok"), TrustState.TRUSTED),
        (("ok", "warn", "ok"), TrustState.WATCH),
        (("ok", "assumptions_broken", "ok"), TrustState.WATCH),
        (("critical", "warn", "ok"), TrustState.DO_NOT_TRUST),
        (("ok", "ok", "critical"), TrustState.DO_NOT_TRUST),
        (("ok", "nodata", "insufficient"), TrustState.TRUSTED),
        (("nodata", "immature", "ok"), TrustState.UNKNOWN),
        (("nodata", "not_estimable", "warn"), TrustState.WATCH),
        (("nodata", "nodata", "nodata"), TrustState.UNKNOWN),
    ],
)
def test_the_worst_sign_decides_and_support_alone_is_no_trust(verdicts: tuple[str, ...], state: TrustState) -> None:
    """Performance, calibration and support in the same window."""
    given = [reading(monitor, 3, verdict) for monitor, verdict in zip(MONITORS, verdicts, strict=True)]
    assert states(*given) == {"all": state}


def test_a_segment_that_breaks_turns_alone_in_the_window_that_shows_it() -> None:
    """The others and `all` stay as they are; `since` and the reasons name the window."""
    names = ("all", "carrier=AA", "carrier=UA")
    before = [reading(RIGHT, day, "ok", name) for day in range(5) for name in names]
    now = [reading(RIGHT, 5, "critical" if name == "carrier=UA" else "ok", name) for name in names]
    assert states(*before) == dict.fromkeys(names, TrustState.TRUSTED)
    found = {one.segment: one for one in trust(MONITORS, [*before, *now], MEASURES)}
    assert {name: one.state for name, one in found.items()} == dict.fromkeys(names, TrustState.TRUSTED) | {
        "carrier=UA": TrustState.DO_NOT_TRUST
    }
    broken = found["carrier=UA"]
    assert (broken.since, [one.window_start for one in broken.reasons]) == (5 * DAY, [5 * DAY])
    assert broken.reasons[0].text.startswith("Accuracy in carrier=UA is 0.75; critical")
    assert (found["all"].since, next(iter(found))) == (0, "all")


def test_a_state_is_over_when_the_next_window_says_so() -> None:
    """`since` is the start of the window that brought the new state."""
    days = ["ok", "critical", "critical", "ok", "ok"]
    (found,) = trust(MONITORS, [reading(RIGHT, day, verdict) for day, verdict in enumerate(days)], MEASURES)
    assert (found.state, found.since) == (TrustState.TRUSTED, 3 * DAY)


def test_windows_without_labels_are_passed_over_but_not_for_ever() -> None:
    """The last judged window tells until as many windows have passed as count."""
    late = [reading(RIGHT, day, "nodata") for day in range(1, RECENT + 1)]
    assert states(reading(RIGHT, 0, "critical"), *late[:-1]) == {"all": TrustState.DO_NOT_TRUST}
    assert states(reading(RIGHT, 0, "critical"), *late) == {"all": TrustState.UNKNOWN}
    assert HISTORY > RECENT


def test_labels_that_come_later_than_signs_last_make_them_last_longer() -> None:
    """The newest window with labels is always 30 days old where labels come after 30 days; when they stop, the sign ends."""
    late = [reading(RIGHT, day, "ok", evidence={"label_delay": 30 * 86_400.0}) for day in range(5)]
    assert states(*late, reading(RIGHT, 34, "nodata")) == {"all": TrustState.TRUSTED}
    assert states(*late, reading(RIGHT, 30 + RECENT + 5, "nodata")) == {"all": TrustState.UNKNOWN}
    assert states(reading(RIGHT, 4, "ok"), reading(RIGHT, 34, "nodata")) == {"all": TrustState.UNKNOWN}


def test_a_state_that_began_when_a_sign_ended_has_that_time() -> None:
    """Calibration broke on day 0 and has had no labels since: when it is forgotten, accuracy alone decides."""
    given = [reading(SURE, 0, "warn"), *(reading(RIGHT, day, "ok") for day in range(RECENT - 4)), reading(KNOWN, RECENT + 4, "nodata")]
    (found,) = trust(MONITORS, given, MEASURES)
    assert (found.state, found.since) == (TrustState.TRUSTED, (RECENT + 1) * DAY)


def test_without_the_readings_of_a_monitor_that_was_changed_nothing_is_trusted() -> None:
    """Until it is evaluated again the state is unknown and says why; what is bad stays bad; a monitor of one version holds back that version only."""
    (found,) = trust(MONITORS, [reading(RIGHT, 1, "ok")], MEASURES, waiting=[SURE])
    assert (found.state, [one.measure for one in found.reasons]) == (TrustState.UNKNOWN, ["uncertainty.ece"])
    assert found.reasons[0].text.startswith("sure has not been evaluated")
    (found,) = trust(MONITORS, [reading(RIGHT, 1, "critical")], MEASURES, waiting=[SURE])
    assert found.state is TrustState.DO_NOT_TRUST
    (found,) = trust(MONITORS, [reading(RIGHT, 1, "ok")], MEASURES, waiting=[msgspec.structs.replace(SURE, version="2")])
    assert found.state is TrustState.TRUSTED


def test_monitors_without_thresholds_paused_ones_and_drift_do_not_count() -> None:
    """A reading that nobody judges says `ok`, and means nothing. Drift counts for the signal of rows outside of the reference only."""
    assert all(counts(monitor) for monitor in MONITORS)
    assert not counts(msgspec.structs.replace(RIGHT, warn=None, critical=None))
    assert not counts(msgspec.structs.replace(RIGHT, enabled=False))
    drift = Monitor(name="drift", model="m", measure="drift.psi", columns=("fare", "@outside"), warn=0.1)
    assert counts(drift)
    assert not counts(msgspec.structs.replace(drift, columns=("fare",)))
    given = [reading(RIGHT, 1, "ok"), reading(drift, 1, "critical", column="fare"), reading(drift, 1, "warn", column="@outside")]
    (found,) = trust((RIGHT, drift), given, MEASURES)
    assert (found.state, [one.column for one in found.reasons]) == (TrustState.WATCH, ["@outside"])


def test_versions_have_states_of_their_own() -> None:
    """A monitor of one version says nothing of the others."""
    given = [reading(RIGHT, 1, "ok"), reading(SURE, 1, "warn", version="2")]
    found = {(one.version, one.segment): one.state for one in trust(MONITORS, given, MEASURES)}
    assert found == {("all", "all"): TrustState.TRUSTED, ("2", "all"): TrustState.WATCH}


def test_nothing_is_no_state() -> None:
    """Without readings there are no items."""
    assert trust(MONITORS, [], MEASURES) == []
