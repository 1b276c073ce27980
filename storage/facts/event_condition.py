"""Conditions on raw events in SQL. An event keeps its values by position, in the order of the contract version under which it was taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.contract import PREDICTION, SCORE, Contract, Task
from core.error import ConfigError
from core.event_query import Outside, Range, Texts, Values
from core.segment import ALL
from core.text import INVALID, NULL, OTHER


class Place(NamedTuple):
    """Where an event keeps a column: an expression, and whether it is a number."""

    sql: str
    numeric: bool


_ABSENT = Place("toLowCardinality('null')", numeric=False)


class Conditions:
    """Conditions and their parameters. `contracts` are all versions of the model's contract, the newest last; `predicted` is the predicted class in SQL."""

    def __init__(self, contracts: Sequence[Contract], predicted: str) -> None:
        self._contracts, self._newest, self._predicted = contracts, contracts[-1], predicted
        self.sql: list[str] = []
        self.parameters: dict[str, Any] = {}

    def bind(self, value: Any, kind: str) -> str:
        """A new parameter with this value, as SQL names it."""
        name = f"c{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    def equal(self, wanted: Mapping[str, str | None]) -> None:
        """Text columns of the table have these values; None asks for all."""
        self.sql += [f"{name} = {self.bind(value, 'String')}" for name, value in wanted.items() if value is not None]

    def segment(self, text: str) -> None:
        """The event is in this segment. Raises ConfigError for one that the contract does not have."""
        kept = {dimension.name: dimension.kept for dimension in self._newest.dimensions}
        for part in () if text == ALL else text.split(","):
            name, equals, value = part.partition("=")
            if not equals or name not in kept:
                problem = f"`segment`: {part[:80]!r} is no segment of `{self._newest.model}`"
                raise ConfigError(problem, remedy="use all" + "".join(f", or {one}=VALUE" for one in kept))
            bare: Mapping[str, Values] = {NULL: "null", INVALID: "invalid", OTHER: Texts(kept[name], others=True)}
            self.holds(name, bare.get(value, Texts((value,))))

    def holds(self, column: str, values: Values) -> None:
        """The value of a column is one of these. In events of a contract version that has not the column it is null."""
        versions: dict[Place, list[int]] = {}
        for contract in self._contracts:
            versions.setdefault(self._place(contract, column), []).append(contract.version)
        each = (f"(contract IN ({', '.join(map(str, those))}) AND {self._holds(place, values)})" for place, those in versions.items())
        self.sql.append(f"({' OR '.join(each)})")

    def _holds(self, place: Place, values: Values) -> str:
        if isinstance(values, Range):
            if not place.numeric:
                return "false"
            bounds = [
                f"{place.sql} {sign} {self.bind(bound, 'Float64')}"
                for sign, bound in ((">=", values.low), ("<", values.high))
                if bound is not None
            ]
            return " AND ".join([f"isFinite({place.sql})", *bounds])
        if isinstance(values, Outside):
            low, high = self.bind(values.low, "Float64"), self.bind(values.high, "Float64")
            return f"isFinite({place.sql}) AND ({place.sql} < {low} OR {place.sql} > {high})" if place.numeric else "false"
        if isinstance(values, Texts):
            if place.numeric:
                numbers = [number for one in values.texts if (number := _number(one)) is not None]
                found = f"{place.sql} IN (SELECT arrayJoin({self.bind(numbers, 'Array(Float64)')}))"
                return f"isFinite({place.sql}) AND NOT {found}" if values.others else found
            texts = [*values.texts, NULL, INVALID] if values.others else list(values.texts)
            return f"{place.sql} {'NOT ' if values.others else ''}IN (SELECT arrayJoin({self.bind(texts, 'Array(String)')}))"
        if place.numeric:
            return f"{'isNaN' if values == NULL else 'isInfinite'}({place.sql})"
        return f"{place.sql} = '{values}'"

    def _place(self, contract: Contract, name: str) -> Place:
        if name == PREDICTION:
            return Place("number", numeric=True) if contract.task is Task.REGRESSION else Place(self._predicted, numeric=False)
        return Place("score", numeric=True) if name == SCORE else places(contract).get(name, _ABSENT)


def places(contract: Contract) -> dict[str, Place]:
    """Where events of a contract version keep their columns and signals, by name."""
    numeric = [column.name for column in contract.kept if column.numeric]
    texts = [column.name for column in contract.kept if not column.numeric]
    found = {name: Place(f"numbers[{at}]", numeric=True) for at, name in enumerate(numeric, 1)}
    return found | {name: Place(f"texts[{at}]", numeric=False) for at, name in enumerate(texts, 1)}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
