"""Small contracts and blocks that tests draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from core import moment
from core.block import Categories, Floats, Outcomes, Predictions
from core.contract import LABEL, PREDICTION, SCORE, Column, Contract, Dimension, Kind, Task
from core.region import intervals

CARRIERS = ("UA", "DL", "AA", "null", "invalid", "%6Fther", "zz")
TASKS = st.sampled_from(list(Task))


def contract(task: Task) -> Contract:
    """A model with one numeric and two categorical features, one tag, and a cross."""
    output = (
        Column(name=PREDICTION, kind=Kind.NUMERIC, edges=(0.0, 2.0), tails=(-1.0, 3.0))
        if task == Task.REGRESSION
        else Column(name=PREDICTION, kind=Kind.CATEGORICAL, categories=("0", "1"))
    )
    score = (Column(name=SCORE, kind=Kind.NUMERIC, edges=(0.25, 0.5), tails=(0.1, 0.9)),) if task == Task.BINARY else ()
    label = Column(**{name: getattr(output, name) for name in ("kind", "edges", "tails", "categories")}, name=LABEL)
    return Contract(
        model="m",
        version=1,
        task=task,
        features=(
            Column(name="x", kind=Kind.NUMERIC, edges=(-1.0, 0.0, 1.0), tails=(-2.0, 2.0), range=(-2.5, 1.0)),
            Column(name="carrier", kind=Kind.CATEGORICAL, categories=("UA", "DL"), others=("AA",)),
        ),
        tags=(Column(name="origin", kind=Kind.CATEGORICAL),),
        outputs=(output, *score, label),
        dimensions=(Dimension(name="carrier", values=("UA", "DL")), Dimension(name="origin", values=("UA",))),
        crosses=(("carrier", "origin"),),
        classes=() if task == Task.REGRESSION else ("0", "1"),
        scored=task != Task.REGRESSION,
        score_edges={Task.BINARY: ((0.25, 0.5),), Task.MULTICLASS: ((0.5,), (0.125, 0.5, 0.75))}.get(task, ()),
    )


def numbers(values: list[float]) -> Floats:
    return np.array(values, np.float64)


def number() -> st.SearchStrategy[float]:
    """Numbers whose sums are exact; NaN and infinity among them."""
    return st.one_of(st.integers(-12, 12).map(lambda n: n / 4), st.sampled_from([np.nan, np.inf]))


def score() -> st.SearchStrategy[float]:
    return st.one_of(st.integers(0, 16).map(lambda n: n / 16), st.just(np.nan))


def _texts(draw: Any, rows: int, texts: tuple[str, ...]) -> Categories:
    return Categories.of(draw(st.lists(st.sampled_from(texts), min_size=rows, max_size=rows)))


def _numbers(draw: Any, rows: int, one: st.SearchStrategy[float]) -> Floats:
    return numbers(draw(st.lists(one, min_size=rows, max_size=rows)))


def _ts(draw: Any, rows: int) -> Any:
    hours = st.sampled_from([-moment.HOUR, -1, 0, 1, moment.HOUR, 10**6 * moment.HOUR])
    return np.array(draw(st.lists(hours, min_size=rows, max_size=rows)), np.int64)


@st.composite
def predictions(draw: Any, task: Task) -> Predictions:
    """A few predictions, in several slots, versions and roles."""
    rows = draw(st.integers(0, 12))
    return Predictions(
        id=np.full(rows, "", np.object_),
        ts=_ts(draw, rows),
        version=_texts(draw, rows, ("1", "2")),
        role=_texts(draw, rows, ("champion", "shadow")),
        prediction=_numbers(draw, rows, number()) if task == Task.REGRESSION else _texts(draw, rows, ("1", "0", "new", "null")),
        score=_numbers(draw, rows, score()),
        probabilities=_numbers(draw, 2 * rows, score()).reshape(rows, 2) if task == Task.MULTICLASS else None,
        numbers=(_numbers(draw, rows, number()),),
        texts=(_texts(draw, rows, CARRIERS), _texts(draw, rows, CARRIERS)),
        extra=np.full(rows, "", np.object_),
        position=np.zeros(rows, np.int64),
        row=np.arange(rows),
        logged=np.zeros(rows, np.int64),
    )


@st.composite
def outcomes(draw: Any, task: Task) -> Outcomes:
    """A few outcomes, in several slots, versions and roles."""
    rows = draw(st.integers(0, 12))
    classes = ("0", "1", "new")
    return Outcomes(
        ts=_ts(draw, rows),
        version=_texts(draw, rows, ("1", "2")),
        role=_texts(draw, rows, ("champion", "shadow")),
        dimensions={name: _texts(draw, rows, CARRIERS) for name in ("carrier", "origin")},
        prediction=_numbers(draw, rows, number()) if task == Task.REGRESSION else _texts(draw, rows, classes),
        label=_numbers(draw, rows, number()) if task == Task.REGRESSION else _texts(draw, rows, classes),
        score=_numbers(draw, rows, score()),
        probabilities=_numbers(draw, 2 * rows, score()).reshape(rows, 2) if task == Task.MULTICLASS else None,
        **_regions(draw, task, rows),
    )


def _regions(draw: Any, task: Task, rows: int) -> dict[str, Any]:
    """Prediction intervals or sets; some rows have none."""
    if task == Task.REGRESSION:
        members = _numbers(draw, 3 * rows, number()).reshape(rows, 3)
        members = np.where(np.isinf(members).any(axis=1, keepdims=True), np.nan, np.sort(members, axis=1))  # NaN is sorted behind the last
        return {"interval": intervals(_numbers(draw, rows, number()), _numbers(draw, rows, number())), "ensemble": members}
    members = _numbers(draw, 2 * rows, st.sampled_from([0.0, 1.0])).reshape(rows, 2)
    return {"sets": np.where(_numbers(draw, rows, score())[:, None] < 0.1, np.nan, members)}


def concat(a: Outcomes, b: Outcomes) -> Outcomes:
    """Both blocks as one."""

    def joined(one: Any, two: Any) -> Any:
        if isinstance(one, dict):
            return {name: joined(one[name], two[name]) for name in one}
        if isinstance(one, Categories):
            return Categories.concat([one, two])
        if isinstance(one, tuple):
            return tuple(joined(*pair) for pair in zip(one, two, strict=True))
        return None if one is None else np.concatenate([one, two])

    return Outcomes(*(joined(getattr(a, name), getattr(b, name)) for name in Outcomes.__dataclass_fields__))
