"""Windows and baselines that are picked on a page, without a monitor that has them."""

from __future__ import annotations

from typing import Any

from dash.development.base_component import Component

from core.baseline import kind as baselines
from core.baseline.kind import Baseline
from core.baseline.reference import Reference
from core.contract import Contract
from core.error import ConfigError
from core.measure import Family, Measure
from core.monitor import Monitor
from core.window import kind as kinds
from core.window.kind import Window
from dashboard import components as piece
from dashboard.state import PageState
from dashboard.view_model import ModelView

# What may be picked, by its name in the address: its words, and its document in the grammar. Calendars are those of UTC.
TARGETS: dict[str, tuple[str, dict[str, Any]]] = {
    "1h": ("hours", {"window": "1h"}),
    "1d": ("days", {"window": "1d"}),
    "weekly": ("weeks", {"window": "weekly"}),
    "monthly": ("months", {"window": "monthly"}),
    "quarterly": ("quarters", {"window": "quarterly"}),
    "month_to_date": ("month to date", {"window": "month_to_date"}),
    "year_to_date": ("year to date", {"window": "year_to_date"}),
}
BASELINES: dict[str, tuple[str, Any]] = {
    "reference": ("the reference", "reference"),
    "previous": ("the window before", {"previous": 1}),
    "previous-7": ("the 7 windows before", {"previous": 7}),
    "same-weekday": ("the same weekday, 3 weeks", {"same_weekday": 3}),
    "prior-7d": ("7 days earlier", {"prior": "7d"}),
    "rolling-30d": ("the 30 days before", {"rolling": "30d"}),
    "year": ("the same days of last year", {"same_period_last": "year"}),
    "expanding": ("all that was before", "expanding"),
}
_COMPARED = (Family.DRIFT, Family.PERFORMANCE, Family.UNCERTAINTY)  # families whose measures are compared with any baseline


def with_picks(view: ModelView, monitor: Monitor, about: Measure, state: PageState) -> tuple[Window, Baseline | None]:
    """The window and the baseline that the state picks for readings that `monitor` would have otherwise. A baseline that does not fit the window is not taken."""
    contract, window, baseline = view.contract, monitor.window, monitor.baseline
    if (wanted := _window(state.target)) is not None and wanted.fits(contract.pane, contract.earliest):
        window = wanted
    if about.family in _COMPARED and not about.of_stream and (against := _baseline(state.baseline)) is not None:
        baseline = against
    if baseline is not None and not _fits(baseline, window, contract):
        usual = monitor.baseline if monitor.baseline is not None and _fits(monitor.baseline, window, contract) else about.usual_baseline
        baseline = usual or (Reference() if view.referenced and not about.of_stream else None)
    return window, baseline


def pickers(view: ModelView, monitor: Monitor, state: PageState) -> list[Component]:
    """The choices of window and baseline for the measure of a monitor; the first is what the monitor has."""
    about, contract = view.measures[monitor.measure], view.contract
    windows = [
        (name, words) for name, (words, _) in TARGETS.items() if (made := _window(name)) and made.fits(contract.pane, contract.earliest)
    ]
    shown = [
        piece.select("target", "Windows", state.target if state.target in TARGETS else "-", [("-", "as monitored"), *windows], "-", 160)
    ]
    if about.family not in _COMPARED or about.of_stream:
        return shown
    fit = [
        (name, words)
        for name, (words, _) in BASELINES.items()
        if (one := _baseline(name)) and _fits(one, monitor.window, contract) and (view.referenced or name != "reference")
    ]
    chosen = state.baseline if state.baseline in dict(fit) else "-"
    return [*shown, piece.select("baseline", "Compared with", chosen, [("-", "as monitored"), *fit], "-", 220)]


def _window(name: str) -> Window | None:
    return kinds.read(TARGETS[name][1]) if name in TARGETS else None


def _baseline(name: str) -> Baseline | None:
    return baselines.read(BASELINES[name][1]) if name in BASELINES else None


def _fits(baseline: Baseline, window: Window, contract: Contract) -> bool:
    try:
        baseline.check(window, contract.pane)
    except ConfigError:
        return False
    return True
