"""The filters of a page. Each of them is a link to another state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import bin_text, moment
from core.monitor import Monitor
from core.segment import ALL, grouping_of
from core.window.tumbling import Tumbling
from dashboard import components as piece
from dashboard import texts as word
from dashboard.period import period
from dashboard.picked import BASELINES, TARGETS
from dashboard.series import Series, has
from dashboard.state import RANGES, PageState, address
from dashboard.then import NOTE
from dashboard.view_model import ModelView

_ANY = "all"  # in a list of versions: all of them; no version is called so
Here = Callable[[PageState], str]


def step_of(view: ModelView, state: PageState) -> int:
    """The length of windows in which the bar steps, in microseconds: those of the chosen monitor, else of most monitors."""
    monitors = [one for one in view.monitors if isinstance(one.window, Tumbling) and state.monitor in ("", one.name)]
    found = Counter(one.window.step for one in monitors).most_common(1)
    return found[0][0] if found else moment.DAY


def controls(view: ModelView, state: PageState, here: Here, *, computed: bool = False, any_cross: bool = False) -> list[Any]:
    """The bar that stays in sight on every page of a model: segment, period and window, and the filters that are set.

    `computed`: the page computes measures that no monitor takes. `any_cross`: it knows the crosses of all dimensions, also those that the contract does not declare.
    """
    absolute = state.start is not None or state.end is not None
    shown = period(view.row, state, Tumbling(moment.DAY))
    moved = not absolute and shown != period(view.row, state.but(window=None), Tumbling(moment.DAY))
    ranges = [
        (label, here(state.but(range=key, start=None, end=None)), not absolute and not moved and state.range == key)
        for key, label in RANGES.items()
    ]
    back = piece.link("◀ Back to the episode", address("alerts", state.episode), name="back") if state.episode else None
    bar = [
        piece.select("segment", "Segment", state.segment, segments(view, state, any_cross=any_cross), ALL),
        versions("version", "Version", state.version, view),
        piece.choice("Period", ranges),
        _window(view, state, here),
        _dates(state),
        back,
    ]
    chips = piece.chips(
        *_filters(state, here),
        *([("Period", f"{word.stretch(shown.start, shown.end)}, around the window", here(state.but(window=None)))] if moved else []),
    )
    return [
        piece.notice([*state.notices, *_unknown(view, state, computed=computed)]),
        _as_known(state),
        html.Div([html.Div([part for part in bar if part is not None], className="controls"), chips], className="kept"),
    ]


def versions(key: str, label: str, chosen: str, view: ModelView, usual: str = "All versions") -> Component | None:
    """A list of the model's versions, which sets `key` of the address; None where there is nothing to choose."""
    there = sorted({*view.model_versions, chosen} - {""})
    if len(there) < 2 and not chosen:
        return None
    return piece.select(key, label, chosen or _ANY, [(_ANY, usual), *((one, one) for one in there)], _ANY, 140)


def segments(view: ModelView, state: PageState, *, any_cross: bool = False) -> list[tuple[str, str]]:
    """All traffic; the segments within the chosen one; all others, those of one dimension first."""
    chosen = set(state.segment.split(",")) - {ALL}
    there = {*view.segments, state.segment}
    if any_cross and chosen:
        free = {one for one in view.segments if len(grouping_of(one)) == 1 and grouping_of(one)[0] not in grouping_of(state.segment)}
        there |= {f"{state.segment},{one}" for one in free - {ALL}}
    others = sorted(there - {ALL}, key=lambda segment: (len(grouping_of(segment)), segment))
    within = [segment for segment in others if chosen and chosen < set(segment.split(","))]
    added = [
        (segment, "and " + ", ".join(bin_text.of_slice(part) for part in segment.split(",") if part not in chosen)) for segment in within
    ]
    return [(ALL, "All traffic"), *added, *((segment, bin_text.of_slice(segment)) for segment in others if segment not in within)]


def _window(view: ModelView, state: PageState, here: Here) -> Component | None:
    """Links to the window before and after the selected one."""
    if view.row.last_ts is None or view.row.first_ts is None:
        return None
    step = step_of(view, state)
    last = (view.row.last_ts + 1) // step * step - step  # the newest that is over
    at = last if state.window is None else state.window // step * step
    before, after = (min(max(to, view.row.first_ts // step * step), max(last, at)) for to in (at - step, at + step))
    said = "Newest" if state.window is None else moment.period(at, at + step)
    return piece.choice(
        "Window",
        [
            (piece.sign("◀", "Window before"), here(state.but(window=before)), False),
            (said, here(state), state.window is not None),
            (piece.sign("▶", "Window after"), here(state.but(window=None if state.window is None else after)), False),
        ],
    )


def _dates(state: PageState) -> Component:
    """Fields for the first and the last time of the period, and for the time whose knowledge is shown."""
    fields = [
        piece.search(key, label, "" if at is None else moment.text(at), hint="2013-07-01", width=190)
        for key, label, at in (("from", "From (UTC)", state.start), ("to", "To (UTC), not included", state.end))
    ]
    then = "" if state.as_of is None else moment.text(state.as_of)
    fields.append(piece.search("as_of", "As known on (UTC)", then, hint="now", width=190))
    return html.Details([html.Summary("Dates"), html.Div(fields, className="dates")], className="drop")


def _unknown(view: ModelView, state: PageState, *, computed: bool) -> list[str]:
    """The names in the address that the model does not have, for example after a monitor was removed. The page then shows something else. What only events tell is left out where they cannot be read."""
    model = word.cut(view.row.model)
    counted = [
        ("version", state.version, set(view.model_versions), f"{model} has no predictions of version"),
        ("by", state.by, {"*".join(grouping) for grouping in view.groupings}, f"{model} has no segments by"),
    ]
    there = [
        ("monitor", state.monitor, {one.name for one in view.monitors}, f"{model} has no monitor"),
        (
            "measure",
            state.measure,
            {*(view.measures if computed else ()), *(one.measure for one in view.monitors)},
            "no monitor takes the measure",
        ),
        ("target", state.target, set(TARGETS), "there are no windows"),
        ("baseline", state.baseline, set(BASELINES), "there is no baseline"),
        *(counted if view.row.known else []),
    ]
    return [f"{key}: {said} {word.cut(name)}" for key, name, known, said in there if name and name not in known]


def _as_known(state: PageState) -> Component | None:
    """What the page says while it shows what was known earlier."""
    if state.as_of is None:
        return None
    made: Component = html.Div(html.P(f"As known on {word.instant(state.as_of)}. {NOTE}"), className="notice", role="status")
    return made


def _filters(state: PageState, here: Here) -> list[tuple[str, str, str]]:
    filters = []
    if state.segment != ALL:
        parts = state.segment.split(",")
        for part in parts:  # each can be left out of a cross
            rest = ",".join(other for other in parts if other != part)
            filters.append(("Segment", bin_text.of_slice(part), here(state.but(segment=rest or ALL))))
    for key, words, known in (("target", "Windows", TARGETS), ("baseline", "Compared with", BASELINES)):
        if (name := getattr(state, key)) in known:
            filters.append((words, known[name][0], here(state.but(**{key: ""}))))
    if state.version:
        filters.append(("Version", state.version, here(state.but(version=""))))
    if state.window is not None:
        filters.append(("Window at", word.instant(state.window), here(state.but(window=None))))
    if state.as_of is not None:
        filters.append(("As known on", word.instant(state.as_of), here(state.but(as_of=None))))
    if state.start is not None or state.end is not None:
        ends = ("from", state.start), ("to", state.end)
        said = " ".join(f"{side} {word.instant(at)}" for side, at in ends if at is not None)
        filters.append(("Period", said, here(state.but(start=None, end=None))))
    return filters


def _monitors(monitors: Sequence[Monitor], chosen: Monitor, state: PageState, here: Here) -> Any:
    """Links to the other monitors of the same measure; None if there is only one."""
    same = [monitor for monitor in monitors if monitor.measure == chosen.measure]
    if len(same) < 2:
        return None
    return piece.choice(
        "Monitor", [(monitor.name, here(state.but(measure=monitor.measure, monitor=monitor.name)), monitor is chosen) for monitor in same]
    )


def choices(
    names: Iterable[str], chosen: Monitor, view: ModelView, state: PageState, here: Here, column: str = "", more: Sequence[Any] = ()
) -> Component:
    """Links to the other measures, and to the other monitors of the chosen one; to those that watch `column` if one is given. `more` comes after them."""
    names = list(names)
    monitors = [one for one in view.monitors if has(one, column)]
    tabs = (
        piece.choice(
            "Measure", [(view.measures[name].title, here(state.but(measure=name, monitor="")), name == chosen.measure) for name in names]
        )
        if len(names) > 1
        else None
    )
    return html.Div([tabs, _monitors(monitors, chosen, state, here), *more], className="controls")


def windows(shown: Series, slot: int | None, state: PageState, here: Here) -> Component | None:
    """Links to the windows with a reading before and after the selected one. They do for the keyboard what a click in the chart does."""
    if slot is None:
        return None
    there = [index for index, verdict in enumerate(shown.verdict) if verdict]
    before = max((index for index in there if index < slot), default=slot)
    after = min((index for index in there if index > slot), default=slot)

    def to(index: int) -> str:
        return here(state.but(window=shown.time(index)))

    steps = [("◀ Earlier", to(before), False), (moment.period(*shown.window(slot)), to(slot), True), ("Later ▶", to(after), False)]
    return piece.choice("Window", steps)
