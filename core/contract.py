"""The contract of a model: what its events hold, into which bins values fall, which segments there are.

A contract is frozen once it has a version. Bins belong to it: a value falls into the same bin in every process and in
every rebuild.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from core import moment
from core.described import Described

PREDICTION, SCORE, LABEL = "@prediction", "@score", "@label"
_OF_REFERENCE = "reference"  # no model may have such a name (`core.name`)


class Task(StrEnum):
    """What the model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Kind(StrEnum):
    """How a column is summarised."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    TEXT = "text"
    VECTOR = "vector"


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """What the statistics and sums of a vector column are made with (`detectors.summary.vector_column`), from the reference.

    `size` is the number of a vector's numbers; `center` and `scale` those of its k coordinates; `sample` are coordinates of vectors of the reference as
    little-endian 32-bit integers, (vectors, k); `bandwidth` is that of the Gaussian kernel, `seed` that of its random frequencies and of the projection.
    `degrees` and `degrees_of_mean` are the degrees of freedom of the squared distance of two samples' mean features, and of their means; `norm` and `nearest` the mean and
    the standard deviation of these statistics.
    """

    size: int
    center: tuple[float, ...]
    scale: float = 1.0
    sample: bytes = b""
    bandwidth: float = 1.0
    seed: int = 1
    degrees: float = 1.0
    degrees_of_mean: float = 1.0
    norm: tuple[float, float] = (0.0, 1.0)
    nearest: tuple[float, float] = (0.0, 1.0)


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column and its frozen bins.

    Numeric: `edges` (ascending) cut `len(edges) + 1` value bins `[a, b)`, open at both ends.
    Categorical: one bin for each of `categories`, then `other` (a value in `others`) and `unseen`.
    Text: as categorical, of the states `text` and `empty`; what is watched of texts are signals (`detectors.summary.text_column`).
    Vector: as categorical, of the state `vector`; also watched by signals, and by sums of the vectors (`detectors.summary.vector_column`).
    Two more close every column: `null` and `invalid`.
    """

    name: str
    kind: Kind
    edges: tuple[float, ...] = ()
    tails: tuple[float, float] | None = None  # the reference's p1 and p99
    range: tuple[float, float] | None = None  # the declared range, or the reference's least and largest; contracts from before have none
    spread: tuple[float, float] | None = None  # the reference's interquartile range and standard deviation; contracts from before have none
    categories: tuple[str, ...] = ()  # texts (core.text), most frequent first, ties by name
    others: tuple[str, ...] = ()  # seen in the reference, not kept
    once: int | None = None  # how many of `others` are in one row of the reference; contracts from before do not tell
    embedding: Embedding | None = None  # of a vector column

    @property
    def numeric(self) -> bool:
        """Whether values are numbers."""
        return self.kind == Kind.NUMERIC

    @property
    def values(self) -> int:
        """Number of value bins: without `other`, `unseen`, `null` and `invalid`."""
        return len(self.edges) + 1 if self.numeric else len(self.categories)

    @property
    def scale(self) -> float | None:
        """The unit of distances: the reference's interquartile range, its standard deviation where that is 0; None where both are, or are not known."""
        return next((size for size in self.spread or () if size > 0), None)

    @property
    def middle(self) -> float:
        """The middle edge, 0 without edges. Squares are summed about it, which keeps them small and exact where values are far from 0."""
        return self.edges[len(self.edges) // 2] if self.edges else 0.0

    @property
    def bins(self) -> int:
        """Number of bins, all included."""
        return self.values + (2 if self.numeric else 4)

    @property
    def null(self) -> int:
        """Index of the `null` bin."""
        return self.bins - 2

    @property
    def invalid(self) -> int:
        """Index of the `invalid` bin."""
        return self.bins - 1


class Dimension(msgspec.Struct, frozen=True, kw_only=True):
    """A column to segment by; `values` are the kept ones (texts, most frequent first), null apart. `new` are values that the reference does not have, taken up from events since (`monitors.ownership.new_values`)."""

    name: str
    values: tuple[str, ...]
    protected: bool = False
    new: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[str, ...]:
        """All values that are segments of their own."""
        return self.values + self.new


class Roles(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the role columns in the reference file; `replay` uses them again."""

    id: str = "prediction_id"
    ts: str = "ts"
    prediction: str = "prediction"
    score: str = "score"
    proba_prefix: str = "proba_"
    interval: tuple[str, str, float] | None = None
    label: str = "label"
    label_ts: str = "label_ts"
    latency: str | None = None
    status: str | None = None
    caller: str | None = None
    prediction_set: str | None = None
    ensemble_prefix: str | None = None
    attribution_prefix: str | None = None


class UsualWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The window of the default monitors: its length in microseconds, and how many rows of the reference it holds on average, 0 if that is not known."""

    length: int
    rows: int


class Multivariate(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a row's bins into the terms of sums over all features together (`detectors.summary.multivariate`).

    `columns` are features; `scores` hold for each of them the normal score of each value bin, nothing for a categorical one. `bandwidth` is that of the Gaussian kernel, `seed`
    that of its random frequencies. `degrees` are the degrees of freedom of the squared distance of two samples' means.
    """

    columns: tuple[str, ...]
    scores: tuple[tuple[float, ...], ...]
    bandwidth: float = 1.0
    degrees: float = 1.0
    seed: int = 1


class Contract(Described, frozen=True, kw_only=True):
    """One version of a model's contract.

    `features` are monitored; `tags` (segment and protected columns that are not features) only where a monitor names them.
    `outputs` are the bins of `@prediction`, `@score` (where the model sends one) and `@label`; `signals` are columns that are derived from an event's own
    fields (`detectors.summary.signal`).
    `score_edges` cut the scores of each class that AUC is taken of (binary: the positive one; else `classes`, in order;
    none for a class without a probability).
    `earliest` is in microseconds; `pane` is the length of a pane in microseconds. `usual` is the window of the default monitors that have thresholds, None if they have none.
    """

    model: str
    version: int
    task: Task
    features: tuple[Column, ...]
    tags: tuple[Column, ...] = ()
    outputs: tuple[Column, ...] = ()
    signals: tuple[Column, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    crosses: tuple[tuple[str, ...], ...] = ()
    classes: tuple[str, ...] = ()  # texts, sorted; empty for regression
    scored: bool = False  # whether predictions carry a score (binary) or probabilities
    score_edges: tuple[tuple[float, ...], ...] = ()
    positive: str = "1"
    threshold: float = 0.5
    earliest: int = 365 * moment.DAY  # 1971-01-01
    pane: int = moment.HOUR
    roles: Roles = Roles()
    usual: UsualWindow | None = None
    multivariate: Multivariate | None = None  # None where panes hold no sums over all features together
    facts: bool = False  # whether the rows of the reference are kept as facts; contracts from before do not say so
    referred: int = 0  # the version under which the facts of the reference are kept; 0: this one
    summary: int = (
        0  # the edition of the sums of the reference (`detectors.summary.edition`), 0 without a reference and in contracts from before
    )

    @property
    def evaluated_as(self) -> tuple[int, int]:
        """The version, and the edition of the reference's sums: readings are evaluated again when either changes."""
        return self.version, self.summary

    @property
    def of_reference(self) -> Contract:
        """The contract under which the reference is kept in the fact store, as a model of its own, whose name no event and no definition can have."""
        return msgspec.structs.replace(self, model=f"{self.model}/{self.based_on}/{_OF_REFERENCE}", version=self.based_on, referred=0)

    @property
    def based_on(self) -> int:
        """The version that brought its reference: this one, unless it only took up new values of segments."""
        return self.referred or self.version

    @property
    def is_reference(self) -> bool:
        """Whether it is such a contract."""
        return self.model.endswith(f"/{self.version}/{_OF_REFERENCE}")

    @property
    def columns(self) -> tuple[Column, ...]:
        """Features, then tags: the columns that events send."""
        return self.features + self.tags

    @property
    def kept(self) -> tuple[Column, ...]:
        """The columns that events send, then signals: the order in which raw events keep them."""
        return self.columns + self.signals

    @property
    def own(self) -> tuple[Column, ...]:
        """All columns that a monitor may name: features, outputs, signals, and tags that have bins; contracts from before have none for tags."""
        return self.features + self.outputs + self.signals + tuple(tag for tag in self.tags if tag.edges or tag.categories)

    @property
    def protected(self) -> tuple[str, ...]:
        """Names of the protected attributes."""
        return tuple(dimension.name for dimension in self.dimensions if dimension.protected)

    @property
    def summarised(self) -> tuple[Column, ...]:
        """The columns that input panes hold: features, `@prediction`, `@score` where there is one, signals, and tags that have bins."""
        return tuple(column for column in self.own if column.name != LABEL)

    def column(self, name: str) -> Column:
        """The feature, tag, output or signal called `name`; KeyError if there is none."""
        for column in (*self.own, *self.tags):
            if column.name == name:
                return column
        raise KeyError(name)
