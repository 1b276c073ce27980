"""Reads a model's raw events in the layout of one contract, whichever contract versions they came under."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import repeat
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats, Ints, Outcomes, Predictions
from core.contract import Contract
from core.draw import drawn
from core.error import Fatal
from core.region import told
from core.text import NULL
from monitors.evidence.conversion import convert, convert_outcomes, with_columns
from monitors.evidence.kept import Kept
from monitors.ports import Contracts, Raw

T = TypeVar("T")

_HELD = 16  # samples of references, and what is made of them


class History:
    """Reads the events of slots, one block for each contract version under which events came; empty blocks are left out."""

    def __init__(self, raw: Raw, contracts: Contracts) -> None:
        self._raw, self._contracts = raw, contracts
        self._kept: dict[tuple[object, ...], Any] = {}
        self.windows = Kept()
        self._lock = threading.Lock()

    def predictions(self, contract: Contract, slots: Ints) -> Iterator[Predictions]:
        """The distinct events of these slots that count."""
        for source in self._sources(contract, slots):
            if len(block := self._raw.predictions(source, slots, contract.pane)):
                yield convert(block, source, contract)

    def sample(
        self,
        contract: Contract,
        slots: Ints,
        most: int,
        *,
        version: str | None = None,
        role: str | None = None,
        only: Collection[str] | None = None,
    ) -> Predictions | None:
        """The `most` of these events that a hash of their ids draws (`core.draw`), in its order, without vectors; of one version of the model, or of all. None if there are none.

        With `only`, no other columns need be there; events of other contract versions are read in whole, since a conversion may need all.
        """
        sources = list(self._sources(contract, slots))
        vectors = sources != [contract]  # which a conversion needs
        found = [
            convert(block, source, contract)
            for source in sources
            if len(
                block := self._raw.predictions(
                    source, slots, contract.pane, most=most, version=version, **_of(role), vectors=vectors, only=None if vectors else only
                )
            )
        ]
        if len(found) < 2:
            return found[0] if found else None
        every = Predictions.concat(found)
        return every.take(drawn(every.id, most))

    def kept(self, contract: Contract, most: int, only: Collection[str] | None = None) -> Predictions | None:
        """Such a sample of the rows of the reference that are kept; None if there are none. The last ones are held in memory."""
        of = contract.of_reference
        key = ("sample", most, None if only is None else tuple(sorted(only)))
        return self.of_reference(contract, key, lambda: self.sample(of, self._raw.slots(of.model, of.pane), most, only=only))

    def of_reference(self, contract: Contract, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """The result of `make`, which is called once for a reference and a key, as long as the result is held; None is not, since rows may be stored later."""
        place = (contract.model, contract.evaluated_as, *key)
        with self._lock:
            if place in self._kept:
                held: T = self._kept[place]
                return held
        found = make()
        if found is not None:
            with self._lock:
                if len(self._kept) >= _HELD:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[place] = found
        return found

    def traces(self, contract: Contract) -> tuple[Ints, Ints]:
        """The slots that have events, ascending, and numbers of each, of which one changes whenever its labelled rows may have."""
        return self._raw.traces(contract.model, contract.pane)

    def truths(
        self, contract: Contract, slots: Ints, sample: Predictions, *, version: str | None = None, role: str | None = None
    ) -> Floats:
        """The label of each event of a sample of these slots, in its order, of one version of the model, or of all; NaN where it is not known. The model is a regression."""
        if not len(sample):
            return np.zeros(0)
        ids, times, numbers, _ = self._raw.truths(contract.model, slots, contract.pane, sample.id[-1], version=version, **_of(role))
        at = _places(sample, ids, times)
        return np.where(at >= 0, np.append(numbers, np.nan)[at], np.nan)

    def classes(
        self, contract: Contract, slots: Ints, sample: Predictions, *, version: str | None = None, role: str | None = None
    ) -> Categories:
        """As `truths`, of a model of classes: the label's text as it came, `null` where it is not known."""
        if not len(sample):
            return Categories.of(())
        ids, times, _, texts = self._raw.truths(contract.model, slots, contract.pane, sample.id[-1], version=version, **_of(role))
        codes = np.append(texts.codes, len(texts.texts))[_places(sample, ids, times)]  # the last one where there is no label
        return Categories(codes.astype(np.int32), [*texts.texts, NULL])

    def kept_classes(self, contract: Contract, sample: Predictions) -> Categories:
        """The labels of a sample of the rows of the reference that are kept."""
        of = contract.of_reference
        return self.classes(of, self._raw.slots(of.model, of.pane), sample)

    def kept_truths(self, contract: Contract, sample: Predictions) -> Floats:
        """The labels of a sample of the rows of the reference that are kept."""
        of = contract.of_reference
        return self.truths(of, self._raw.slots(of.model, of.pane), sample)

    def unseen(
        self, contract: Contract, columns: Sequence[str], slots: Ints, most: int, *, version: str | None = None, role: str | None = None
    ) -> dict[str, list[tuple[str, int]]]:
        """By categorical column the most frequent values of events in these slots, under whichever contract they came, that the reference of `contract` does not have, and how many events have each."""
        sources = () if contract.version == 1 else tuple(self._sources(contract, slots))  # under the first one no others came
        return self._raw.unseen(contract, columns, slots, most, version=version, **_of(role), sources=sources)

    def outcomes(
        self,
        contract: Contract,
        slots: Ints,
        *,
        version: str | None = None,
        role: str | None = None,
        columns: Sequence[str] = (),
        weights: bool = False,
        keys: bool = False,
        due: int | None = None,
    ) -> Iterator[Outcomes]:
        """The labelled events of these slots that count; of one version of the model, or of all. With these features and tags, the labels' weights, and the events' ids and requests (`keys`).

        With `due` their labels are those that held at that time after the end of their slot.
        """
        dimensions, regional = [dimension.name for dimension in contract.dimensions], contract if told(contract) else None
        more = (
            _of(role)
            | ({"columns": columns} if columns else {})
            | ({"weights": True} if weights else {})
            | ({"keys": True} if keys else {})
            | ({} if due is None else {"due": due})
        )
        for source in self._sources(contract, slots):
            if len(block := self._raw.outcomes(source, dimensions, slots, contract.pane, version=version, **more, regions_of=regional)):
                yield with_columns(convert_outcomes(block, source, contract), contract, columns)

    def kept_outcomes(self, contract: Contract, *, columns: Sequence[str] = (), weights: bool = False) -> Iterator[Outcomes]:
        """The labelled rows of the reference that are kept. `contract` may be that of the reference itself."""
        of = contract if contract.is_reference else contract.of_reference
        return self.outcomes(of, self._raw.slots(of.model, of.pane), columns=columns, weights=weights)

    def _sources(self, contract: Contract, slots: Ints) -> Iterator[Contract]:
        """The contract versions under which the slots' events came; those of a reference, and of a model without a second version, came under one."""
        if contract.is_reference or (contract.version == 1 and self._contracts(contract.model, 2) is None):
            yield contract
            return
        for version in self._raw.contracts(contract.model, slots, contract.pane):
            source = contract if version == contract.version else self._contracts(contract.model, version)
            if source is None:
                raise Fatal(
                    f"events of {contract.model} were taken under contract version {version}, which the control store does not know; restore it"
                )
            yield source


def _places(sample: Predictions, ids: npt.NDArray[np.object_], times: Ints) -> Ints:
    """Where the event of each row of a sample stands among ids and times: (rows,), -1 where it does not."""
    place = dict(zip(ids.tolist(), range(len(ids)), strict=True))
    if len(place) == len(ids):  # else an id stands at two times
        at = np.fromiter(map(place.get, sample.id.tolist(), repeat(-1)), np.int64, len(sample))
        return np.where(np.append(times, 0)[at] == sample.ts, at, -1)
    both = {key: at for at, key in enumerate(zip(ids.tolist(), times.tolist(), strict=True))}
    return np.fromiter((both.get(key, -1) for key in zip(sample.id.tolist(), sample.ts.tolist(), strict=True)), np.int64, len(sample))


def _of(role: str | None) -> dict[str, Any]:
    """The argument for events of one role."""
    return {} if role is None else {"role": role}
