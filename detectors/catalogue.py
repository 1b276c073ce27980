"""The list of all measures. A new measure is a file in the folder of its family, and a line in `SPECS`."""

from __future__ import annotations

from difflib import get_close_matches

from core.error import ConfigError
from core.measure import USER, Measures
from detectors.change import chart, harmful, river
from detectors.compare import difference
from detectors.drift import (
    chi2,
    correlation,
    domain_classifier,
    embedding,
    hellinger,
    js,
    ks,
    mmd,
    psi,
    quantile_shift,
    share_drifted,
    tail_share,
    total_variation,
    wasserstein,
    weighted,
)
from detectors.drift import mean_variance as moment
from detectors.explain import drift as attribution_drift
from detectors.explain import influence
from detectors.fairness import calibration as group_calibration
from detectors.fairness import disparity, numbers, rates, selection
from detectors.performance import (
    accuracy,
    agreement,
    curve,
    estimated,
    estimated_error,
    f_score,
    max_error,
    mean_error,
    quantile_loss,
    r2,
    relative_error,
    roc_auc,
    score_loss,
    top_k_accuracy,
    value,
)
from detectors.performance import rate as performance_rate
from detectors.performance.delay_corrected import delay_corrected
from detectors.quality import distinct, freshness, label_coverage, label_delay, out_of_range_rate, rate, schema_changes, stream, volume
from detectors.service import availability, latency, throughput
from detectors.spec import AnySpec
from detectors.uncertainty import adaptive, bound_loss, calibration, coverage, ensemble, mean, pit
from detectors.user import measure as user
from detectors.weighted import weighted as by_weight

_OF_ROWS: tuple[AnySpec, ...] = (
    accuracy.SPEC,
    f_score.F1,
    f_score.FBETA,
    *performance_rate.SPECS,
    *agreement.SPECS,
    value.SPEC,
    top_k_accuracy.SPEC,
    roc_auc.SPEC,
    roc_auc.GINI,
    *score_loss.SPECS,
    *mean_error.SPECS,
    *relative_error.SPECS,
    r2.SPEC,
    quantile_loss.SPEC,
    curve.PR_AUC,
)
_WEIGHTED = tuple(by_weight(one) for one in _OF_ROWS)
SPECS: tuple[AnySpec, ...] = (
    *rate.SPECS,
    out_of_range_rate.SPEC,
    *distinct.SPECS,
    label_coverage.SPEC,
    label_delay.SPEC,
    *stream.SPECS,
    freshness.SPEC,
    volume.SPEC,
    schema_changes.SPEC,
    psi.SPEC,
    psi.KL,
    js.SPEC,
    hellinger.SPEC,
    total_variation.SPEC,
    total_variation.LINF,
    chi2.SPEC,
    ks.SPEC,
    wasserstein.SPEC,
    moment.MEAN_SHIFT,
    moment.VARIANCE_RATIO,
    quantile_shift.SPEC,
    tail_share.SPEC,
    share_drifted.SPEC,
    weighted.SPEC,
    embedding.SPEC,
    mmd.SPEC,
    correlation.SPEC,
    domain_classifier.SPEC,
    *_WEIGHTED,
    delay_corrected({one.about.name: one for one in _WEIGHTED}),
    curve.LIFT,
    max_error.SPEC,
    *estimated.SPECS,
    *estimated_error.SPECS,
    *mean.SPECS,
    ensemble.SPEC,
    *coverage.SPECS,
    adaptive.SPEC,
    pit.SPEC,
    bound_loss.SPEC,
    *calibration.SPECS,
    *selection.SPECS,
    *rates.SPECS,
    *numbers.SPECS,
    group_calibration.SPEC,
    disparity.SPEC,
    *river.SPECS,
    *chart.SPECS,
    harmful.SPEC,
    *latency.SPECS,
    throughput.SPEC,
    *availability.SPECS,
    difference.SPEC,
    attribution_drift.SPEC,
    influence.SPEC,
    user.SPEC,
)
MEASURES = Measures({spec.about.name: spec.about for spec in SPECS})
_BY_NAME = {spec.about.name: spec for spec in SPECS}


def spec(name: str) -> AnySpec:
    """The measure called `name`; ConfigError if it is unknown."""
    if name in _BY_NAME and name != USER:
        return _BY_NAME[name]
    if (own := user.named(name)) is not None:
        return own
    if near := get_close_matches(name, _BY_NAME, 1):
        raise ConfigError(f"there is no measure `{name}`", remedy=f"did you mean `{near[0]}`?")
    family = name.partition(".")[0]
    there = [known for known in _BY_NAME if known.startswith(f"{family}.")]
    raise ConfigError(
        f"there is no measure `{name}`", remedy="available: " + ", ".join(there) if there else "`GET /v1/measures` lists all that are"
    )


def known(name: str) -> AnySpec | None:
    """The measure called `name`; None if there is none, as for a monitor that another version has saved."""
    try:
        return _BY_NAME.get(name) or user.named(name)
    except ConfigError:
        return None
