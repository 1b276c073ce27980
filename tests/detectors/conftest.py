"""What these tests share."""

from __future__ import annotations

import builtins
from typing import Any

import pytest


@pytest.fixture
def no_sklearn(monkeypatch: pytest.MonkeyPatch) -> None:
    """scikit-learn cannot be imported, as where only the client is installed."""
    real = builtins.__import__

    def refuse(name: str, *more: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError("No module named 'sklearn'")
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", refuse)
