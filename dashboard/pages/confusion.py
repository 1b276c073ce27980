"""The confusion matrix of a window: which class is taken for which, and how often?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from core import moment, text
from dashboard import components as piece
from dashboard import texts as word
from dashboard.ports import LabelledRows

MOST = 8  # classes with a row and a column of their own
REST = "other classes"

Cells = Mapping[tuple[str, str], int]


class Matrix(NamedTuple):
    """Rows by label and predicted class: `counts[i][j]` have label i and prediction j, both by their place in `classes`.

    The last class is `REST` if there were more than are shown: `left` of them are pooled there.
    """

    classes: list[str]
    counts: list[list[int]]
    left: int

    @staticmethod
    def of(cells: Cells, known: tuple[str, ...], most: int = MOST) -> Matrix:
        """The matrix of (prediction, label): the classes with most rows in the order of the contract, then others; the rest are pooled."""
        rows = Counter[str]()
        for (said, true), n in cells.items():
            rows[true] += n
            rows[said] += n if said != true else 0
        order = {name: place for place, name in enumerate(known)}
        every = sorted({*known, *rows}, key=lambda name: (order.get(name, len(order)), name))
        shown = every
        if len(every) > most:
            largest = {*sorted(every, key=lambda name: -rows[name])[:most]}
            shown = [name for name in every if name in largest]
        left = len(every) - len(shown)
        classes = [*shown, REST] if left else shown
        place = {name: index for index, name in enumerate(shown)}
        counts = [[0] * len(classes) for _ in classes]
        for (said, true), n in cells.items():
            counts[place.get(true, -1)][place.get(said, -1)] += n
        return Matrix(classes, counts, left)

    @property
    def right(self) -> int:
        """The rows on the diagonal; those of pooled classes are not known to be right."""
        return sum(self.counts[place][place] for place in range(len(self.classes) - (self.left > 0)))

    @property
    def worst(self) -> tuple[int, str, str] | None:
        """The largest confusion of two classes that are shown: rows, label, prediction. None if there is none."""
        shown = range(len(self.classes) - (self.left > 0))
        pairs = [(self.counts[true][said], self.classes[true], self.classes[said]) for true in shown for said in shown if true != said]
        found = max(pairs, key=lambda pair: pair[0], default=None)
        return found if found and found[0] else None


def confusion(labelled: LabelledRows, known: tuple[str, ...], window: tuple[int, int]) -> Component:
    """The card of the matrix."""
    title = f"Confusion matrix, {moment.period(*window)}"
    if not labelled.cells:
        why = "No prediction of this window has a label yet. The matrix is drawn as labels come; choose an earlier window to see one."
        return piece.card(title, piece.empty("No label", why))
    matrix = Matrix.of(labelled.cells, known)
    note = "A row is what was true, a column what was predicted: rows, and their share of the row. The diagonal is right."
    if matrix.left:
        note += f" {len(matrix.classes) - 1} classes with most rows; {word.count(matrix.left)} more are pooled, right or wrong."
    return piece.card(title, [html.P(_sentence(matrix, labelled), className="next"), _table(matrix, title)], note=note)


def _sentence(matrix: Matrix, labelled: LabelledRows) -> str:
    """What the matrix means."""
    said = f"{word.count(matrix.right)} of {word.count(labelled.n)} labelled rows ({word.share(matrix.right / labelled.n)}) were predicted right"
    if matrix.left:
        said += ", of the classes shown"
    if matrix.worst is None:
        return f"{said}; none of them for another class."
    n, true, predicted = matrix.worst
    whole = sum(matrix.counts[matrix.classes.index(true)])
    return (
        f"{said}; most often class {_class(true)} was taken for class {_class(predicted)}: {word.count(n)} of its {word.count(whole)} rows."
    )


def _class(name: str) -> str:
    return name if name == REST else text.unquote(name)


def _table(matrix: Matrix, caption: str) -> Component:
    """One row a true class; cells are shaded by their share of the row."""
    head = ("True class", *(word.cut(_class(name), 16) for name in matrix.classes), "n")
    rows = []
    for place, counts in enumerate(matrix.counts):
        whole = sum(counts)
        cells = [_cell(n, whole, right=place == said and matrix.classes[place] != REST) for said, n in enumerate(counts)]
        rows.append((piece.name(_class(matrix.classes[place]), 24), *cells, word.count(whole)))
    return html.Div(piece.table(head, rows, caption=caption, numbers=range(1, len(head))), className="matrix")


def _cell(n: int, whole: int, *, right: bool) -> Any:
    share = n / whole if whole else 0.0
    said = [html.Strong(word.count(n)), html.Span(word.share(share) if whole else word.NONE, className="under")]
    return html.Div(said, className="shade right" if right else "shade", style={"--share": f"{share:.3f}"})
