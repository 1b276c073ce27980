"""Measures of service against numpy on the rows, and against tables by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.block import Floats
from core.contract import Column, Kind, Task
from core.error import ConfigError
from core.moment import HOUR
from detectors import catalogue
from detectors.service.availability import AvailabilityParams, BurnParams
from detectors.serving import Latencies, Statuses, Traffic
from detectors.spec import NoParams, Result
from detectors.summary.bins import number_bins
from detectors.summary.signal import LATENCY
from tests.detectors import blocks

LATENCIES = Column(name="@latency_ms", kind=Kind.NUMERIC, edges=LATENCY)


def latencies(*rows: Floats, column: Column = LATENCIES) -> Latencies:
    """The evidence of some windows of latencies."""
    counts = np.array([np.bincount(number_bins(column, one.copy()), minlength=column.bins) for one in rows], np.float64)
    finite = [one[np.isfinite(one)] for one in rows]
    low, high = np.array([one.min(initial=np.inf) for one in finite]), np.array([one.max(initial=-np.inf) for one in finite])
    return Latencies(np.array([len(one) for one in rows], np.float64), counts, low, high, column)


def why(found: Result) -> list[str]:
    """Why there are no values."""
    assert np.isnan(found.value).all()
    return [] if found.why is None else found.why.tolist()


def statuses(*pairs: tuple[int, int], earlier: tuple[Statuses, ...] = ()) -> Statuses:
    """The evidence of some windows, each with so many of status `ok` and so many errors."""
    ok, error = np.array(pairs, np.float64).T
    return Statuses(ok + error, ok, error, known=True, earlier=earlier)


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.lognormal(3, 1.5, n),
        lambda rng, n: 5 * (rng.pareto(1.1, n) + 1),  # without a variance
        lambda rng, n: np.where(rng.random(n) < 0.96, 12.0, 2_000.0),
        lambda rng, n: rng.exponential(0.2, n) + 0.02,
    ],
    ids=["lognormal", "pareto", "two values", "short"],
)
@pytest.mark.parametrize("n", [1, 2, 37, 20_000])
def test_quantiles_of_latency_are_within_one_percent_of_numpys(q: float, draw: object, n: int) -> None:
    """Of heavy tails too, where the next latency is far away."""
    assert callable(draw)
    rows = [np.minimum(draw(np.random.default_rng(seed), n), 3_600_000.0) for seed in range(20)]
    found = catalogue.spec(f"service.latency_p{round(100 * q)}").compute(latencies(*rows), None, NoParams())
    exact = np.array([np.quantile(one, q) for one in rows])
    assert np.abs(found.value / exact - 1).max() <= 0.01 + 1e-9
    assert found.interval is not None
    low, high = found.interval(np.ones(1))
    known = ~np.isnan(low)
    assert ((low <= found.value) & (found.value <= high))[known].all()
    assert known.all() == (n > 37 or (n == 37 and q == 0.5))


def test_the_interval_of_a_quantile_of_latency_covers() -> None:
    """The population's quantile, in 93 to 99 % of samples: ranks are whole numbers."""
    rng = np.random.default_rng(5)
    held = latencies(*(rng.lognormal(3, 1, 400) for _ in range(1_500)))
    found = catalogue.spec("service.latency_p95").compute(held, None, NoParams())
    low, high = found.interval(np.ones(1)) if found.interval else (np.nan, np.nan)
    true = np.exp(3 + 1.6448536)
    assert 0.93 <= np.mean((low <= true) & (true <= high)) <= 0.99


def test_latencies_that_bins_do_not_tell_have_no_value() -> None:
    """Above an hour, with wide bins of one's own, and without any; null and invalid ones do not count."""
    spec = catalogue.spec("service.latency_p50")
    wide = Column(name="@latency_ms", kind=Kind.NUMERIC, edges=(10.0, 20.0))
    for held in (latencies(np.array([4e6, 9e6, 8e7])), latencies(np.array([11.0, 15.0, 19.0]), column=wide)):
        found = spec.compute(held, None, NoParams())
        assert "too coarse" in why(found)[0]
    none = spec.compute(latencies(np.array([np.nan, np.inf])), None, NoParams())
    assert why(none) == ["no prediction has `@latency_ms`"]
    some = latencies(np.array([np.nan, np.inf, 7.0, 7.0]))
    assert spec.compute(some, None, NoParams()).value.tolist() == [7.0]
    assert spec.counted(some).tolist() == [2.0]
    missing = Latencies(np.array([3.0]), np.zeros((1, 0)), np.array([np.inf]), np.array([-np.inf]), None)
    assert why(spec.compute(missing, None, NoParams())) == ["the contract has no signal `@latency_ms`"]


def test_throughput_is_rows_by_seconds_and_names_the_callers() -> None:
    """The eight with most; 0 without rows."""
    callers = {f"c{place}": np.array([[float(place)], [0.0]]) for place in range(10)}
    held = Traffic(np.array([[45.0], [0.0]]), np.array([[90.0], [3_600.0]]), callers)
    found = catalogue.spec("service.throughput").compute(held, None, NoParams())
    assert found.value.tolist() == [[0.5], [0.0]]
    assert found.evidence is not None
    first, second = found.evidence((np.array([0, 1]), np.array([0, 0])))
    assert [one["caller"] for one in first["callers"]] == ["c9", "c8", "c7", "c6", "c5", "c4", "c3", "c2"]
    assert first["callers"][0] == {"caller": "c9", "n": 9, "share": 0.2}
    assert second == {"callers": []}


def test_availability_tells_the_error_budget_that_is_left() -> None:
    """Of 1,000,000 requests in the period an objective of 99.9 % allows 1,000 errors; 400 were, so 60 % is left. This window has 5 in 1,000: five times the rate."""
    spec, params = catalogue.spec("service.availability"), AvailabilityParams(objective=0.999, period="30d")
    target = statuses((995, 5), earlier=(statuses((999_600, 400)),))
    found = spec.compute(target, None, params)
    assert found.value.tolist() == [0.995]
    assert found.evidence is not None
    (told,) = found.evidence((np.array([0]),))
    assert told.pop("budget_left") == pytest.approx(0.6)
    assert told.pop("burn_rate") == pytest.approx(5.0)
    assert told == {"measured": 1_000, "errors": 5, "objective": 0.999, "period": "30d"}
    assert spec.ending(params) == (720 * HOUR,)
    assert spec.ending(AvailabilityParams()) == ()
    assert catalogue.spec("service.error_rate").compute(target, None, NoParams()).value.tolist() == [0.005]


def test_a_burn_rate_is_that_of_the_slower_window() -> None:
    """By hand, for an objective of 99 %: an old storm has left the short window, a new one has not filled the long one, and one that goes on is in both."""
    long = statuses((800, 200), (990, 10), (800, 200), (100, 0), (90, 10))
    short = statuses((100, 0), (50, 50), (70, 30), (0, 0), (0, 0))
    found = catalogue.spec("service.burn_rate").compute(
        Statuses(long.n, long.ok, long.error, known=True, earlier=(short,)), None, BurnParams(objective=0.99, short="1h")
    )
    assert found.value.tolist() == pytest.approx([0.0, 1.0, 20.0, 0.0, 0.0])
    assert found.evidence is not None
    assert found.evidence((np.array([2]),))[0] == {
        "measured": 1_000, "errors": 200, "objective": 0.99, "long": pytest.approx(20), "short": pytest.approx(30),
    }  # fmt: skip
    alone = catalogue.spec("service.burn_rate").compute(long, None, BurnParams(objective=0.99))
    assert alone.value.tolist() == pytest.approx([20.0, 1.0, 20.0, 0.0, 10.0])


@pytest.mark.parametrize("name", ["error_rate", "availability", "burn_rate"])
def test_without_a_status_there_is_no_value(name: str) -> None:
    """Whether no row has one, or the contract has no such signal."""
    spec = catalogue.spec(f"service.{name}")
    params = spec.params()
    nothing = Statuses(np.array([3.0]), np.zeros(1), np.zeros(1), known=True)
    assert why(spec.compute(nothing, None, params)) == ["no prediction has `@status`"]
    unknown = Statuses(np.array([3.0]), np.zeros(1), np.zeros(1), known=False)
    assert why(spec.compute(unknown, None, params)) == ["the contract has no signal `@status`"]
    assert spec.counted(nothing).tolist() == [3.0]


def test_spans_of_service_are_made_of_whole_panes() -> None:
    """A contract of hours cannot tell five minutes."""
    contract = blocks.contract(Task.BINARY)
    for name, params in (("burn_rate", BurnParams(short="5m")), ("availability", AvailabilityParams(objective=0.9, period="90m"))):
        with pytest.raises(ConfigError, match="whole panes of 1h"):
            catalogue.spec(f"service.{name}").settle(params, contract)
    assert catalogue.spec("service.burn_rate").settle(BurnParams(short="60m"), contract).short == "1h"


@pytest.mark.parametrize("length", ["4000d", "999999999999999999d"])
def test_spans_of_service_are_no_longer_than_windows_may_be(length: str) -> None:
    """Each of their panes is a row of a table that is held in memory."""
    for name, params in (("burn_rate", BurnParams(short=length)), ("availability", AvailabilityParams(objective=0.9, period=length))):
        with pytest.raises(ConfigError, match="too long"):
            catalogue.spec(f"service.{name}").settle(params, blocks.contract(Task.BINARY))
