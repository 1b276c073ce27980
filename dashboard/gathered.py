"""The rows of the inbox: one for each group of open episodes, which filters narrow."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Self
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from core import moment
from core.episode import Episode, Level
from core.measure import Measures
from core.monitor import Monitor, Severity
from core.reading import Query
from core.segment import ALL
from dashboard import components as piece
from dashboard import texts as word
from dashboard.act import button
from dashboard.away import or_else
from dashboard.listed import Listed
from dashboard.pages.history import Choice
from dashboard.panel import ask, panel
from dashboard.person import person
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.subject import life, standing, subject
from dashboard.timing import timed

GROUPS = 20  # groups on a page
LISTED = 50  # episodes below the worst of a group
BEFORE = 30  # windows in a spark line before the episode's, and after it
_NAMED = 3  # monitors and models that a row names
_SEVERITIES = [one.value for one in sorted(Severity, key=lambda one: -one.rank)]
_EFFECT = "They are not escalated any more, and their group is not repeated once all of it is acknowledged. News are told all the same."


@dataclass(frozen=True)
class Narrowed(Listed):
    """The filters of the inbox: `mine` is what the reader owns, has acknowledged or was given; `all` shows what is acknowledged, too. `after` is the number of the page's first group."""

    PATH = ""

    severity: str = ""
    model: str = ""
    mine: str = ""
    all: str = ""

    def kept(self, opened: Sequence[Episode]) -> list[Episode]:
        """The episodes that fit."""
        who = person.get()
        return [
            one
            for one in opened
            if self.severity in ("", one.severity)
            and self.model in ("", one.model)
            and (not self.mine or who in {one.owner, one.handling.assigned_to, one.handling.acknowledged_by})
        ]

    def controls(self, opened: Sequence[Episode], extra: Sequence[Component] = ()) -> list[Any]:
        """The choices, and a chip for each filter that is set."""
        at = replace(self, after="")
        models = sorted({one.model for one in opened} | ({self.model} if self.model else set()))
        options = [("", "All models"), *((name, word.cut(name, 40)) for name in models)]
        return [
            html.Div(
                [
                    _choice("Whose", [("", "All"), ("1", "Mine")], at, "mine"),
                    _choice("Notifies", [("", "All"), *((one, one.capitalize()) for one in _SEVERITIES)], at, "severity"),
                    *extra,
                    *([piece.select("model", "Model", self.model, options)] if len(models) > 1 else []),
                ],
                className="controls",
            ),
            piece.chips(*(chip for chip in self._chips(at) if chip is not None)),
        ]

    def _chips(self, at: Self) -> list[tuple[str, str, str] | None]:
        return [
            ("Whose", "mine", replace(at, mine="").address) if self.mine else None,
            ("Notifies", self.severity, replace(at, severity="").address) if self.severity else None,
            ("Model", self.model, replace(at, model="").address) if self.model else None,
        ]


@dataclass(frozen=True)
class Taken(Narrowed):
    """The filters of the acknowledged ones."""

    PATH = "acknowledged"


def shows(at: Narrowed) -> Component:
    """Whether what is acknowledged is shown, too."""
    return _choice("State", [("", "Unacknowledged"), ("1", "All open")], replace(at, after=""), "all")


def taken(one: Episode) -> bool:
    """Whether somebody has acknowledged it."""
    return one.handling.acknowledged_by is not None


def groups(episodes: Sequence[Episode]) -> list[list[Episode]]:
    """Episodes by the group of the policy in which they were told, without one by model and monitor; the worst first, within a group and among them; what is
    acknowledged comes behind what is not.
    """

    def key(one: Episode) -> tuple[str, str, str]:
        return (one.decision.group, "", "") if one.decision.group else ("", one.model, one.monitor)

    ranked = sorted(episodes, key=lambda one: (key(one), _rank(one)))
    return sorted((list(group) for _, group in groupby(ranked, key=key)), key=lambda group: _rank(group[0]))


async def listed(reader: Reader, found: Sequence[Sequence[Episode]], monitors: Sequence[Monitor], at: Narrowed) -> list[Component]:
    """A page of groups, and the ways to the other pages."""
    first = int(at.after) if at.after.isascii() and at.after.isdigit() and len(at.after) < 9 else 0
    first = first // GROUPS * GROUPS if first < len(found) else 0
    shown = found[first : first + GROUPS]
    with timed("episodes"):
        lines, shares = await gather(_lines(reader, shown), _shares(reader, shown))
        facts = zip(shown, lines, shares, strict=True)
        drawn = await gather(
            *(panel(_group(reader, group, line, share, standing(group[0], monitors)), "an episode") for group, line, share in facts)
        )
    last = min(first + GROUPS, len(found))
    ways = [
        (piece.sign("◀", "Groups before"), replace(at, after=str(max(first - GROUPS, 0) or "")).address, False),
        (f"{first + 1} to {last} of {len(found)}", replace(at, after=str(first or "")).address, True),
        (piece.sign("▶", "Groups after"), replace(at, after=str(first + GROUPS if last < len(found) else first or "")).address, False),
    ]
    return [html.Div(drawn, className="episodes"), *([piece.choice("Groups", ways)] if len(found) > GROUPS else [])]


def _choice(name: str, options: Sequence[tuple[str, str]], at: Narrowed, field: str) -> Component:
    chosen = getattr(at, field)
    return piece.choice(name, [(words, replace(at, **{field: key}).address, key == chosen) for key, words in options])


def _rank(one: Episode) -> tuple[Any, ...]:
    """The sort key of an episode: what nobody has acknowledged, severity, level, `all` before segments, many rows before few, new before old."""
    return (taken(one), -one.severity.rank, one.level is not Level.CRITICAL, one.segment != ALL, -one.reading.n_target, -one.fired_at)


async def _group(reader: Reader, group: Sequence[Episode], line: Sequence[float | None], share: float | None, monitor: str) -> Component:
    """The worst episode of a group with its spark line, in the sentence of the group, and the others below it. `monitor` is the state of its monitor as a text, "" for none."""
    worst, measures = group[0], reader.measures
    about = measures[worst.measure]
    why = await ask(reader.told_as, group)
    side = [
        piece.line(line, f"{about.title} over the windows around it", zero=about.from_zero),
        html.Strong(word.number(worst.value)),
        html.Span(moment.period(worst.window_start, worst.window_end), className="faint"),
    ]
    return html.Article(
        [html.Div(_summary(group, measures, share, monitor, why)), html.Div(side, className="side"), _rest(group, measures)],
        className=f"episode {worst.level}",
    )


def _rest(group: Sequence[Episode], measures: Measures) -> Component | None:
    """The other episodes of a group."""
    others, worst = group[1:], group[0]
    if not others:
        return None
    of = "of this group" if worst.decision.group else "of this monitor"
    way = None if worst.decision.group else piece.link("All of this monitor", Choice("open", worst.model, worst.monitor).address)
    many = len(others) > LISTED
    return html.Details(
        [
            html.Summary(f"{len(others)} more {of}"),
            html.Ul([html.Li(_brief(one, measures, worst)) for one in others[:LISTED]]),
            *([html.P([f"{len(others) - LISTED} are not listed. ", way or ""])] if many else []),
        ]
    )


def _summary(group: Sequence[Episode], measures: Measures, share: float | None, monitor: str, why: str) -> list[Component]:
    """What happened, since when, why, and how much of the traffic is affected."""
    one = group[0]
    state = PageState(segment=one.segment, measure=one.measure, monitor=one.monitor, window=one.window_start)
    reach = "all traffic" if one.segment == ALL else f"{word.share(share)} of traffic" if share is not None else "traffic unknown"
    return [
        html.Div(
            [
                piece.badge(one.level),
                html.Span(f"notifies: {one.severity}", className="tag"),
                *([html.Span(monitor, className="tag")] if monitor else []),
                *_marks(group),
                *([html.Span(f"not told: {one.decision.suppressed}", className="tag")] if one.decision.suppressed else []),
                html.Span(life(one), className="faint"),
            ],
            className="line",
        ),
        html.H2(piece.link(piece.name(subject(one, measures), 100), address("alerts", one.id))),
        html.P(why, className="why"),
        html.P(
            [piece.link(piece.name(one.model), address("models", one.model, state=state)), f" · {_names(group)} · {reach}"],
            className="faint",
        ),
        *_acknowledge(group),
    ]


def _names(group: Sequence[Episode]) -> str:
    """The monitors of a group, and its other models."""
    monitors = list(dict.fromkeys(one.monitor for one in group))
    models = [name for name in dict.fromkeys(one.model for one in group) if name != group[0].model]
    also = (
        [f"also {', '.join(models[:_NAMED])}" + (f" and {len(models) - _NAMED} more models" if len(models) > _NAMED else "")]
        if models
        else []
    )
    more = f" and {len(monitors) - _NAMED} more" if len(monitors) > _NAMED else ""
    return word.cut(" · ".join([", ".join(monitors[:_NAMED]) + more, *also]), 160)


def _marks(group: Sequence[Episode]) -> list[Component]:
    """What people have done about the worst of a group, and how many of it are acknowledged."""
    done = sum(map(taken, group))
    said = [*word.handling(group[0].handling), *([f"{done} of {len(group)} acknowledged"] if 0 < done < len(group) else [])]
    return [html.Span(one, className="tag") for one in said]


def _acknowledge(group: Sequence[Episode]) -> list[Component]:
    """A button that acknowledges what was told as a group."""
    name = group[0].decision.group
    if not name or all(map(taken, group)):
        return []
    counted = "episode of the group would be acknowledged|episodes of the group would be acknowledged"
    path = f"/v1/groups/{quote(name, safe='')}/acknowledge"
    label = "Acknowledge" if len(group) == 1 else "Acknowledge the group"
    return [html.P(button(label, path, {}, _EFFECT, dry=True, counted=counted, says=f"{label} {name}"))]


async def _lines(reader: Reader, shown: Sequence[Sequence[Episode]]) -> Sequence[Sequence[float | None]]:
    """For each group, the values around the window of its worst episode; none where they cannot be read."""
    return await or_else([()] * len(shown), ask(reader.lines, [_around(group[0]) for group in shown]))


def _around(one: Episode) -> Query:
    """The windows in the spark line of an episode."""
    length = one.window_end - one.window_start
    return Query(
        model=one.model,
        monitor=one.monitor,
        measure=one.measure,
        column=one.column,
        segment=one.segment,
        start=one.window_end - BEFORE * length,
        end=one.window_end + BEFORE * length,
        limit=BEFORE * 2,
    )


async def _shares(reader: Reader, shown: Sequence[Sequence[Episode]]) -> list[float | None]:
    """For each group, the share of its worst episode's segment in the model's traffic of the window; None if no event came, or if that cannot be read."""
    sliced = {(one.model, one.segment, one.window_start, one.window_end) for one in (group[0] for group in shown) if one.segment != ALL}
    asked = list(sliced | {(model, ALL, start, end) for model, _, start, end in sliced})
    counts = dict(zip(asked, await or_else([0] * len(asked), ask(reader.counts, asked)), strict=True)) if asked else {}

    def share(one: Episode) -> float | None:
        if one.segment == ALL:
            return 1.0
        mine, whole = (counts[one.model, segment, one.window_start, one.window_end] for segment in (one.segment, ALL))
        return mine / whole if whole else None

    return [share(group[0]) for group in shown]


def _brief(one: Episode, measures: Measures, worst: Episode) -> list[Any]:
    """An episode of a group, with its model if that is another one than that of the worst."""
    of = f" of {word.cut(one.model, 40)}" if one.model != worst.model else ""
    return [
        piece.badge(one.level),
        " ",
        piece.link(piece.name(subject(one, measures), 60), address("alerts", one.id)),
        html.Span(
            f"{of} {word.number(one.value)}, {moment.period(one.window_start, one.window_end)}" + (" · acknowledged" if taken(one) else ""),
            className="faint",
        ),
    ]
