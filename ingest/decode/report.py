"""The loop over a request: cut, read a slice, make blocks, and report what was wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from core import text
from core.block import Categories, Ints
from core.classes import Classes
from core.contract import Contract
from ingest.decode.column import Bad
from ingest.decode.decoded import LISTED, Decoded, Unclaimed
from ingest.decode.fault import Fault, fault
from ingest.decode.payload import Row
from ingest.decode.reader import SLICE, EventForm, ModelRows, SliceReader

B = TypeVar("B")

_SHOWN, _NAMED = 60, 10  # characters of a class, and classes, in a reason


class DecodeReport:
    """The faults of a slice: `rejects`, bad `cells` of rows that are accepted, `unknown` columns by (model, name), rows `outside` the classes by model."""

    def __init__(self, reader: SliceReader, unknown: Counter[tuple[str, str]], outside: Counter[str]) -> None:
        self.rejects = reader.rejects
        self.unmet = reader.unmet
        self.unknown = unknown
        self._outside = outside
        self._cells = {(cell.row, cell.field): cell for cell in reader.cells}

    def reject(self, group: ModelRows, faults: Mapping[str, Bad]) -> npt.NDArray[np.intp] | None:
        """Reject rows, each for its first fault; `faults` are by field. The indices of the rows that are left, None for all."""
        first: dict[int, Fault] = {}
        for field, bad in faults.items():
            for i, reason in bad.items():
                first.setdefault(i, fault(group.rows[i], field, reason, group.form.model))
        if not first:
            return None
        self.rejects += first.values()
        return np.array([i for i in range(len(group.rows)) if i not in first], np.intp)

    def cells_of(self, rows: Sequence[int], field: str, bad: Mapping[int, str]) -> None:
        """Add bad cells by their index in `rows`; a cell keeps the reason that was added first."""
        for i, reason in bad.items():
            found = fault(rows[i], field, reason)
            self._cells.setdefault((found.row, found.field), found)

    def classes(self, contract: Contract, rows: Sequence[int], field: str, values: Categories) -> None:
        """Count the values that are none of the contract's classes, and add the first of them as bad cells."""
        known = Classes.of(contract)
        at = known.outside(values)
        if len(at):
            self._outside[contract.model] += len(at)
            self.cells_of(rows, field, {i: _stranger(values.texts[values.codes[i]], known.names) for i in at[:LISTED].tolist()})

    @property
    def faulty(self) -> set[int]:
        """The rows with bad cells."""
        return {row for row, _ in self._cells}

    def cells(self) -> list[Fault]:
        """The bad cells of rows that were not rejected, in order."""
        rejected = {reject.row for reject in self.rejects}
        return sorted(cell for cell in self._cells.values() if cell.row not in rejected)


def _stranger(value: str, names: Sequence[str]) -> str:
    """Why a text is none of the classes, for people."""
    shown, *listed = (text.unquote(one[:_SHOWN]) for one in (value, *names[:_NAMED]))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{shown} is none of the model's classes ({', '.join(listed)}{more}); it counts as a class of its own"


def of(each: int | Ints, rows: Sequence[int]) -> int | Ints:
    """The values of `each` for these rows; `each` is an array by row, or one number for all."""
    return each if isinstance(each, int) else each[rows]


def decode(
    rows: Sequence[Row],
    form_of: Callable[[str], EventForm | None],
    block: Callable[[DecodeReport, ModelRows], B],
    join: Callable[[list[B]], B],
    *,
    keep: bool = False,
) -> Decoded[B]:
    """Decode rows. `block` makes a group's block, `join` makes one of several. With `keep` events of models without a form are not rejected."""
    reader = SliceReader(form_of, keep=keep)
    waiting: list[Unclaimed] = []
    parts: dict[str, list[B]] = {}
    rejects: list[Fault] = []
    cells: list[Fault] = []
    unknown: Counter[tuple[str, str]] = Counter()
    outside: Counter[str] = Counter()
    for start in range(0, len(rows), SLICE):
        groups = reader.read(start, rows[start : start + SLICE])
        report = DecodeReport(reader, unknown, outside)
        for group in groups:
            parts.setdefault(group.form.model, []).append(block(report, group))
        rejects += sorted(report.rejects)
        waiting += reader.waiting
        if len(cells) < LISTED:
            cells += report.cells()[: LISTED - len(cells)]
    return Decoded(
        rows=len(rows),
        accepted=len(rows) - len(rejects),
        blocks={model: join(some) for model, some in parts.items()},
        rejects=rejects,
        cells=cells,
        unknown=dict(unknown),
        outside=dict(outside),
        waiting=waiting,
    )
