"""The port of the API. Its methods block and are called in threads, several at a time, except the one that is async."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec
import pyarrow as pa

from core.block import Labels, Predictions
from core.cause import CauseQuery, Causes
from core.comparison import Comparison, ComparisonQuery
from core.contract import Contract
from core.contract_version import ContractVersion
from core.destination import Destination
from core.endpoint import Tried
from core.episode import Delivery, DeliveryState, Episode
from core.error import Retryable
from core.event_query import EventQuery, Values
from core.hook import Hook
from core.monitor import ModelBudget, Monitor
from core.noise import Noise
from core.policy import Policy, Silence
from core.principal import Principal
from core.reading import Query
from core.retrain import Retrain, RetrainState
from core.training import Training
from core.trial import Trial
from core.trust import Trust
from ingest.decode.decoded import Decoded
from ingest.decode.payload import Kind
from storage.control.audit import AuditEntry
from storage.control.rebuild import Rebuilding

Topic = Literal["predictions", "labels"]
AnyDecoded = Decoded[tuple[Contract, Predictions]] | Decoded[Labels]


class Overloaded(Retryable):
    """Too much is waiting: 429. Any other Retryable is 503."""


class Services(Protocol):
    """Everything that routes need. ConfigError is answered with 422 (a GET with 400), Retryable with 503 and `Retry-After`."""

    def contract(self, model: str) -> Contract | None:
        """The newest contract of a model; called for every request with events, so it must be quick."""
        ...

    @property
    def keeps_unknown(self) -> bool:
        """Whether events of models without a contract are kept."""
        ...

    async def append(self, topic: Topic, body: bytes, kind: Kind, decoded: AnyDecoded, now: int) -> None:
        """Append an unpacked request to the log; returns when it is durable. `now` is the time with which it is logged.

        PayloadError if an event is too large for the log.
        """
        ...

    def readings(self, query: Query) -> tuple[pa.Table, str | None]:
        """Readings, columns named as the fields of `Reading` (times int64 microseconds, dict fields as JSON text), and the next cursor."""
        ...

    def proposal(self, model: str) -> Mapping[str, Any]:
        """The contract that is proposed for a model that has none. Raises Missing if the model has one, or if none of its events wait."""
        ...

    def models(self) -> Sequence[Mapping[str, Any]]:
        """A row for each model, by name; `first_ts` and `last_ts` in microseconds."""
        ...

    def model(self, name: str) -> Mapping[str, Any] | None:
        """The row of one model."""
        ...

    def monitors(self, model: str | None) -> Sequence[Monitor]:
        """Monitors by model and name."""
        ...

    def calibration(self, monitor: Monitor) -> Mapping[str, Any] | None:
        """What a monitor's calibration tells; None if it has none. Raises Retryable while the reference is being stored."""
        ...

    def evaluate(self, trial: Trial) -> pa.Table:
        """The readings of a trial, in the columns of stored ones. Raises ConfigError."""
        ...

    def backtest(self, trial: Trial) -> Mapping[str, Any]:
        """What a monitor would have raised. Raises ConfigError."""
        ...

    def ranking(self, asked: Query, *, dependent: bool) -> pa.Table:
        """The readings of one window of a monitor, with `p` and `q`, the most likely to have moved first."""
        ...

    def trust(self, model: str) -> Sequence[Trust]:
        """Whether the predictions of a model may be trusted now, by version and segment, `all` first."""
        ...

    def cause(self, asked: CauseQuery) -> Causes:
        """The causes of a measure's change in a window. Raises ConfigError."""
        ...

    def cause_of(self, name: str, segment: str | None = None) -> Causes | None:
        """The causes of an episode, within its segment or another slice; None if there is no such episode."""
        ...

    def comparisons(self, model: str) -> Sequence[Comparison]:
        """What the comparisons of a model's monitors tell in their newest windows."""
        ...

    def compared(self, asked: ComparisonQuery) -> Sequence[Comparison]:
        """The windows of a comparison that is computed now, the newest last. Raises ConfigError."""
        ...

    def events(self, asked: EventQuery) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """A page of events in the form of the API, and the next cursor."""
        ...

    def export(self, asked: EventQuery, most: int | None = None, *, beside: bool = False) -> Iterator[pa.Table]:
        """All events that are asked for, or `most`, as tables of one schema, one at least; with columns beside those of the contract. Raises ConfigError, also at a later table."""
        ...

    def signing_key(self) -> bytes:
        """The key of signed addresses."""
        ...

    def event(self, model: str, prediction_id: str) -> Mapping[str, Any] | None:
        """One event of a model, with all labels that came for it and its percentiles in the reference."""
        ...

    def values(self, model: str, column: str, name: str) -> Values:
        """The values that a bin of a column holds. Raises ConfigError."""
        ...

    def newest_window(self, monitor: Monitor) -> int | None:
        """The start of the newest window of a monitor that can be ranked; None without one."""
        ...

    def monitor(self, model: str, name: str) -> tuple[Monitor, int | None] | None:
        """The last definition of a monitor, and when it was deleted, None if it was not; None if there never was one."""
        ...

    def contract_versions(self, model: str) -> Sequence[ContractVersion]:
        """The last versions of a model's contract, the newest first; none if there is no such model."""
        ...

    def budgets(self) -> Sequence[ModelBudget]:
        """The budgets of models as a whole."""
        ...

    def policy(self) -> Policy | None:
        """The policy; None without one."""
        ...

    def hooks(self, model: str | None = None) -> Sequence[Hook]:
        """The hooks of a model, or all."""
        ...

    def retrains(
        self, model: str | None, states: Collection[RetrainState], limit: int, after: str | None
    ) -> tuple[list[Retrain], str | None]:
        """Requests for retraining, the newest first, and the next cursor; without states, those in any."""
        ...

    def trainings(self, model: str | None = None) -> Sequence[Training]:
        """The training of a model, or of all that have a hook."""
        ...

    def retrain(self, name: str) -> Retrain | None:
        """A request for retraining; None if there is none."""
        ...

    def silences(self, since: int | None = None) -> Sequence[Silence]:
        """Silences that end after a time, or all, the last to end first."""
        ...

    def members(self, name: str) -> Sequence[Episode]:
        """The open episodes of a group or digest of the policy, without deliveries."""
        ...

    def destinations(self) -> Sequence[Destination]:
        """Destinations by name."""
        ...

    def deliveries(
        self, state: DeliveryState | None, destination: str | None, limit: int, after: str | None
    ) -> tuple[list[Delivery], str | None]:
        """Notifications, the newest first, and the next cursor."""
        ...

    def delivery(self, name: str) -> tuple[Delivery, list[Tried]] | None:
        """A notification and its last attempts; None if there is none."""
        ...

    def episodes(
        self, state: Literal["open", "closed"] | None, model: str | None, limit: int, after: str | None, *, monitor: str | None
    ) -> tuple[list[Episode], str | None]:
        """Episodes, the last fired first, and the next cursor."""
        ...

    def episode(self, name: str) -> Episode | None:
        """One episode."""
        ...

    def noise(self, model: str | None, monitor: str | None, start: int | None, end: int | None) -> Sequence[Noise]:
        """What became of the episodes that fired in `[start, end)`, by monitor."""
        ...

    def suggestion(self, monitor: Monitor, start: int | None, end: int | None) -> Mapping[str, Any] | None:
        """The smallest change of a monitor's rule that spares half of its episodes and none that was worth something; None without one."""
        ...

    def do(self, principal: Principal, command: str, payload: msgspec.Struct) -> Any:
        """Do a command of `watchkeeper.command`; its answer. Raises Forbidden, Missing, ConfigError or Retryable."""
        ...

    def rebuilding(self, model: str) -> Rebuilding:
        """The progress of the last rebuild of a model's panes."""
        ...

    def audit(self, limit: int, after: str | None) -> tuple[list[AuditEntry], str | None]:
        """Entries of the audit, the newest first, and the next cursor."""
        ...

    def status(self) -> Mapping[str, Any]:
        """What `GET /v1/status` says."""
        ...

    def ready(self) -> Sequence[str]:
        """Sentences that say what keeps this process from serving; empty if it can serve."""
        ...

    def version_tag(self) -> str:
        """A text that changes whenever anything that can be read back has changed."""
        ...
