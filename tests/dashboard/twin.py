"""A reader in memory: two models with their year, and one model without events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core import moment
from core.cause import BinCause, CauseQuery, Causes, ColumnCause, SegmentCause, SplitCause
from core.contract import Contract, Task
from core.dead_letter_count import DeadLetterCount
from core.endpoint import Tried
from core.episode import Delivery, DeliveryState, Episode, Level, State, Transition
from core.error import ConfigError
from core.monitor import Monitor
from core.policy import Policy, Route
from core.reading import Query
from core.segment import ALL
from core.trial import Trial
from core.trust import Reason, Trust, TrustState
from dashboard.ports import Goes, LabelledRows, ModelRow, Pipeline, ScoreBins, SegmentErrors
from detectors.catalogue import MEASURES
from monitors.reference.learned import learn
from tests.dashboard import made_events, year
from tests.dashboard.at_once import AtOnce
from tests.dashboard.noise_twin import NoiseTwin
from tests.dashboard.retraining_twin import RetrainingTwin
from tests.dashboard.standing import Standing
from tests.dashboard.told import Told
from tests.dashboard.used import Used
from tests.dashboard.year import DAYS, NUMBERS, SHARES, START, STORM, TEXTS
from watchkeeper.reader.ranking import ranked

_SLICES = ("carrier=EV,origin=EWR", "carrier=EV", "temp=[-inf%2C3)")


class Twin(AtOnce, made_events.MadeEvents, NoiseTwin, RetrainingTwin, Standing, Told, Used):
    """The reader. What it reads is made once a process, from one seed; what a test changes in it is of this reader alone."""

    measures = MEASURES

    def __init__(self) -> None:
        made = _made()
        self._contracts, self._monitors, self._days = dict(made.contracts), dict(made.monitors), made.days
        self._readings, self._episodes = dict(made.readings), list(made.episodes)
        self.failing: set[str] = set()
        self.strangers = {"predictions": 0, "labels": 0}
        self.bare: set[str] = set()  # models without a reference
        self.computes = True  # whether readings are computed on demand
        self.moved = False  # one more prediction since the page was drawn

    def models(self) -> list[ModelRow]:
        self._may("models")
        rows = []
        for name, of in self._contracts.items():
            alive = not name.startswith("<")
            opened = sum(one.ended_at is None and one.model == name for one in self._episodes)
            n = int(self._days[ALL].sum()) + self.moved if alive else 0
            rows.append(
                ModelRow(
                    name,
                    of.task,
                    1,
                    START if alive else None,
                    START + DAYS * moment.DAY - moment.HOUR if alive else None,
                    n,
                    int(n * 0.97),
                    opened,
                )
            )
        return rows

    def contract(self, model: str) -> Contract | None:
        return self._contracts.get(model)

    def monitors(self, model: str | None) -> list[Monitor]:
        return self._monitors.get(model, []) if model is not None else [one for of in self._monitors.values() for one in of]

    def readings(self, query: Query) -> pa.Table:
        self._may("readings")
        fit = [
            table for (model, monitor), table in self._readings.items() if query.model in {None, model} and query.monitor in {None, monitor}
        ]
        table = pa.concat_tables(fit) if fit else next(iter(self._readings.values())).slice(0, 0)
        if query.columns:
            table = table.filter(pc.is_in(table["column"], pa.array(query.columns)))
        for name in ("measure", "column"):
            if (wanted := getattr(query, name)) is not None:
                table = table.filter(pc.equal(table[name], wanted))
        if query.segment is not None:
            if query.segment == ALL or "=" in query.segment:
                table = table.filter(pc.equal(table["segment"], query.segment))
            else:
                table = table.filter(pc.starts_with(table["segment"], f"{query.segment}="))
        if query.start is not None:
            table = table.filter(pc.greater_equal(table["window_start"], query.start))
        if query.end is not None:
            table = table.filter(pc.less(table["window_start"], query.end))
        return table.slice(0, query.limit)

    def evaluate(self, trial: Trial) -> pa.Table:
        self._may("evaluate")
        if not self.computes:
            raise ConfigError("these are 200,001 readings", remedy="ask for less")
        fields = trial.monitor
        table = year.computed(self._contracts[fields["model"]], fields["measure"], fields.get("target", {"window": "1d"})["window"])
        wanted = {"all", *fields.get("segments", ())} if trial.segment is None else {trial.segment}
        kept = [name in wanted or name.split("=")[0] in wanted for name in table["segment"].to_pylist()]
        table = table.filter(pa.array(kept))
        if columns := fields.get("columns"):
            table = table.filter(pc.is_in(table["column"], pa.array(columns)))
        if trial.start is not None and trial.end is not None:
            starts = table["window_start"]
            table = table.filter(pc.and_(pc.greater_equal(starts, trial.start), pc.less(starts, trial.end)))
        return table

    def ranking(self, asked: Query | Trial) -> pa.Table:
        return ranked(self.readings(asked) if isinstance(asked, Query) else self.evaluate(asked))

    def calibration(self, monitor: Monitor) -> Mapping[str, Any] | None:
        told = {"windows": 30, "provisional": False, "extrapolated": False, "expected_per_30d": None}
        seen = {"windows": 30, "alarm_windows": 3, "episodes": 1, "time_in_alarm": "3d"}
        return told | {"phi": dict.fromkeys(monitor.columns, 3.5), "observed": seen if monitor.allowed else None}

    def trust(self, model: str) -> list[Trust]:
        if model != "departs-late":
            return []
        at = START + 300 * moment.DAY
        wrong = (Reason("Accuracy in carrier=UA is 0.61; critical from 0.1", "performance.accuracy", "", at),)
        right = (Reason("Accuracy is 0.84, within its thresholds", "performance.accuracy", "", at),)
        return [
            Trust("all", "all", TrustState.TRUSTED, at, right),
            Trust("carrier=UA", "all", TrustState.DO_NOT_TRUST, at, wrong),
            Trust("carrier=OO", "all", TrustState.UNKNOWN, None, ()),
            Trust("carrier=DL", "2", TrustState.WATCH, at, wrong),
        ]

    def importance(self, model: str, segment: str, start: int, end: int) -> Mapping[str, float]:
        return {name: 1 / place for place, name in enumerate((*NUMBERS, *TEXTS), 1)} if model == "departs-late" else {}

    def new_categories(self, model: str, start: int, end: int) -> list[tuple[str, int, list[tuple[str, int]]]]:
        return [("dest", 18, [("BGR", 11), ("a,b", 7)])] if start >= START + 300 * moment.DAY else []

    def histogram(self, model: str, column: str, segment: str, start: int, end: int) -> tuple[list[int], list[int]]:
        self._may("histogram")
        if segment not in self._days:
            return [], []
        day = (start - START) // moment.DAY
        of = self._contracts[model].column(column)
        random = np.random.default_rng(len(column))
        baseline = np.zeros(of.bins)
        baseline[: of.values] = 1 if of.numeric else 1 / np.arange(1, of.values + 1)
        if of.numeric:
            for place in range(1, len(of.edges)):
                if of.edges[place] - of.edges[place - 1] < 1e-6:
                    baseline[place] = 3
        baseline[of.null] = 0.01 * baseline.sum()
        moved = baseline * np.exp(year.drift(column, day) * 3 * np.linspace(-1, 1, of.bins)) * random.uniform(0.9, 1.1, of.bins)
        moved[of.null] = max(moved[of.null], 0.3 * moved.sum()) if column == "temp" and day in STORM else baseline[of.null]
        if not of.numeric and day > 300:
            moved[of.values + 1] = 0.02 * moved.sum()
            moved[of.values - 1] = 0
        n = self._days[segment][day] if 0 <= day < DAYS else 0
        return (moved / moved.sum() * n).round().astype(int).tolist(), (
            baseline / baseline.sum() * 27_004 * SHARES[segment]
        ).round().astype(int).tolist()

    def labelled(self, model: str, segment: str, version: str | None, start: int, end: int) -> LabelledRows:
        self._may("labelled")
        of, day = self._contracts[model], (start - START) // moment.DAY
        n = int(self._days[segment][day] * 0.97) if segment in self._days and 0 <= day < DAYS else 0
        if not n or not of.classes:
            return LabelledRows(n, {}, {})
        return year.labelled(n, storm=day in STORM)

    def score_bins(self, model: str, segment: str, start: int, end: int) -> Mapping[str, ScoreBins]:
        return self.labelled(model, segment, None, start, end).scores

    def errors(self, model: str, grouping: str, version: str | None, start: int, end: int) -> list[SegmentErrors]:
        self._may("errors")
        day = (start - START) // moment.DAY
        found = [name for name in SHARES if (name.split("=")[0] if "=" in name else "") == grouping] if 0 <= day < DAYS else []
        sizes = [(name, int(self._days[name][day] * 0.97)) for name in found]
        return [SegmentErrors(name, n, 9 * np.cos(place), 17.0 + place, 29.0 + place) for place, (name, n) in enumerate(sizes) if n]

    def traffic(self, model: str, segment: str, start: int, end: int, step: int) -> pa.Table:
        self._may("traffic")
        if self._contracts[model].model.startswith("<") or segment not in self._days:
            return pa.table({"start": pa.array([], pa.int64()), "n": pa.array([], pa.int64())})
        starts = START + np.arange(DAYS) * moment.DAY
        inside = (starts >= start) & (starts < end) & (self._days[segment] > 0)
        return pa.table({"start": starts[inside] // step * step, "n": self._days[segment][inside]})

    def model(self, model: str) -> ModelRow | None:
        found = next((row for row in self.models() if row.model == model), None)
        return found and replace(found, segments=list(SHARES), served=self.served(model), outside=self.strangers)

    def deliveries(
        self, state: DeliveryState | None, destination: str | None, limit: int, after: str | None
    ) -> tuple[list[Delivery], str | None]:
        self._may("deliveries")
        if after == "x":
            raise ConfigError("'x' is not a cursor", remedy="none")
        all_of = [one for episode in self._episodes for one in episode.deliveries]
        return [one for one in all_of if state in (None, one.state) and destination in (None, one.destination)], None

    def delivery(self, name: str) -> tuple[Delivery, list[Tried]] | None:
        found = {one.id: one for one in self.deliveries(None, None, 50, None)[0]}
        return (found[name], [Tried(began=START, ended=START, status=503, reason="answered 503: <b>busy</b>")]) if name in found else None

    def pipeline(self) -> Pipeline:
        self._may("pipeline")
        newest = START + DAYS * moment.DAY
        return Pipeline(
            {"predictions": 40, "labels": 38},
            [DeadLetterCount("predictions", "departs-late", "ts", "no time zone: write 2013-07-01T00:00:00Z", 3, newest, 0, 7, 2)],
        )

    def header_facts(self) -> tuple[int, int | None]:
        rows = self.models()
        return sum(row.open_episodes for row in rows), max((row.last_ts for row in rows if row.last_ts is not None), default=None)

    def open_levels(self) -> Mapping[str, set[tuple[str, Level]]]:
        found: dict[str, set[tuple[str, Level]]] = {}
        for one in self.episodes("open", None, len(self._episodes)):
            found.setdefault(one.model, set()).add((one.measure, one.level))
        return found

    def episodes(self, state: str | None, model: str | None, limit: int) -> list[Episode]:
        self._may("episodes")
        fit = [
            one
            for one in self._episodes
            if (model is None or one.model == model) and (state is None or (one.ended_at is None) == (state == "open"))
        ]
        return sorted(fit, key=lambda one: -one.fired_at)[:limit]

    def history(
        self, state: str | None, model: str | None, monitor: str | None, limit: int, after: str | None
    ) -> tuple[list[Episode], str | None]:
        fit = [one for one in self.episodes(state, model, len(self._episodes)) if monitor is None or one.monitor == monitor]
        if after is not None and not after.isdigit():
            raise ConfigError(f"{after} is not a cursor")
        first = int(after or 0)
        return fit[first : first + limit], str(first + limit) if first + limit < len(fit) else None

    def proposal(self, model: str) -> Mapping[str, Any] | None:
        if model not in self.waiting():
            return None
        events = [
            {"features": {"age": 20 + place, "plan": "ab"[place % 2], "odd": {}}, "prediction": place % 2, "score": 0.5}
            for place in range(40)
        ]
        needed = {"predictions": 1_000, "after": "1d"}
        head = {
            "model": model,
            "ready": True,
            "predictions": 1_200,
            "labels": 300,
            "since": "2013-07-01T00:00:00Z",
            "needed": needed,
            "seen": 40,
        }
        return {**head, **learn(model, events, [], {}).described()}

    def waiting(self) -> Mapping[str, int]:
        return {"newcomer": 1_500}

    def referenced(self, model: str) -> bool:
        return model not in self.bare

    def episode(self, id: str) -> Episode | None:  # noqa: A002
        return next((one for one in self._episodes if one.id == id), None)

    def cause(self, asked: CauseQuery) -> Causes:
        self._may("cause")
        split = SplitCause(0.01, 0.06, 0.005) if asked.measure.startswith("performance.") else SplitCause()
        return Causes(
            asked=asked,
            sentence="72 % of it comes from carrier=EV,origin=EWR (12 % of rows, 0.51 against 0.83).",
            value=0.7,
            baseline_value=0.8,
            n=900,
            n_baseline=20_000,
            rows=900,
            segments=tuple(SegmentCause(name, 0.12, 0.51, 0.83, 108, 0.04 / place, 1e-9) for place, name in enumerate(_SLICES, 1)),
            columns=(
                ColumnCause("temp", 0.03, 0.4, 0.17, 0.002, (BinCause("null", 0.17, 0.002, 0.03),)),
                ColumnCause("carrier", 0.01, None, 0.0, 0.0),
            ),
            split=split,
            examples=("p1", "p2"),
        )

    def cause_of(self, name: str, segment: str | None = None) -> Causes | None:
        one = self.episode(name)
        if one is None:
            return None
        start, end = one.window_start, one.window_end
        return self.cause(
            CauseQuery(model=one.model, measure=one.measure, start=start, end=end, segment=segment or one.segment, column=one.column)
        )

    def policy(self) -> Policy | None:
        self._may("policy")
        return Policy(name="default", cap=(20, moment.HOUR), routes=(Route(match={"severity": ("page",)}, to=("oncall",)),))

    def open_ones(self) -> list[Episode]:
        return self.episodes("open", None, len(self._episodes))

    def goes(self) -> list[Goes]:
        self._may("goes")
        return [Goes("departs-late", "drift", "page", ("oncall",), (), "", "silenced until tomorrow")]

    def transitions(self, id: str) -> list[Transition]:  # noqa: A002
        one = self.episode(id)
        if one is None:
            return []
        seen: dict[str, Any] = {
            "episode": id,
            "level": one.level,
            "window_start": one.window_start,
            "window_end": one.window_end,
            "revision": 1,
        }
        steps = [Transition(at=one.fired_at, before=State.NORMAL, after=State.FIRING, reason=one.reason, **seen)]
        if one.ended_at is not None:
            steps.append(
                Transition(at=one.ended_at, before=State.FIRING, after=State.RESOLVED, reason="within its thresholds again", **seen)
            )
        return steps

    def status(self) -> dict[str, Any]:
        self._may("status")
        topic = {"end": 9, "written": 9, "lag": 0, "rows": 316_899, "duplicates": 17, "rejected": 3}
        evaluate = {"models": 2, "readings": 40_000, "audited": 8_760, "repaired": 2, "seconds": 0.4, "last": "2014-01-01T00:00:05Z"}
        return {"quiet": True, "version": "0.1.0", "ingest": {"predictions": topic, "labels": topic}, "evaluate": evaluate, "problems": []}

    def _may(self, name: str) -> None:
        if name in self.failing:
            raise RuntimeError(f"{name} is away")


class Empty(Twin):
    """A reader of an installation where nothing has happened."""

    def __init__(self) -> None:
        super().__init__()
        self._contracts, self._monitors, self._episodes = {}, {}, []

    def policy(self) -> Policy | None:
        return None

    def silences(self) -> list[Any]:
        return []

    silenced = silences

    def goes(self) -> list[Goes]:
        return []


class Made(NamedTuple):
    """What a reader reads: contracts and monitors by model, traffic by segment, readings by model and monitor, episodes."""

    contracts: dict[str, Contract]
    monitors: dict[str, list[Monitor]]
    days: dict[str, Any]
    readings: dict[tuple[str, str], pa.Table]
    episodes: list[Episode]


@cache
def _made() -> Made:
    contracts = {
        "departs-late": year.contract("departs-late", Task.BINARY),
        "arrival-delay": year.contract("arrival-delay", Task.REGRESSION),
    }
    contracts["<script>alert(1)</script>"] = msgspec.structs.replace(contracts["departs-late"], model="<script>alert(1)</script>")
    monitors = {name: year.monitors(name, of.task) for name, of in contracts.items()}
    days = year.traffic()
    readings = {
        (name, monitor.name): year.readings(contracts[name], monitor, days)
        for name in ("departs-late", "arrival-delay")
        for monitor in monitors[name]
    }
    return Made(contracts, monitors, days, readings, year.episodes(pa.concat_tables(readings.values()), monitors))
