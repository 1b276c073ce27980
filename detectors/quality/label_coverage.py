"""Label coverage: the share of predictions that have a label."""

from __future__ import annotations

import msgspec

from core import duration
from core.contract import Contract
from core.measure import Measure, Need
from detectors.evidence import Labelling
from detectors.rate import rate_spec
from detectors.spec import Spec


class CoverageParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`wait`: how long after its end a window is evaluated, such as `2d`. Labels need time, so without it every new window has a low coverage."""

    wait: str | None = None


def _wait(params: CoverageParams) -> int:
    return 0 if params.wait is None else duration.parse(params.wait)


def _settle(params: CoverageParams, _contract: Contract) -> CoverageParams:
    return CoverageParams(duration.text(_wait(params)) if params.wait else None)


SPEC: Spec[Labelling, CoverageParams] = rate_spec(
    Measure(
        name="quality.label_coverage",
        title="Label coverage",
        formula="predictions with a label / n",
        unit="share",
        better=1,
        requires=(Need.LABELS,),
        tested=True,
    ),
    Labelling,
    lambda side: side.labelled,
    params=CoverageParams,
    settle=_settle,
    wait=_wait,
)
