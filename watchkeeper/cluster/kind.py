"""The process types by name. Each brings in what it needs when it is asked for, and no other's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchkeeper.cluster.process import Kind, Place


def _ingest() -> Place:
    from watchkeeper.cluster.ingest import Ingest

    return Ingest


def _evaluate() -> Place:
    from watchkeeper.cluster.evaluate import Evaluate

    return Evaluate


def _deliver() -> Place:
    from watchkeeper.cluster.deliver import Deliver

    return Deliver


def _serve() -> Place:
    from watchkeeper.cluster.serve import Serve

    return Serve


MAKE: Mapping[Kind, Callable[[], Place]] = {"serve": _serve, "ingest": _ingest, "evaluate": _evaluate, "deliver": _deliver}
