"""The definition that is shown of a stored monitor is the one that makes it."""

from __future__ import annotations

import msgspec
import pytest

from core.monitor_document import definition
from dashboard.monitor_form import as_yaml
from monitors.definition.grammar import parse
from tests.monitors.contracts import CONTRACTS
from tests.monitors.test_grammar import FILES, read, stems


@pytest.mark.parametrize("name", stems("good"))
def test_a_definition_that_is_shown_makes_the_same_monitor(name: str) -> None:
    """For every good file: what is usual is left out, and nothing else."""
    found = read((FILES / "good" / f"{name}.yaml").read_text(encoding="utf-8"))
    contracts = CONTRACTS | {one.model: one for one in found.contracts}
    for one in found.monitors:
        again = parse(as_yaml(definition(one)), contract=contracts.get).monitors
        assert [msgspec.to_builtins(each) for each in again] == [msgspec.to_builtins(one)]
