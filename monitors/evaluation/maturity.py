"""How mature the labels of windows are: the share of predictions that have one by now, and how long these took."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from core.block import Floats
from core.span import Spans
from monitors.evidence import dense, labelling
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads

_NAMES = ("n", "delays", "delayed")
FIELDS = PaneFields(performance=frozenset(_NAMES))


class Maturity(NamedTuple):
    """The share of predictions with a label, and the mean of the labels' known delays in seconds; each (windows, segments), NaN where there is none."""

    coverage: Floats
    delay: Floats


def maturity(reads: Reads, extent: Extent, windows: Spans) -> Maturity:
    """The maturity of the labels of windows."""
    (held,) = labelling.read(reads, extent, "", [[windows]])
    table = reads.performance(extent, _NAMES)
    rows = dense.Rows(table, extent.cells, reads.scope.segments)
    count, total = (extent.pooled(rows.total(name), (windows,)) for name in _NAMES[1:])
    with np.errstate(invalid="ignore", divide="ignore"):
        return Maturity(np.where(held.n > 0, held.labelled / held.n, np.nan), np.where(count > 0, total / count, np.nan))
