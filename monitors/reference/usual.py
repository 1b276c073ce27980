"""The windows of the default monitors: as short as the rows of the reference allow, and whole days where rows follow a daily rhythm."""

from __future__ import annotations

import numpy as np

from core.block import Categories, Floats, Ints, Predictions
from core.classes import Classes
from core.contract import PREDICTION, Contract, UsualWindow
from core.moment import DAY, HOUR
from core.pane import slot_of
from core.window.tumbling import Tumbling
from detectors.summary.bins import bins
from monitors.reference.window import windows_of

_LENGTHS = (HOUR, 3 * HOUR, 6 * HOUR, DAY, 7 * DAY)
_WANTED, _LEAST = 1_000, 300  # rows a window
_MANY = 10  # windows
_SAMPLE = 100_000  # rows in which a rhythm is looked for
_VARIES = 0.1  # of rows by hour of the day the coefficient of variation, and Cramér's V of hour and bin


def usual_window(contract: Contract, block: Predictions) -> UsualWindow | None:
    """The window for a reference's rows; None if no length fits the panes. Without times it is a day, of an unknown number of rows.

    The shortest length with 1,000 rows on average; then the next shorter one with 300 rows, until the reference fills 10 windows.
    """
    timed = np.flatnonzero(block.ts != 0)
    if not len(timed):
        return UsualWindow(length=DAY, rows=0) if DAY % contract.pane == 0 else None
    slots = np.unique(slot_of(block.ts[timed], contract.pane))
    rate = len(timed) / (int(slots[-1]) + contract.pane - int(slots[0]))
    daily = int(slots[-1]) - int(slots[0]) >= 2 * DAY and _daily(contract, block.take(timed[:: max(1, len(timed) // _SAMPLE)]))
    lengths = [length for length in _LENGTHS if length % contract.pane == 0 and not (daily and length < DAY)]
    if not lengths:
        return None
    place = next((place for place, length in enumerate(lengths) if rate * length >= _WANTED), len(lengths) - 1)
    while place and rate * lengths[place - 1] >= _LEAST and windows_of(Tumbling(lengths[place]), slots, contract.pane)[1].sum() < _MANY:
        place -= 1
    return UsualWindow(length=lengths[place], rows=round(rate * lengths[place]))


def _daily(contract: Contract, block: Predictions) -> bool:
    """Whether the number of rows, or the values of a feature or of the prediction, depend on the hour of the day; of the last whole days."""
    first, last = int(block.ts.min()) // HOUR * HOUR, int(block.ts.max()) // HOUR * HOUR + HOUR
    block = block.take(np.flatnonzero(block.ts >= last - (last - first) // DAY * DAY))
    hour = block.ts % DAY // HOUR
    rows = np.bincount(hour, minlength=24)
    if rows.var() - rows.mean() > (_VARIES * rows.mean()) ** 2:  # a count's variance is its mean, if nothing else varies
        return True
    numbers, texts = iter(block.numbers), iter(block.texts)
    held: dict[str, Categories | Floats] = {column.name: next(numbers) if column.numeric else next(texts) for column in contract.columns}
    prediction = block.prediction
    held[PREDICTION] = Classes.of(contract).column(prediction) if isinstance(prediction, Categories) else prediction
    columns = (*contract.features, contract.column(PREDICTION))
    return any(_cramers_v(hour, bins(column, held[column.name]), column.bins) > _VARIES for column in columns)


def _cramers_v(hour: Ints, place: Ints, width: int) -> float:
    """Cramér's V of hour and bin without its bias (Bergsma 2013); 0 if either has one value."""
    table = np.bincount(hour * width + place, minlength=24 * width).reshape(24, width).astype(np.float64)
    table = table[np.ix_(table.any(1), table.any(0))]
    n, (hours, values) = table.sum(), table.shape
    if min(hours, values) < 2 or n < 2:
        return 0.0
    expected = table.sum(1, keepdims=True) * table.sum(0) / n
    squared = max(0.0, float(((table - expected) ** 2 / expected).sum() / n - (hours - 1) * (values - 1) / (n - 1)))
    least = min(size - (size - 1) ** 2 / (n - 1) for size in (hours, values)) - 1
    return float(np.sqrt(squared / least)) if least > 0 else 0.0
