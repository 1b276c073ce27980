"""The backend, once for all of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.backend import Backend


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Three partitions, one data folder; each test has a model of its own."""
    backend = Backend(tmp_path_factory.mktemp("ownership"))
    yield backend
    backend.close()


@pytest.fixture
def model(backend: Backend, request: pytest.FixtureRequest) -> str:
    """A model with a contract, called like the test."""
    name: str = request.node.name
    backend.add(name)
    return name
