"""The process types by name. The modules of a type are imported only when it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchkeeper.cluster.process import Kind, PartFactory


def _ingest() -> PartFactory:
    from watchkeeper.cluster.ingest import Ingest

    return Ingest


def _evaluate() -> PartFactory:
    from watchkeeper.cluster.evaluate import Evaluate

    return Evaluate


def _deliver() -> PartFactory:
    from watchkeeper.cluster.deliver import Deliver

    return Deliver


def _serve() -> PartFactory:
    from watchkeeper.cluster.serve import Serve

    return Serve


MAKE: Mapping[Kind, Callable[[], PartFactory]] = {"serve": _serve, "ingest": _ingest, "evaluate": _evaluate, "deliver": _deliver}
