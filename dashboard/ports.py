"""The port of the dashboard: a reader. Its methods block, and pages call them in threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from core.cause import CauseQuery, Causes
from core.comparison import Comparison
from core.contract import Contract
from core.contract_version import ContractVersion
from core.dead_letter_count import DeadLetterCount
from core.endpoint import Tried
from core.episode import Delivery, DeliveryState, Episode, Level, Transition
from core.event_query import EventCounts, EventQuery, Values
from core.hook import Hook
from core.measure import Measures
from core.monitor import Monitor
from core.noise import Noise
from core.policy import Policy, Silence
from core.principal import Principal
from core.reading import Query
from core.retrain import Retrain
from core.training import Training
from core.trial import Trial
from core.trust import Trust


@dataclass(frozen=True)
class ModelRow:
    """One model of the fleet. Times are microseconds of the first and last event, None before the first; the rest are counts.

    What is known of one model only, and left out in lists: `advice` says what would be better; `segments` are the texts of all segments that have predictions or are in the reference, `all`
    among them; `served` are versions and roles that have predictions; `outside` is how many `predictions` and `labels` were none of the model's classes when they came.

    One that is not `known` is of a model whose events cannot be counted now: its last time is now, its counts are 0.
    """

    model: str
    task: str
    contract_version: int
    first_ts: int | None
    last_ts: int | None
    predictions: int
    labels: int
    open_episodes: int
    advice: Sequence[str] = ()
    segments: Sequence[str] = ()
    served: Sequence[tuple[str, str]] = ()
    outside: Mapping[str, int] = field(default_factory=dict)
    known: bool = True


@dataclass(frozen=True)
class Pipeline:
    """The flow of events: by topic the rows of the last hour, and what could not be used."""

    lately: Mapping[str, int]
    letters: Sequence[DeadLetterCount]


@dataclass(frozen=True)
class ScoreBins:
    """Labelled rows with a score for a class, by the bin of that score, the lowest first: rows of the class, of others, and the sums of the scores.

    `edges` cut the bins; a score that equals an edge is in the bin above it.
    """

    edges: Sequence[float]
    own: Sequence[int]
    others: Sequence[int]
    scores: Sequence[float]


@dataclass(frozen=True)
class LabelledRows:
    """The labelled rows of a span: how many; how many by predicted class and label, of classes; and by score, for each class that has scores."""

    n: int
    cells: Mapping[tuple[str, str], int]
    scores: Mapping[str, ScoreBins]


@dataclass(frozen=True)
class SegmentErrors:
    """The errors (prediction - label) of the labelled rows of a segment of a regression: rows that have one, mean error, mean absolute error, and the root of the mean squared one."""

    segment: str
    n: int
    mean: float
    absolute: float
    root: float


@dataclass(frozen=True)
class Goes:
    """Where an episode of a monitor would go now: destinations, those of an escalation, why there is none, and what would hold it back ("" for nothing)."""

    model: str
    monitor: str
    severity: str
    to: Sequence[str]
    escalates: Sequence[str]
    nowhere: str
    held: str


@dataclass(frozen=True)
class Silenced:
    """A silence, how many open episodes it matches, and the ids of the episodes that it has held back."""

    silence: Silence
    matches: int
    held: Sequence[str]


@dataclass(frozen=True)
class Audited:
    """One change: when by the clock, by whom, what was done to what, and how that was before and after; None if it was not there."""

    at: int
    actor: str
    action: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class Reader(Protocol):
    """Answers the queries of pages. Every method is called from worker threads, several at a time.

    Only `contract` and `model` are called for a model that may not exist.
    """

    @property
    def measures(self) -> Measures:
        """All measures by name."""
        ...

    def models(self) -> list[ModelRow]:
        """Every model, by name."""
        ...

    def model(self, model: str) -> ModelRow | None:
        """One model; None if there is no such model."""
        ...

    def policy(self) -> Policy | None:
        """The policy that says what is told; None without one."""
        ...

    def hooks(self, model: str) -> Sequence[Hook]:
        """The hooks of a model that ask for retraining."""
        ...

    def trainings(self, model: str | None = None) -> Sequence[Training]:
        """The training of a model, or of all that have a hook."""
        ...

    def retrains(self, model: str, limit: int) -> Sequence[Retrain]:
        """The last requests for retraining of a model, the newest first."""
        ...

    def ran(self, model: str, limit: int) -> Sequence[Retrain]:
        """The last of them whose target was asked, the newest first."""
        ...

    def audit(self, limit: int, after: str | None) -> tuple[Sequence[Audited], str | None]:
        """Changes, the newest first, and the cursor of the next page. ConfigError if `after` is no cursor."""
        ...

    def principals(self) -> Sequence[Principal]:
        """Who has a token; nobody where none is needed."""
        ...

    def silences(self) -> Sequence[Silence]:
        """The silences that are not over, the last to end first."""
        ...

    def silenced(self) -> Sequence[Silenced]:
        """All silences, the last to end first."""
        ...

    def open_ones(self) -> Sequence[Episode]:
        """All open episodes, the last fired first, without deliveries and timeline."""
        ...

    def told_as(self, episodes: Sequence[Episode]) -> str:
        """Episodes that are told together, worst first, in one sentence."""
        ...

    def goes(self) -> Sequence[Goes]:
        """Where an episode of each monitor that can fire would go now, by model and monitor."""
        ...

    def would_go(self, monitor: Mapping[str, Any]) -> Goes:
        """Where an episode of a monitor would go now, given its definition. Raises ConfigError."""
        ...

    def backtest(self, trial: Trial) -> Mapping[str, Any]:
        """What a monitor would have raised, as `POST /v1/monitors/backtest` tells it. Raises ConfigError or Retryable."""
        ...

    def deliveries(
        self, state: DeliveryState | None, destination: str | None, limit: int, after: str | None
    ) -> tuple[list[Delivery], str | None]:
        """Notifications, the newest first, and the cursor of the next page. ConfigError if `after` is no cursor."""
        ...

    def delivery(self, name: str) -> tuple[Delivery, list[Tried]] | None:
        """A notification and its last attempts; None if there is none."""
        ...

    def pipeline(self) -> Pipeline:
        """How events flow."""
        ...

    def header_facts(self) -> tuple[int, int | None]:
        """How many episodes are open, and the latest event time of all models, None before the first event."""
        ...

    def contract(self, model: str) -> Contract | None:
        """The newest contract of a model; None if there is no such model."""
        ...

    def contracts(self) -> Sequence[Contract]:
        """The newest contract of every model, by name."""
        ...

    def contract_versions(self, model: str, references: bool = True) -> Sequence[ContractVersion]:
        """The last versions of a model's contract, the newest first; without rows and times of their references, which take longer, if these are not asked for."""
        ...

    def monitors(self, model: str | None) -> list[Monitor]:
        """The newest definition of each monitor of a model, of all models for None."""
        ...

    def worth(self, model: str, monitor: str) -> Noise | None:
        """What became of the episodes of a monitor; None if it has none."""
        ...

    def quieter(self, model: str, monitor: str) -> Mapping[str, Any] | None:
        """The smallest change of a monitor's rule that a back-test supports, as the API tells it; None without one, or without the monitor. Takes seconds. Raises ConfigError or Retryable."""
        ...

    def standings(self, since: Mapping[tuple[str, str], int]) -> Mapping[tuple[str, str], tuple[int, int, int]]:
        """By model and monitor the end of its newest window, when it was evaluated last, and how many of its windows that end after `since` reached a threshold; without readings left out."""
        ...

    def proposal(self, model: str) -> Mapping[str, Any] | None:
        """The contract that is proposed for a model that has none, as the API tells it; None if none of its predictions wait."""
        ...

    def waiting(self) -> Mapping[str, int]:
        """How many events wait of each model that has no contract."""
        ...

    def referenced(self, model: str) -> bool:
        """Whether the newest contract of a model has a reference."""
        ...

    def readings(self, query: Query) -> pa.Table:
        """Readings, columns named as the fields of `Reading`: times int64, null where None, dict fields as JSON text."""
        ...

    def charts(self, queries: Sequence[Query]) -> Sequence[pa.Table]:
        """`readings` of each query for a line of a chart, from a start to an end."""
        ...

    def lines(self, queries: Sequence[Query]) -> Sequence[Sequence[float | None]]:
        """The values that `readings` has for each query for a line of a chart, from a start to an end, in the order of their windows."""
        ...

    def evaluate(self, trial: Trial) -> pa.Table:
        """Readings that are computed now and not stored, in the columns of `readings`. Raises ConfigError or Retryable."""
        ...

    def ranking(self, asked: Query | Trial) -> pa.Table:
        """The readings of one window of one monitor, with `p` and `q`, the most likely to have moved first. Raises ConfigError or Retryable."""
        ...

    def calibration(self, monitor: Monitor) -> Mapping[str, Any] | None:
        """What a monitor's calibration tells: `windows`, `provisional`, `extrapolated`, `expected_per_30d`, `phi` by column, and what was `observed` of late; None if it has none. Raises Retryable."""
        ...

    def trust(self, model: str) -> Sequence[Trust]:
        """Whether the predictions of a model may be trusted now, by version and segment, `all` first."""
        ...

    def comparisons(self, model: str) -> Sequence[Comparison]:
        """The newest window of each comparison of a model, by monitor and segment, `all` first."""
        ...

    def course(self, monitor: Monitor) -> Sequence[Comparison]:
        """The last windows of a comparison of all traffic, the newest last."""
        ...

    def importance(self, model: str, segment: str, start: int, end: int) -> Mapping[str, float]:
        """By feature, the mean size of its attributions in `[start, end)`; empty if none were sent."""
        ...

    def new_categories(self, model: str, start: int, end: int) -> Sequence[tuple[str, int, Sequence[tuple[str, int]]]]:
        """The categorical features that have values in `[start, end)` which the reference does not have: name, how many events have one, and the most frequent of these
        values with their numbers of events.
        """
        ...

    def histogram(self, model: str, column: str, segment: str, start: int, end: int) -> tuple[list[int], list[int]]:
        """Counts by bin of the contract's column: in `[start, end)`, and in the reference. Both are empty where nothing is known."""
        ...

    def labelled(self, model: str, segment: str, version: str | None, start: int, end: int) -> LabelledRows:
        """The labelled rows in a span of whole panes, of one version of the model, or of all."""
        ...

    def score_bins(self, model: str, segment: str, start: int, end: int) -> Mapping[str, ScoreBins]:
        """The labelled rows in a span of whole panes by score, for each class that has scores. A span may be a year."""
        ...

    def errors(self, model: str, grouping: str, version: str | None, start: int, end: int) -> Sequence[SegmentErrors]:
        """The errors of a regression in a span of whole panes, by segment of a grouping ("" is all traffic), those with most rows first, at most a few dozen."""
        ...

    def residuals(self, model: str, segment: str, version: str | None, start: int, end: int) -> Sequence[SegmentErrors] | None:
        """The errors of a segment of a regression in a span of whole panes, by tenth of the predictions, the lowest first: in place of a segment each has the range of its predictions. None where the rows are too many to be read."""
        ...

    def traffic(self, model: str, segment: str, start: int, end: int, step: int) -> pa.Table:
        """Distinct predictions by slot of `step` microseconds: `start` int64, `n` int64; empty slots may be left out."""
        ...

    def counts(self, asked: Sequence[tuple[str, str, int, int]]) -> Sequence[int]:
        """How many predictions came of each (model, segment) in a span of whole panes; 0 of a model that is not there."""
        ...

    def events(self, asked: EventQuery) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """A page of events, each with the fields of `GET /v1/events`, and the cursor of the next page. Raises ConfigError for a segment or column that is not there."""
        ...

    def event(self, model: str, prediction_id: str) -> Mapping[str, Any] | None:
        """One event with all its labels, `percentiles` and `attributions`; None if there is none."""
        ...

    def values(self, model: str, column: str, name: str) -> Values:
        """The values that a bin of a column holds. Raises ConfigError for one that is not there."""
        ...

    def event_counts(self, asked: EventQuery, step: int) -> EventCounts:
        """How many events are asked for in each slot of `step` microseconds, estimated if there are too many and panes do not tell. Raises ConfigError as `events`."""
        ...

    def beside(self, asked: EventQuery, event: Mapping[str, Any]) -> tuple[str | None, str | None]:
        """The ids of the events before and after one in the list that is asked for; None at its ends."""
        ...

    def use(self, model: str, start: int, end: int) -> Sequence[tuple[str, str, int]]:
        """Versions and roles of a model, each with how many predictions it has in a span of whole panes."""
        ...

    def recent(self, spans: Mapping[str, tuple[int, int]], step: int) -> Mapping[str, Mapping[int, int]]:
        """By model, distinct predictions in each slot of `step` microseconds of its span `[start, end)`; empty slots may be left out."""
        ...

    def open_levels(self) -> Mapping[str, AbstractSet[tuple[str, Level]]]:
        """By model, the measures and levels of its open episodes; models without may be left out."""
        ...

    def episodes(self, state: str | None, model: str | None, limit: int) -> list[Episode]:
        """Episodes, newest first; `state` is open, closed or None for both."""
        ...

    def history(
        self, state: str | None, model: str | None, monitor: str | None, limit: int, after: str | None
    ) -> tuple[list[Episode], str | None]:
        """A page of episodes, newest first, and the cursor of the next page; ConfigError if `after` is no cursor."""
        ...

    def episode(self, id: str) -> Episode | None:  # noqa: A002  # the field's own name
        """One episode with its deliveries; None if there is none."""
        ...

    def cause(self, asked: CauseQuery) -> Causes:
        """The causes of a measure's change in a window. Raises ConfigError or Retryable."""
        ...

    def cause_of(self, name: str, segment: str | None = None) -> Causes | None:
        """The causes of an episode, within its segment or another slice; None if there is no such episode. Raises ConfigError or Retryable."""
        ...

    def transitions(self, id: str) -> list[Transition]:  # noqa: A002
        """What happened in an episode, oldest first."""
        ...

    def status(self) -> dict[str, Any]:
        """What `GET /v1/status` answers."""
        ...
