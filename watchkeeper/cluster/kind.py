"""The process types by name. The modules of a type are imported only when it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchkeeper.cluster.process import Kind, PartFactory


def _ingest() -> PartFactory:
    from watchkeeper.cluster.ingest import IngestPart

    return IngestPart


def _evaluate() -> PartFactory:
    from watchkeeper.cluster.evaluate import EvaluatePart

    return EvaluatePart


def _deliver() -> PartFactory:
    from watchkeeper.cluster.deliver import DeliverPart

    return DeliverPart


def _serve() -> PartFactory:
    from watchkeeper.cluster.serve import ServePart

    return ServePart


MAKE: Mapping[Kind, Callable[[], PartFactory]] = {"serve": _serve, "ingest": _ingest, "evaluate": _evaluate, "deliver": _deliver}
