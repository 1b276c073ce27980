"""Ports of retraining: what it asks of the stores."""

from __future__ import annotations

from collections.abc import Callable

from core.retrain import Retrain

Exports = Callable[[Retrain], str | None]
"""The signed address from which the window of a request's manifest can be fetched as Parquet; None where there is no export. It is asked for at each attempt, and must hold until the deadline."""
