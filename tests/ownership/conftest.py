"""The spine, once for all of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.spine import Spine


@pytest.fixture(scope="module")
def spine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    """Three partitions, one data folder; each test has a model of its own."""
    spine = Spine(tmp_path_factory.mktemp("ownership"))
    yield spine
    spine.close()


@pytest.fixture
def model(spine: Spine, request: pytest.FixtureRequest) -> str:
    """A model with a contract, called like the test."""
    name: str = request.node.name
    spine.add(name)
    return name
