"""The rows of a file under the contract of its reference: events, segments, bins, windows, labels."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tests.oracle import text, vector
from tests.oracle.bins import Bins, CategoricalBins, NumericBins, ranking
from tests.oracle.performance import Labelled
from tests.oracle.signal import STATUSES, TEXTS, fixed_edges, number_values, text_values
from tests.oracle.spec import Spec
from tests.oracle.value import INVALID, NULL, OTHER, numbers, texts


def events(stream: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """The distinct predictions among the rows, the first of an id by time; those that the server must reject are none."""
    valid = stream[spec.id].notna() & stream[spec.ts].notna() & stream[spec.prediction].notna()
    if spec.regression:
        valid = valid & np.isfinite(stream[spec.prediction].astype(float))
    return stream[valid].sort_values(spec.ts, kind="stable").drop_duplicates(spec.id, keep="first").reset_index(drop=True)


class Rows:
    """The rows of a file under the contract that its reference makes: segments, bins, truth."""

    def __init__(self, frame: pd.DataFrame, reference: pd.DataFrame, spec: Spec, contract: Rows | None = None) -> None:
        self.frame, self.reference, self.spec = frame, reference, spec
        self.contract = contract or self  # the rows whose numbers say what is usual
        self.size = len(frame)
        self.everyone = np.zeros(self.size, np.int64)
        dimensions = {name: self._dimension(name) for name in spec.dimensions}
        self.segments: dict[tuple[str, ...], npt.NDArray[np.object_]] = {}
        for grouping in spec.groupings:
            names = np.full(self.size, "all" if not grouping else "", dtype=object)
            for place, name in enumerate(grouping):
                names = names + ("," if place else "") + f"{name}=" + dimensions[name]
            self.segments[grouping] = names
        self.labelled = self._label_present()
        # Many monitors ask for the same; each is worked out once.
        self.binned, self.outcomes, self._cells = cache(self._binned), cache(self._outcomes), cache(self._counted)
        self._made: dict[Hashable, Any] = {}
        self.values, self.members = cache(self._values), cache(self._members)

    def once(self, name: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gives, which is worked out once for a name."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def window(self, length: int) -> npt.NDArray[np.int64]:
        """The start of each row's window."""
        ts = self._micros(self.spec.ts)
        return np.asarray(ts // length * length, np.int64)

    @cached_property
    def delays(self) -> npt.NDArray[np.int64]:
        """From each row's time to that of its label, in microseconds; of rows without label it means nothing."""
        return self._micros(self.spec.label_ts) - self._micros(self.spec.ts)

    @cached_property
    def times(self) -> npt.NDArray[np.int64]:
        """The times of all rows, in microseconds."""
        return self._micros(self.spec.ts)

    @cached_property
    def label_times(self) -> npt.NDArray[np.int64]:
        """The times of all labels, in microseconds."""
        return self._micros(self.spec.label_ts)[self.labelled]

    def _micros(self, column: str) -> npt.NDArray[np.int64]:
        return np.asarray(pd.to_datetime(self.frame[column], utc=True).dt.as_unit("us").astype("int64").to_numpy(), np.int64)

    def _binned(self, column: str) -> tuple[Bins, npt.NDArray[np.int64]]:
        """The bins of a column, made from the reference, and the bin of each row."""
        if column.startswith("@") and column not in {"@prediction", "@score", "@label"}:
            return self._signal(column)
        if column in self.spec.vectors:
            held = self._source(self.frame, column)
            kinds = CategoricalBins(np.zeros(0, object), ("vector",))
            return kinds, kinds.codes(vector.states(self.values(column), held.isna().to_numpy()))
        if column in self.spec.text:
            states = CategoricalBins(text.states(self.reference[column]), text.STATES)
            return states, states.codes(text.states(self._source(self.frame, column)))
        if self._numeric(column):
            bins = NumericBins(numbers(self._source(self.reference, column)))
            return bins, bins.codes(numbers(self._source(self.frame, column)))
        binary = self.spec.task == "binary" and column in {"@prediction", "@label"}
        kinds = CategoricalBins(texts(self._source(self.reference, column), binary=binary))
        return kinds, kinds.codes(texts(self._source(self.frame, column), binary=binary))

    def _values(self, column: str) -> npt.NDArray[Any]:
        """The values of a column: numbers, NaN null and infinity invalid, or texts."""
        if column in self.spec.vectors:
            return vector.vectors(self._source(self.frame, column), self.spec.vectors[column])
        numeric = isinstance(self.binned(column)[0], NumericBins)
        if column.startswith("@") and column not in {"@prediction", "@score", "@label"}:
            if numeric:
                return number_values(self.frame, self.reference, self.spec, column)
            return text_values(self.frame, self.spec, column)
        if numeric:
            return numbers(self._source(self.frame, column))
        if column in self.spec.text:
            return text.states(self._source(self.frame, column))
        return texts(self._source(self.frame, column), binary=self.spec.task == "binary" and column in {"@prediction", "@label"})

    def _members(self, grouping: tuple[str, ...], length: int, every: int, labelled: bool) -> dict[tuple[int, str], npt.NDArray[np.int64]]:
        """The rows of each window and segment that there is."""
        rows, places, cells = self._cells(grouping, length, every, labelled)
        if not places:
            return {}
        order = np.argsort(cells, kind="stable")
        return dict(zip(places, np.split(rows[order], np.searchsorted(cells[order], np.arange(1, len(places)))), strict=True))

    def _signal(self, name: str) -> tuple[Bins, npt.NDArray[np.int64]]:
        reference, spec = self.reference, self.spec
        if name in TEXTS:
            kinds = CategoricalBins(text_values(reference, spec, name), STATUSES if name == "@status" else None)
            return kinds, kinds.codes(text_values(self.frame, spec, name))
        edges = fixed_edges(name, len(spec.watched(reference)))
        bins = NumericBins(number_values(reference, reference, spec, name), edges)
        return bins, bins.codes(number_values(self.frame, reference, spec, name))

    def _outcomes(self) -> Labelled:
        """Prediction, label and scores of all rows; of rows without label they mean nothing."""
        spec, frame = self.spec, self.frame
        if spec.regression:
            return Labelled(numbers(frame[spec.prediction]), numbers(self._source(frame, "@label")), {})
        binary = spec.task == "binary"
        prediction, label = texts(frame[spec.prediction], binary=binary), texts(self._source(frame, "@label"), binary=binary)
        scores: dict[str, npt.NDArray[np.float64]] = {}
        if binary and spec.score in frame:
            scores[spec.positive] = _finite(numbers(frame[spec.score]))
        elif binary:
            scores.update((spec.positive, _finite(numbers(frame[name]))) for name in self._probability(spec.positive))
        else:
            names = spec.probabilities(self.reference)
            scores |= {str(texts(pd.Series([name.removeprefix(spec.proba_prefix)]))[0]): _finite(numbers(frame[name])) for name in names}
        return Labelled(prediction, label, scores)

    def _probability(self, value: str) -> list[str]:
        return [name for name in (f"{self.spec.proba_prefix}{value}",) if name in self.frame]

    def _numeric(self, column: str) -> bool:
        if column == "@score":
            return True
        if column in {"@prediction", "@label"}:
            return self.spec.regression
        dtype = self.reference[column].dtype
        number = pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
        return number and column not in self.spec.texts

    def _source(self, frame: pd.DataFrame, column: str) -> pd.Series:
        spec = self.spec
        name = {"@prediction": spec.prediction, "@score": spec.score, "@label": spec.label}.get(column, column)
        return frame[name] if name in frame else pd.Series(np.full(len(frame), np.nan))

    def _dimension(self, name: str) -> npt.NDArray[np.object_]:
        if name in TEXTS:
            known, own = text_values(self.reference, self.spec, name), text_values(self.frame, self.spec, name)
        else:
            known, own = texts(self.reference[name]), texts(self._source(self.frame, name))
        kept = {*ranking(known)[:100], NULL, INVALID}
        return np.array([value if value in kept else OTHER for value in own], dtype=object)

    def _label_present(self) -> npt.NDArray[np.bool_]:
        spec, frame = self.spec, self.frame
        if spec.label not in frame:
            return np.zeros(self.size, np.bool_)
        present = frame[spec.label].notna().to_numpy()
        if spec.label_ts in frame and frame is not self.reference:
            present = present & frame[spec.label_ts].notna().to_numpy()
        if spec.regression:
            present = present & np.isfinite(numbers(frame[spec.label]))
        return np.asarray(present & frame[spec.prediction].notna().to_numpy(), np.bool_)

    def windows(self, rows: npt.NDArray[np.int64], length: int, every: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows and the start of a window that holds each, once for each of its windows: one begins every `every`, or every `length` if that is 0."""
        if not length:
            return rows, np.zeros(len(rows), np.int64)
        every = every or length
        starts = self.window(every)[rows]
        return np.tile(rows, length // every), np.concatenate([starts - place * every for place in range(length // every)])

    def table(self, column: str, grouping: tuple[str, ...], length: int, every: int = 0) -> dict[tuple[int, str], list[int]]:
        """Counts of a column's bins by window and segment; `length` 0 is one window, 0. The truth's column counts labelled rows only."""
        bins, codes = self.binned(column)
        rows, places, cells = self._cells(grouping, length, every, column == "@label")
        counts = np.bincount(cells * bins.size + codes[rows], minlength=len(places) * bins.size).reshape(len(places), bins.size).tolist()
        return dict(zip(places, counts, strict=True))

    def _counted(
        self, grouping: tuple[str, ...], length: int, every: int, labelled: bool
    ) -> tuple[npt.NDArray[np.int64], list[tuple[int, str]], npt.NDArray[np.int64]]:
        """Rows, the windows and segments that there are, and which of these each row is in."""
        rows, windows = self.windows(np.flatnonzero(self.labelled) if labelled else np.arange(self.size), length, every)
        keys = list(zip(windows.tolist(), self.segments[grouping][rows].tolist(), strict=True))
        places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        return rows, list(places), np.array([places[key] for key in keys], np.int64)

    def groups(self, grouping: tuple[str, ...], length: int, every: int = 0) -> dict[tuple[int, str], npt.NDArray[np.int64]]:
        """Indices of the labelled rows by window and segment; `length` 0 is one window, 0."""
        rows, windows = self.windows(np.flatnonzero(self.labelled), length, every)
        found = pd.DataFrame({"window": windows, "segment": self.segments[grouping][rows]}).groupby(["window", "segment"]).indices
        keys: list[Any] = list(found)
        return {(int(start), str(segment)): rows[found[start, segment]] for start, segment in keys}


def _finite(score: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(np.isinf(score), np.nan, score)
