"""The API's services in memory, with a record of the calls."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import pyarrow as pa

from core.baseline.reference import Reference
from core.cause import CauseQuery, Causes
from core.comparison import Comparison, ComparisonQuery
from core.contract import Column, Contract, Dimension, Kind, Task
from core.contract_version import ContractVersion
from core.destination import Destination
from core.endpoint import Tried
from core.episode import Delivery, DeliveryState, Episode
from core.error import ConfigError, Missing, Retryable
from core.event_query import EventQuery, Texts, Values
from core.hook import Hook
from core.moment import DAY
from core.monitor import Budget, ModelBudget, Monitor
from core.noise import Noise
from core.policy import Policy, Silence
from core.principal import Principal
from core.reading import Query
from core.retrain import Retrain, RetrainState, Trigger
from core.training import Training
from core.trial import Trial
from core.trust import Trust
from ingest.decode.payload import Kind as BodyKind
from storage.control.audit import AuditEntry
from storage.control.rebuild import Rebuilding
from watchkeeper.api.ports import AnyDecoded, Topic
from watchkeeper.change.apply import ApplyRequest
from watchkeeper.change.delivery import CheckDestination, ReplayDelivery
from watchkeeper.change.people import ActRequest
from watchkeeper.change.rebuild import RebuildRequest
from watchkeeper.change.reference import ReferenceFile
from watchkeeper.change.retrain import RegistryNotice, RetrainDecision, RetrainReport, RetrainRequest
from watchkeeper.command import role
from watchkeeper.reader.ranking import ranked

TAXI = Contract(
    model="taxi-fare",
    version=1,
    task=Task.BINARY,
    features=(Column(name="salary", kind=Kind.NUMERIC), Column(name="borough", kind=Kind.CATEGORICAL, categories=("Queens",))),
    dimensions=(Dimension(name="borough", values=("Queens",)),),
    classes=("0", "1"),
    scored=True,
)

BROKEN = 1_600_000_000_000_000

READING: dict[str, Any] = {
    "monitor": "fare-drift",
    "model": "taxi-fare",
    "version": "all",
    "measure": "drift.psi",
    "params": "{}",
    "baseline": "reference",
    "column": "salary",
    "segment": "borough=Queens",
    "window_start": 1_656_633_600_000_000,
    "window_end": 1_656_720_000_000_000,
    "value": 0.31,
    "lower": None,
    "upper": None,
    "baseline_value": None,
    "n_target": 4210,
    "n_baseline": 28197,
    "n_effective": None,
    "threshold": '{"warn":0.1,"critical":0.25}',
    "verdict": "critical",
    "reason": None,
    "revision": 1,
    "evidence": "{}",
    "monitor_version": 3,
}

SENT = Delivery(
    id="msg_1",
    destination="oncall",
    episode="ep_1",
    type="episode.fired",
    body="{}",
    created=0,
    due=0,
    state=DeliveryState.DEAD,
    attempts=2,
    last_status=500,
    reason="given up after three days: answered 500",
)


RETRAIN = Retrain(
    id="rt_1",
    model="taxi-fare",
    hook="retrain",
    state=RetrainState.REQUESTED,
    trigger=Trigger.HAND,
    reason="asked for by ada",
    created=0,
)


class Twin:
    """A `watchkeeper.api.ports.Services` that keeps everything in lists. `failure` is raised by the next append."""

    def __init__(self) -> None:
        self.contracts = {TAXI.model: TAXI}
        self.appended: list[tuple[Topic, bytes, BodyKind, AnyDecoded, int]] = []
        self.queries: list[Query] = []
        self.asked: list[EventQuery] = []
        self.exported: list[tuple[EventQuery, int | None, bool]] = []
        self.causes: list[CauseQuery] = []
        self.trials: list[Trial] = []
        self.references: list[tuple[str, bytes, dict[str, str]]] = []
        self.retired: int | None = None
        self.done: list[tuple[Principal, str, msgspec.Struct]] = []
        self.entries: list[AuditEntry] = []
        self.table = pa.Table.from_pylist([READING])
        self.found: list[Episode] = []
        self.failure: Exception | None = None
        self.states: list[Trust] = []
        self.standings: list[Comparison] = []
        self.comparing: list[ComparisonQuery] = []
        self.tag = "1"
        self.troubles: list[str] = []
        self.keeps_unknown = False

    def proposal(self, model: str) -> Mapping[str, Any]:
        if model in self.contracts:
            raise Missing(f"{model} has a contract", remedy="none")
        return {"model": model, "ready": True}

    def contract(self, model: str) -> Contract | None:
        return self.contracts.get(model)

    async def append(self, topic: Topic, body: bytes, kind: BodyKind, decoded: AnyDecoded, now: int) -> None:
        if self.failure is not None:
            raise self.failure
        self.appended.append((topic, body, kind, decoded, now))

    def readings(self, query: Query) -> tuple[pa.Table, str | None]:
        self.queries.append(query)
        return self.table, None

    def models(self) -> Sequence[Mapping[str, Any]]:
        return [{"model": "taxi-fare", "first_ts": 1_656_633_600_000_000, "last_ts": None}]

    def model(self, name: str) -> Mapping[str, Any] | None:
        return next((row for row in self.models() if row["model"] == name), None)

    def monitors(self, model: str | None) -> Sequence[Monitor]:
        return [Monitor(name="fare-drift", model="taxi-fare", measure="drift.psi", baseline=Reference(), warn=0.1, persist=(2, 3))]

    def monitor(self, model: str, name: str) -> tuple[Monitor, int | None] | None:
        return next(((one, self.retired) for one in self.monitors(None) if (one.model, one.name) == (model, name)), None)

    def calibration(self, monitor: Monitor) -> dict[str, Any] | None:
        return {
            "expected_per_30d": None,
            "windows": 61,
            "extrapolated": False,
            "provisional": False,
            "phi": {"fare": 1.5},
            "observed": None,
        }

    def evaluate(self, trial: Trial) -> pa.Table:
        self.trials.append(trial)
        return self.table

    def backtest(self, trial: Trial) -> dict[str, Any]:
        self.trials.append(trial)
        return {"windows": 3, "readings": 3, "alarm_windows": 0, "episodes": [], "expected_false_alarm_windows": None}

    def ranking(self, asked: Query, *, dependent: bool) -> pa.Table:
        self.queries.append(asked)
        return ranked(self.table, dependent=dependent)

    def trust(self, model: str) -> list[Trust]:
        return self.states if model in self.contracts else []

    def comparisons(self, model: str) -> list[Comparison]:
        return self.standings

    def compared(self, asked: ComparisonQuery) -> list[Comparison]:
        self.comparing.append(asked)
        return self.standings

    def cause(self, asked: CauseQuery) -> Causes:
        self.causes.append(asked)
        return Causes(
            asked=asked, sentence="Most of it comes from borough=Queens.", value=0.31, baseline_value=None, n=10, n_baseline=20, rows=10
        )

    def cause_of(self, name: str, segment: str | None = None) -> Causes | None:
        one = self.episode(name)
        found = CauseQuery(model=one.model, measure=one.measure, start=0, end=DAY, segment=segment or one.segment) if one else None
        return None if found is None else self.cause(found)

    def events(self, asked: EventQuery) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        self.asked.append(asked)
        return [{"prediction_id": "a/b"}], "next"

    def export(self, asked: EventQuery, most: int | None = None, *, beside: bool = False) -> Iterator[pa.Table]:
        """Two portions of one event each; no store for what is asked for as of `BROKEN`."""
        self.exported.append((asked, most, beside))
        if asked.as_of == BROKEN:
            raise Retryable("the store is away")
        for name in ("a", "b"):
            yield pa.table({"prediction_id": [name], "@version" if beside else "x": ["1"]})

    def signing_key(self) -> bytes:
        return b"k" * 32

    def event(self, model: str, prediction_id: str) -> Mapping[str, Any] | None:
        return {"prediction_id": prediction_id} if prediction_id == "a/b" else None

    def values(self, model: str, column: str, name: str) -> Values:
        return Texts((name,))

    def newest_window(self, monitor: Monitor) -> int | None:
        return int(self.table["window_start"][0].as_py())

    def policy(self) -> Policy | None:
        return Policy(name="default")

    def retrains(
        self, model: str | None, states: Collection[RetrainState], limit: int, after: str | None
    ) -> tuple[list[Retrain], str | None]:
        return [], None

    def trainings(self, model: str | None = None) -> list[Training]:
        return [Training(model=model or RETRAIN.model, at=0)]

    def retrain(self, name: str) -> Retrain | None:
        return RETRAIN if name == RETRAIN.id else None

    def hooks(self, model: str | None = None) -> list[Hook]:
        return []

    def silences(self, since: int | None = None) -> Sequence[Silence]:
        return []

    def noise(self, model: str | None, monitor: str | None, start: int | None, end: int | None) -> Sequence[Noise]:
        self.asked_noise = (model, monitor, start, end)
        return [
            Noise(model="taxi-fare", monitor="fare-drift", fired=3, open=0, told=2, acknowledged=1, useful=0, noise=1, brief=2, notices=2)
        ]

    def suggestion(self, monitor: Monitor, start: int | None, end: int | None) -> Mapping[str, Any] | None:
        return {"change": {"persist": "2 of 3"}, "episodes": 3, "episodes_then": 1, "valued": 1}

    def contract_versions(self, model: str) -> Sequence[ContractVersion]:
        first = ContractVersion(version=1, saved_at=BROKEN, actor="ana", reference=True, rows=28_197, start=BROKEN, end=BROKEN + DAY)
        declared = ContractVersion(version=2, saved_at=BROKEN, actor="local", reference=False, changes=("new segment borough",))
        return [declared, first] if model == TAXI.model else []

    def budgets(self) -> Sequence[ModelBudget]:
        return [ModelBudget("all-of-it", "taxi-fare", Budget(1, 30 * DAY))]

    def members(self, name: str) -> Sequence[Episode]:
        return [one for one in self.found if name in (one.decision.group, one.decision.digest)]

    def destinations(self) -> Sequence[Destination]:
        return [Destination(name="oncall", settings={"url": "https://example.org/?k=hidden", "secret": "whsec_hidden"})]

    def deliveries(
        self, state: DeliveryState | None, destination: str | None, limit: int, after: str | None
    ) -> tuple[list[Delivery], str | None]:
        return [SENT], None

    def delivery(self, name: str) -> tuple[Delivery, list[Tried]] | None:
        return (SENT, [Tried(began=1, ended=2, status=500, reason="answered 500")]) if name == SENT.id else None

    def episodes(
        self, state: Literal["open", "closed"] | None, model: str | None, limit: int, after: str | None, *, monitor: str | None
    ) -> tuple[list[Episode], str | None]:
        return [episode for episode in self.found if monitor in (None, episode.monitor)], None

    def episode(self, name: str) -> Episode | None:
        return next((episode for episode in self.found if episode.id == name), None)

    def do(self, principal: Principal, command: str, payload: msgspec.Struct) -> Any:
        principal.require(role(command))
        self.done.append((principal, command, payload))
        if isinstance(payload, ReplayDelivery | CheckDestination):
            return SENT
        if isinstance(payload, ReferenceFile):
            self.references.append((payload.model, payload.parquet, payload.options))
            return {"model": payload.model, "version": 1, "result": "created"}
        if isinstance(payload, RebuildRequest):
            return {"model": payload.model, "state": "waiting", "done": 0, "slots": 0, "at": 1}
        if isinstance(payload, ActRequest):
            return self.found[0]
        if isinstance(payload, RetrainRequest | RetrainDecision | RetrainReport | RegistryNotice):
            return RETRAIN
        if not isinstance(payload, ApplyRequest):
            return {"result": "deleted"}
        if "baseline.same_weekday" in payload.text:
            raise ConfigError("`baseline.same_weekday` is not available yet", remedy="use reference or previous")
        return [{"kind": "monitor", "model": "taxi-fare", "name": "fare-drift", "result": "unchanged" if payload.dry_run else "created"}]

    def rebuilding(self, model: str) -> Rebuilding:
        return Rebuilding(state="none", done=0, slots=0, at=None)

    def audit(self, limit: int, after: str | None) -> tuple[list[AuditEntry], str | None]:
        return self.entries[:limit], after

    def status(self) -> Mapping[str, Any]:
        return {"quiet": True, "version": "0.1.0", "ingest": {}, "evaluate": {}, "problems": []}

    def ready(self) -> Sequence[str]:
        return self.troubles

    def version_tag(self) -> str:
        return self.tag


def event(**changes: Any) -> dict[str, Any]:
    """A good prediction event, with changes; `...` leaves a field out."""
    base = {
        "prediction_id": "a1",
        "model": "taxi-fare",
        "version": "1",
        "ts": "2022-07-01T00:00:00Z",
        "features": {"salary": 10.5, "borough": "Queens"},
        "prediction": 1,
        "score": 0.75,
    }
    return {name: value for name, value in (base | changes).items() if value is not ...}


def body(*events: object) -> bytes:
    """Events as Python's `json` writes an array."""
    return json.dumps(events).encode()
