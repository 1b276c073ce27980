"""What a reader of evidence has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from core.contract import Contract
from core.span import Spans
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope


@runtime_checkable
class OfReferenceRows(Protocol):
    """A reader whose evidence of the reference is made of its rows."""

    def reference_rows(self, reads: Reads, /) -> Any:
        """The evidence of the reference."""
        ...


@runtime_checkable
class OfOwnColumns(Protocol):
    """A reader for the whole model that reads columns of its own."""

    def columns(self, contract: Contract, /) -> tuple[str, ...]:
        """The columns whose panes are read."""
        ...


def reference_of(kind: EvidenceKind, reads: Reads, column: str) -> Any:
    """The evidence of the reference, from its summary or from its rows."""
    return kind.reference_rows(reads) if isinstance(kind, OfReferenceRows) else kind.reference(reads.scope, column)


class EvidenceKind(Protocol):
    """A module, or an object, that reads one kind of evidence."""

    def fields(self, column: str, /) -> PaneFields:
        """The fields of panes that are read for a column."""
        ...

    def parts(self, reads: Reads, extent: Extent, windows: Spans, /) -> list[slice]:
        """The windows to evaluate at a time."""
        ...

    def read(self, reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]], /) -> Sequence[Any]:
        """The evidence of each side, of which each pools its spans, from one extent. `column` is "" for a measure of the whole model, an attribute for one of groups."""
        ...

    def reference(self, scope: Scope, column: str, /) -> Any:
        """The evidence of the reference."""
        ...
