"""The monitors of a model that has only a reference."""

from __future__ import annotations

from core.contract import PREDICTION, Contract
from core.measure import BUILT, Family
from core.moment import DAY
from core.monitor import Monitor, Severity

PREFIX = "default-"


def defaults(contract: Contract) -> list[Monitor]:
    """One monitor for each built measure that fits the contract: at severity `report`, without thresholds, on `all`.

    Measures of columns watch the features and `@prediction`; `performance.roc_auc` needs a model that sends scores. Windows are a day,
    or one pane where that does not fit in a day evenly.
    """
    columns = (*(column.name for column in contract.features), PREDICTION)
    return [
        Monitor(
            name=PREFIX + measure.name,
            model=contract.model,
            measure=measure.name,
            columns=columns if measure.columns else (),
            window=DAY if DAY % contract.pane == 0 else contract.pane,
            baseline="reference" if measure.family == Family.DRIFT else None,
            severity=Severity.REPORT,
        )
        for measure in BUILT.values()
        if contract.task in measure.tasks and (contract.scored or measure.name != "performance.roc_auc")
    ]
