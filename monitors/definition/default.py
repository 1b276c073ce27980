"""The default monitors of a model."""

from __future__ import annotations

from core.contract import PREDICTION, Contract
from core.measure import Subject
from core.moment import DAY
from core.monitor import Monitor, Severity
from core.window.tumbling import Tumbling
from detectors.catalogue import MEASURES

PREFIX = "default-"


def defaults(contract: Contract) -> list[Monitor]:
    """One monitor for each usual measure that fits the contract: with severity `report`, without thresholds, for the segment `all`.

    Measures of columns watch the features and `@prediction`. A window is a day,
    or a pane if panes do not fit into a day evenly.
    """
    columns = (*(column.name for column in contract.features), PREDICTION)
    return [
        Monitor(
            name=PREFIX + measure.name,
            model=contract.model,
            measure=measure.name,
            columns=columns if measure.subject is Subject.COLUMN else (),
            window=Tumbling(DAY if DAY % contract.pane == 0 else contract.pane),
            baseline=measure.usual_baseline,
            severity=Severity.REPORT,
        )
        for measure in MEASURES.values()
        if measure.usual and measure.fits(contract)
    ]
