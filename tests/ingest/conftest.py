"""What the tests of ingest share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.facts.chdb import Chdb
from storage.facts.migration import migrate


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Chdb]:
    """An empty store."""
    engine = Chdb(tmp_path / "facts")
    migrate(engine)
    yield engine
    engine.close()
