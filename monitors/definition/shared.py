"""Budgets of models as a whole, as they are written, and which monitors share them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.contract import Contract
from core.error import ConfigError
from core.monitor import Budget, Gate, ModelBudget, Monitor
from detectors import catalogue
from monitors.definition import field
from monitors.definition.document import DefinitionEntry, Faults, unknown

_KEYS = ("budget", "model", "rate")


def joins(monitor: Monitor) -> bool:
    """Whether a monitor takes part in a budget of its model: it is enabled, compares what has a p-value over windows that do not overlap, and has nothing that alarms already."""
    spec = catalogue.known(monitor.measure)
    if spec is None or not spec.about.tested or monitor.baseline is None or not monitor.enabled:
        return False
    own = monitor.warn is not None or monitor.critical is not None or monitor.budget is not None or monitor.gate is not Gate.NONE
    return not own and not monitor.window.overlaps


def model_budget(entry: DefinitionEntry, faults: Faults, contract: Callable[[str], Contract | None]) -> ModelBudget:
    """The budget of an entry, with placeholders for fields with faults."""
    where = f"budget `{entry.name}`"
    for key in entry.fields:
        if key not in _KEYS:
            faults.add(entry.lines[key], where, unknown("field", key, _KEYS))
    for key, example in (("model", "taxi-fare"), ("rate", "1 per 30d")):
        if entry.fields.get(key) is None:
            faults.add(entry.line, where, ConfigError(f"`{key}` is missing", remedy=f"write for example `{key}: {example}`"))
    model = faults.read(entry, "model", lambda value: _known(value, contract), "")
    rate = faults.read(entry, "rate", lambda value: field.budget(value, None, None), Budget(1, 1))
    return ModelBudget(entry.name, model, rate)


def one_each(budgets: Sequence[ModelBudget], there: Sequence[ModelBudget]) -> None:
    """Raise ConfigError if a model would have two budgets, or two models one."""
    for place, budget in enumerate(budgets):
        for other in (*there, *budgets[:place]):
            if (other.model == budget.model) != (other.name == budget.name):
                problem = f"the budget `{other.name}` of `{other.model}` is there already, and a model has one"
                raise ConfigError(problem, remedy=f"delete it first: watchkeeper delete budget {other.name}, or give another name")


def _known(value: object, contract: Callable[[str], Contract | None]) -> str:
    if not isinstance(value, str) or contract(value) is None:
        raise ConfigError(f"there is no model `{value}`", remedy=f"give its reference first: watchkeeper reference {value} FILE.parquet")
    return value
