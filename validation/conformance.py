"""Compares measures with the results of other libraries on public data. `python -m validation.conformance`; exit code 1 if a difference is not explained.

Measures are computed by the code that evaluates monitors, from panes of each chunk of the data, against the reference. They are compared with
`reference_results.json` beside the data, which was made with scipy, scikit-learn, fairlearn, Evidently and NannyML.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np

from core.baseline.reference import Reference
from core.contract import PREDICTION, SCORE
from core.measure import Subject
from core.moment import DAY, HOUR
from core.monitor import Monitor
from core.segment import ALL
from core.window.tumbling import Tumbling
from detectors import catalogue
from validation import errors, estimate_alerts, groups, public
from validation.public import Data
from validation.replay import Replay, replay

DIGITS = 2e-7  # relative, or of 1: results are given with 8 digits
NULLS = "nulls are a bin of their own; the peer leaves them out"
MEASURES = (
    "drift.ks",
    "drift.wasserstein",
    "drift.mean_shift",
    "drift.variance_ratio",
    "drift.js",
    "drift.hellinger",
    "drift.total_variation",
    "drift.linf",
    "drift.chi2",
    "drift.psi",
    "quality.null_rate",
)
PERFORMANCE = (
    "performance.accuracy",
    "performance.precision",
    "performance.f1",
    "performance.roc_auc",
    "performance.mae",
    "performance.rmse",
)
ESTIMATES = ("performance.estimated_accuracy", "performance.estimated_f1", "performance.estimated_roc_auc")


class Ours(NamedTuple):
    """What a measure says of a chunk: its value, its evidence, and the statistic whose law is known."""

    value: float
    evidence: dict[str, Any]


@dataclass
class Found:
    """The comparisons of a data set, a measure and a peer: how many, the largest difference, how many are larger than allowed, and why they may differ."""

    why: str = ""
    numbers: int = 0
    largest: float = 0.0
    unexplained: int = 0


@dataclass
class Report:
    """All comparisons, by data set, our measure and the peer's."""

    found: dict[tuple[str, str, str], Found] = field(default_factory=lambda: defaultdict(Found))

    def add(self, key: tuple[str, str, str], ours: float, theirs: float, allowed: float, rule: Rule, *, nulls: bool = False) -> None:
        """Compare two numbers. With a reason they may differ, else by `allowed` at most."""
        held = self.found[key]
        why = NULLS if nulls else rule.why
        apart, slack = ours - theirs, allowed + DIGITS * max(1.0, abs(theirs))
        held.why, held.numbers, held.largest = why or rule.note, held.numbers + 1, max(held.largest, abs(apart))
        held.unexplained += int(apart > slack if rule.below else not why and not abs(apart) <= slack)


def compare(data: Data, results: dict[str, Any], report: Report) -> None:
    """Compare all measures of a data set."""
    for measure, value, theirs, allowed, why in errors.compared(data, results):
        rule = Rule(measure, why=why, note=f"{errors.ALLOWED:.0%} apart, or the sampling error that the peer states")
        report.add((data.name, measure, f"nannyml {measure.rpartition('_')[2]}, DLE"), value, theirs, allowed, rule)
    for which in ("reference", "production"):
        listed = [(place, chunk) for place, chunk in enumerate(results["chunks"]) if chunk["set"] == which]
        if not listed:
            continue
        rows = np.concatenate([np.arange(chunk["start"], chunk["end"]) for _, chunk in listed])
        ts = np.full(data.table.num_rows, DAY * 9_000)
        for at, (_, chunk) in enumerate(listed):
            ts[chunk["start"] : chunk["end"]] = DAY * 10_000 + at * HOUR
        model = replay(data, ts=ts, production=rows)
        ours = {name: dict(_values(model, name)) for name in (*MEASURES, *PERFORMANCE, *ESTIMATES)}
        for at, (place, _) in enumerate(listed):
            _columns(data, model, report, at, results, place, ours)
            _performance(data, report, at, results["performance_sklearn"][place], ours)
            _estimates(data, report, at, results, results["chunks"][place], ours)
        if data.name in estimate_alerts.PUBLISHED:
            for at, alarms in estimate_alerts.of(model):
                listing = _entry(results["nannyml_performance"]["cbpe_estimated"], results["chunks"][listed[at][0]])
                rule = Rule("", note="the same chunks alert")
                report.add(
                    (data.name, estimate_alerts.MEASURE, "nannyml alert"), float(alarms), float(listing["roc_auc"]["alert"]), 0.0, rule
                )
        if results["fairness_fairlearn"]:
            published = {at: results["fairness_fairlearn"][place] for at, (place, _) in enumerate(listed)}
            grouped = replay(data, ts=ts, production=rows, protected=data.about["protected"])
            for one in groups.compared(grouped, published):
                report.add((data.name, one.measure, one.peer), one.ours, one.theirs, 0.0, Rule("", why=one.why))


def _values(model: Replay, name: str) -> Iterator[tuple[tuple[int, str], Ours]]:
    """What a measure says of each chunk and column."""
    contract, about = model.model.contract, catalogue.spec(name).about
    if not about.fits(contract):
        return
    columns = tuple(
        one.name
        for one in (
            *contract.features,
            contract.column(PREDICTION),
            *((contract.column(SCORE),) if any(one.name == SCORE for one in contract.outputs) else ()),
        )
    )
    columns = tuple(one for one in columns if contract.column(one).kind in about.kinds) if about.subject is Subject.COLUMN else ()
    monitor = Monitor(
        name="m",
        model=contract.model,
        measure=name,
        columns=columns,
        window=Tumbling(HOUR),
        baseline=Reference() if about.compares else None,
        min_samples=0,
    )
    if about.subject is Subject.COLUMN and not columns:
        return
    spec = catalogue.spec(name)
    settled = spec.settle(msgspec.convert({}, spec.params), contract)
    monitor = msgspec.structs.replace(monitor, params=msgspec.to_builtins(settled))
    for at, reading in model.readings(monitor):
        if reading.value is not None:
            yield (at, reading.column), Ours(reading.value, reading.evidence)


def _columns(
    data: Data, model: Replay, report: Report, at: int, results: dict[str, Any], place: int, ours: dict[str, dict[tuple[int, str], Ours]]
) -> None:
    """The measures of columns of one chunk."""
    contract = model.model.contract
    peers = {
        "scipy": results["univariate_scipy"][place]["features"],
        "evidently": _of(results["univariate_evidently"], results["chunks"][place]),
    }
    peers["nannyml"] = _of(results["univariate_nannyml"], results["chunks"][place])
    before = model.model.reference
    nulls_before = {one.name: before.counts(one.name)[ALL][one.null] if before else 0.0 for one in contract.summarised}
    for peer, features in peers.items():
        for name, held in features.items():
            column = contract.column({"prediction": PREDICTION, "score": SCORE}.get(name, name))
            known = {measure: values[at, column.name] for measure, values in ours.items() if (at, column.name) in values}
            nulls = "quality.null_rate" in known and (known["quality.null_rate"].value > 0 or nulls_before[column.name] > 0)
            for theirs, value in held.items():
                rule = (NUMERIC if column.numeric else CATEGORICAL).get((peer, theirs))
                if rule is None or value is None or rule.measure not in known or isinstance(value, bool):
                    continue
                one = known[rule.measure]
                kind = "numbers" if column.numeric else "categories with nulls" if nulls and rule.bins else "categories"
                key = (data.name, rule.measure, f"{peer} {theirs}, {kind}")
                report.add(
                    key, rule.ours(one, column, held), float(value), rule.allowed(one, float(value)), rule, nulls=bool(nulls and rule.bins)
                )


class Rule(NamedTuple):
    """How a number of a peer is compared: with which measure, our number in the peer's unit, the difference that is allowed, and why it may be larger.

    `bins`: the measure counts nulls. `below`: our number is never larger than the peer's. `note` says what is allowed.
    """

    measure: str
    ours: Callable[[Ours, Any, dict[str, Any]], float] = lambda one, _column, _held: one.value
    allowed: Callable[[Ours, float], float] = lambda _one, _theirs: 0.0
    why: str = ""
    bins: bool = True
    below: bool = False
    note: str = "equal"


_OTHER = "other bins: ours are frozen quantiles of the reference with atoms and a bin of nulls"
_PRIOR = "groups are merged and 0.5 is added on both sides; the peer puts 0.0001 in place of an empty share"
_ESTIMATED = "the peer estimates it from 10,000 equal bins where the reference has 10,000 rows or more"
_KS = Rule("drift.ks", allowed=lambda one, _theirs: one.evidence["bound"], bins=False, note="within the bound that the evidence states")
_WASSERSTEIN = "ours is a lower bound, from bins; never above the peer's"
NUMERIC: dict[tuple[str, str], Rule] = {
    ("scipy", "ks"): _KS,
    ("scipy", "wasserstein"): Rule(
        "drift.wasserstein", ours=lambda one, column, _held: one.value * column.scale, why=_WASSERSTEIN, bins=False, below=True
    ),
    ("scipy", "missing_rate"): Rule("quality.null_rate", bins=False),
    ("scipy", "psi_q10"): Rule("drift.psi", why=f"{_OTHER}; {_PRIOR}"),
    ("scipy", "js_distance_q10_base2"): Rule("drift.js", why=_OTHER),
    ("scipy", "mean"): Rule(
        "drift.mean_shift",
        ours=lambda one, _column, _held: one.evidence["target"],
        allowed=lambda _one, theirs: 1e-6 * abs(theirs),
        bins=False,
    ),
    ("scipy", "std"): Rule(
        "drift.variance_ratio",
        ours=lambda one, _column, held: (one.evidence["target"] * (held["n"] - 1) / held["n"]) ** 0.5,
        allowed=lambda _one, theirs: 1e-6 * abs(theirs),
        bins=False,
    ),
    ("evidently", "psi"): Rule("drift.psi", why=f"{_OTHER}, the peer's depend on the window; {_PRIOR}"),
    ("evidently", "jensenshannon"): Rule("drift.js", why=f"{_OTHER}, the peer's depend on the window; the peer's logs are natural"),
    ("evidently", "wasserstein_norm"): Rule(
        "drift.wasserstein",
        ours=lambda one, column, _held: one.value * column.scale / max(column.spread[1], 0.001),
        why=_WASSERSTEIN,
        bins=False,
        below=True,
    ),
    ("evidently", "hellinger"): Rule("drift.hellinger", why=f"{_OTHER}, the peer's depend on the window"),
    ("nannyml", "kolmogorov_smirnov"): Rule("drift.ks", why=_ESTIMATED, bins=False),
    ("nannyml", "jensen_shannon"): Rule("drift.js", why=_OTHER),
    ("nannyml", "wasserstein"): Rule(
        "drift.wasserstein", ours=lambda one, column, _held: one.value * column.scale, why=f"{_WASSERSTEIN}; {_ESTIMATED}", bins=False
    ),
    ("nannyml", "hellinger"): Rule("drift.hellinger", why=_OTHER),
}
CATEGORICAL: dict[tuple[str, str], Rule] = {
    ("scipy", "missing_rate"): Rule("quality.null_rate", bins=False),
    ("scipy", "psi"): Rule("drift.psi", why=_PRIOR),
    ("scipy", "js_distance_base2"): Rule("drift.js"),
    ("scipy", "tvd"): Rule("drift.total_variation"),
    ("scipy", "l_infinity"): Rule("drift.linf"),
    ("evidently", "psi"): Rule("drift.psi", why=_PRIOR),
    ("evidently", "jensenshannon"): Rule("drift.js", ours=lambda one, _column, _held: one.value * float(np.sqrt(np.log(2)))),
    ("evidently", "hellinger"): Rule("drift.hellinger"),
    ("nannyml", "jensen_shannon"): Rule("drift.js"),
    ("nannyml", "l_infinity"): Rule("drift.linf"),
    ("nannyml", "hellinger"): Rule("drift.hellinger"),
}
_AGREED = ("nml_car_loan", "nml_credit_card_multiclass")  # whose references are large, and whose estimates the peer has published
_ESTIMATE = Rule("", note="0.002 apart at most, 0.5 % with several classes")
_CALIBRATED = Rule("", why="the peer takes scores as they are where it finds no need to calibrate them; ours are calibrated by bins")
_MACRO = {
    "roc_auc_ovr_macro": "the peer divides probabilities by their sum; ours are as they were sent",
    **dict.fromkeys(("f1_macro", "precision_macro"), "the mean is over the classes that are there; the peer counts others as 0"),
}
_SKLEARN = {
    "performance.accuracy": ("accuracy",),
    "performance.precision": ("precision", "precision_macro"),
    "performance.f1": ("f1", "f1_macro"),
    "performance.roc_auc": ("roc_auc", "roc_auc_ovr_macro"),
    "performance.mae": ("mae",),
    "performance.rmse": ("rmse",),
}


def _performance(data: Data, report: Report, at: int, theirs: dict[str, Any], ours: dict[str, dict[tuple[int, str], Ours]]) -> None:
    """The measures of performance of one chunk."""
    for measure, names in _SKLEARN.items():
        for name in names:
            if (value := theirs.get(name)) is not None and (at, "") in ours[measure]:
                rule = Rule(measure, why=_MACRO.get(name, ""), bins=False)
                report.add((data.name, measure, f"scikit-learn {name}"), ours[measure][at, ""].value, float(value), 0.0, rule)


def _estimates(
    data: Data, report: Report, at: int, results: dict[str, Any], chunk: dict[str, Any], ours: dict[str, dict[tuple[int, str], Ours]]
) -> None:
    """The measures of one chunk that are estimated without its labels."""
    theirs = _entry(results.get("nannyml_performance", {}).get("cbpe_estimated", []), chunk)
    for measure in ESTIMATES:
        name = measure.removeprefix("performance.estimated_")
        value = theirs.get(name, {}).get("value")
        if value is not None and (at, "") in ours[measure]:
            report.add(
                (data.name, measure, f"nannyml {name}"),
                ours[measure][at, ""].value,
                value,
                _allowed(data, value),
                _ESTIMATE if data.name in _AGREED else _CALIBRATED,
            )


def _allowed(data: Data, value: float) -> float:
    """How far estimates may be apart, which are made with other calibrators: 0.002 of a binary model, 0.5 % of more classes."""
    return 0.005 * value if data.about["task"] == "multiclass" else 0.002


def _of(listed: list[dict[str, Any]], chunk: dict[str, Any]) -> dict[str, Any]:
    """The features of the entry for a chunk; nothing if there is none."""
    return dict(_entry(listed, chunk).get("features", {}))


def _entry(listed: list[dict[str, Any]], chunk: dict[str, Any]) -> dict[str, Any]:
    """The entry for a chunk; nothing if there is none."""
    return next((one for one in listed if (one["set"], one["index"]) == (chunk["set"], chunk["index"])), {})


def main() -> None:
    """Compare, print a table, and end with 1 if a difference is not explained."""
    path = public.FOLDER / "reference_results.json"
    if not path.exists():
        print(f"There is nothing to compare with: {path} does not exist. WATCHKEEPER_PUBLIC_DATA names another folder.")
        return
    results, report = json.loads(path.read_text())["datasets"], Report()
    for name in sorted(results):
        if data := public.load(name):
            print(f"{name} ...", file=sys.stderr, flush=True)
            compare(data, results[name], report)
    print(f"{'data set':27}{'measure':41}{'peer':45}{'numbers':>8}{'largest':>12}  why they may differ")
    for (name, measure, peer), one in sorted(report.found.items()):
        said = f"{one.unexplained} DIFFER AND NOTHING EXPLAINS IT" if one.unexplained else one.why
        print(f"{name:27}{measure:41}{peer:45}{one.numbers:>8}{one.largest:>12.2g}  {said}")
    broken = sum(one.unexplained for one in report.found.values())
    print(f"\n{sum(one.numbers for one in report.found.values()):,} numbers compared, {broken} differences are not explained.")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
