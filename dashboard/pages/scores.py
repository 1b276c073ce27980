"""What the scores of a window's labelled rows tell: ROC, precision and recall, lift, calibration, and where to cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import moment, text
from core.contract import Contract
from dashboard import components as piece
from dashboard import texts as word
from dashboard.cut import Cut, Group, cuts, groups, nearest
from dashboard.figure import colour
from dashboard.figure.curve import Line, curve
from dashboard.graph import graph
from dashboard.ports import LabelledRows, ScoreBins
from dashboard.state import PageState

_USUAL = 0.5  # the score of the cut that is shown first
_LABELS = (0.01, 0.1, 0.5, 0.9, 0.99)  # scores that are written below the slider
_SHARE = 0.1  # of the rows with the highest scores, whose lift is told


def scores(labelled: LabelledRows, of: Contract, state: PageState, window: tuple[int, int]) -> list[Component]:
    """The cards: the curves, and the explorer of thresholds."""
    title = f"Scores, {moment.period(*window)}"
    if not of.scored:
        why = "The model sends no scores. Events with `score`, or with a probability for each class, give ROC, precision and recall, lift and calibration."
        return [piece.card(title, piece.empty("No scores", why))]
    held = {name: bins for name, bins in labelled.scores.items() if sum(bins.own) + sum(bins.others)}
    if not held:
        return [
            piece.card(
                title, piece.empty("No labelled score", "No row of this window has both a label and a score; choose an earlier one.")
            )
        ]
    there = {name: bins for name, bins in held.items() if sum(bins.own) and sum(bins.others)}
    if not there:
        why = "Curves need labelled rows of a class, and of others; choose another window, or all traffic."
        return [piece.card(title, piece.empty("All labels are alike", why))]
    name = state.positive if state.positive in there else next(iter(there))
    bins, shown = there[name], f"class {text.unquote(name)}"
    choice = (
        [piece.select("positive", "Class", name, [(one, text.unquote(one)) for one in there], next(iter(there)))] if len(there) > 1 else []
    )
    found = cuts(bins)
    usual = nearest(bins, _USUAL)
    at = state.bin if state.bin is not None and state.bin < len(found) else usual
    where = f"{shown}, {moment.period(*window)}"
    return [_explorer(found, at, usual, shown, where, choice), _curves(found, found[at], bins, shown, where)]


def reliability(scores: Mapping[str, ScoreBins], state: PageState, window: tuple[int, int]) -> Component | None:
    """Whether scores are the chances that they claim to be, of one class; None if no labelled row has a score."""
    there = {name: bins for name, bins in scores.items() if sum(bins.own) + sum(bins.others)}
    if not there:
        return None
    name = state.positive if state.positive in there else next(iter(there))
    pictures = _reliability(groups(there[name]), f"class {text.unquote(name)}")
    return piece.card(f"Reliability, {moment.period(*window)}", html.Div(pictures, className="pictures")) if pictures else None


def _explorer(found: list[Cut], at: int, usual: int, shown: str, where: str, choice: list[Component]) -> Component:
    """The slider over score bins, what its cut gives, and what others would give."""
    cut = found[at]
    facts = piece.figures(
        ("Precision", word.number(cut.precision), f"{word.count(cut.right)} of the {word.count(cut.taken)} taken are of {shown}"),
        (
            "Recall",
            word.number(cut.recall),
            f"{word.count(cut.right)} of the {word.count(cut.right + cut.missed)} rows of {shown} are taken",
        ),
        ("F1", word.number(cut.f1), _best(found)),
        ("Alerts", word.count(cut.taken), f"{word.share(cut.share or 0.0)} of {word.count(cut.n)} labelled rows with a score"),
    )
    sentence = (
        f"If rows with a score from {word.number(cut.score)} on are taken for {shown}, {word.count(cut.taken)} are: {word.count(cut.right)} rightly and "
        f"{word.count(cut.wrong)} wrongly, and {word.count(cut.missed)} are missed."
    )
    low, high = _reach(found)
    x, said = [one.score for one in found], [_said(one) for one in found]
    lines = [
        Line("Alerts, share of rows", x, [one.share for one in found], said, colour.VOLUME, area=True),
        Line("Precision", x, [one.precision for one in found], said),
        Line("Recall", x, [one.recall for one in found], said, colour.INK, "dash"),
        Line("F1", x, [one.f1 for one in found], said, colour.QUIET, "dot"),
    ]
    figure = curve(lines, x="score from which a row is taken", y="share", span=((low, high), (0, 1.02)), cut=cut.score, height=320)
    place = f"Score from {word.number(cut.score)}: edge {at + 1} of {len(found)} of the score bins."
    slider = piece.slider("bin", "Score bin of the cut", at, len(found) - 1, usual, _marks(found))
    return piece.card(
        f"Threshold explorer: {where}",
        [*choice, html.P(sentence, className="next"), slider, html.P(place, className="faint"), facts, graph("explorer", figure, sentence)],
        note="Move the slider, also with the arrow keys. It changes nothing but this page; predictions stay as they were sent.",
    )


def _best(found: list[Cut]) -> str:
    best = max((one for one in found if one.f1 is not None), key=lambda one: one.f1 or 0.0, default=None)
    return "" if best is None else f"the largest is {word.number(best.f1)}, from {word.number(best.score)}"


def _said(cut: Cut) -> str:
    return (
        f"score from {word.number(cut.score)}<br>precision {word.number(cut.precision)}, recall {word.number(cut.recall)}, F1 {word.number(cut.f1)}"
        f"<br>{word.count(cut.taken)} alerts of {word.count(cut.n)}"
    )


def _reach(found: list[Cut]) -> tuple[float, float]:
    """The scores from the last cut that takes all rows to the first that takes none."""
    low = max((one.score for one in found if one.taken == one.n), default=found[0].score)
    high = min((one.score for one in found if not one.taken), default=found[-1].score)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _marks(found: list[Cut]) -> list[tuple[int, str]]:
    """Places of the slider with their scores."""
    edges = [one.score for one in found]
    places = {min(range(len(edges)), key=lambda place: abs(edges[place] - score)): score for score in _LABELS}
    return [(place, word.number(edges[place])) for place in places]


def _curves(found: list[Cut], cut: Cut, bins: ScoreBins, shown: str, where: str) -> Component:
    """ROC, precision against recall, lift, and calibration."""
    whole = [_all(cut), *found, _none(cut)]
    base = (cut.right + cut.missed) / cut.n
    pictures = [_roc(whole, cut, shown), _precision(whole, cut, base, shown), _lift(whole, cut, shown), *_reliability(groups(bins), shown)]
    return piece.card(
        f"Curves: {where}",
        html.Div(pictures, className="pictures"),
        note=f"C{shown[1:]} against all others, from score bins: exact at their edges, straight between. The diamond is the cut of the explorer; dashed is chance.",
    )


def _all(cut: Cut) -> Cut:
    """The cut below all scores."""
    return Cut(float("-inf"), cut.right + cut.missed, 0, cut.wrong + cut.rejected, 0)


def _none(cut: Cut) -> Cut:
    """The cut above all scores."""
    return Cut(float("inf"), 0, cut.right + cut.missed, 0, cut.wrong + cut.rejected)


def _picture(name: str, title: str, sentence: str, figure: Any) -> Component:
    return html.Div([html.H3(title), html.P(sentence), graph(name, figure, sentence)], className="picture")


def _roc(found: list[Cut], cut: Cut, shown: str) -> Component:
    sentence = f"The cut finds {word.share(cut.recall or 0.0)} of the rows of {shown}, and takes {word.share(cut.fall_out or 0.0)} of the others by mistake."
    line = Line("ROC", [one.fall_out for one in found], [one.recall for one in found], [_said(one) for one in found])
    chance = Line("Chance", [0, 1], [0, 1], paint=colour.BASELINE, dash="dash")
    return _picture("roc", "ROC", sentence, curve([chance, line], x="share of others taken", y="recall", point=(cut.fall_out, cut.recall)))


def _precision(found: list[Cut], cut: Cut, base: float, shown: str) -> Component:
    right = "nothing is taken at this cut" if cut.precision is None else f"{word.share(cut.precision)} of what the cut takes is of {shown}"
    sentence = f"{right[0].upper()}{right[1:]}; of all rows {word.share(base)} are."
    line = Line("Precision", [one.recall for one in found], [one.precision for one in found], [_said(one) for one in found])
    chance = Line("Chance", [0, 1], [base, base], paint=colour.BASELINE, dash="dash")
    figure = curve([chance, line], x="recall", y="precision", point=(cut.recall, cut.precision))
    return _picture("precision", "Precision and recall", sentence, figure)


def _lift(found: list[Cut], cut: Cut, shown: str) -> Component:
    near = min((one for one in found if one.taken), key=lambda one: abs((one.share or 0.0) - _SHARE))
    sentence = f"The {word.share(near.share or 0.0)} of the rows with the highest scores hold {word.number(near.lift)} times as many rows of {shown} as so many drawn at random."
    lifts = [one.lift for one in found]
    line = Line("Lift", [one.share for one in found], lifts, [f"lift {word.number(one.lift)}<br>{_said(one)}" for one in found])
    chance = Line("Chance", [0, 1], [1, 1], paint=colour.BASELINE, dash="dash")
    top = 1.08 * max(1.0, *(lift for lift in lifts if lift is not None))
    figure = curve([chance, line], x="share of rows, highest scores first", y="lift", span=((0, 1), (0, top)), point=(cut.share, cut.lift))
    return _picture("lift", "Lift", sentence, figure)


def _reliability(found: list[Group], shown: str) -> list[Component]:
    """Whether scores are the chances that they claim to be; nothing if they are no probabilities."""
    if any(not 0 <= one.score <= 1 for one in found):
        return []
    worst = max(found, key=lambda one: one.n * abs(one.share - one.score))
    sentence = f"Furthest off: where the score is about {word.number(worst.score)}, {word.share(worst.share)} of {word.count(worst.n)} rows are of {shown}."
    said = [f"mean score {word.number(one.score)}<br>{word.share(one.share)} of {word.count(one.n)} rows are of {shown}" for one in found]
    line = Line("Calibration", [one.score for one in found], [one.share for one in found], said, dots=True)
    exact = Line("As the score says", [0, 1], [0, 1], paint=colour.BASELINE, dash="dash")
    figure = curve([exact, line], x="mean score", y=f"share of {word.cut(shown, 16)}")
    return [_picture("reliability", "Calibration of scores", sentence, figure)]
