"""The conditions that panes are of a model's contract and a span, and that they count."""

from __future__ import annotations

from core.contract import Contract

WINDOW = "toUnixTimestamp64Micro(slot) - positiveModulo(toUnixTimestamp64Micro(slot) - {phase:Int64}, {length:Int64})"
HELD = (
    "model = {model:String} AND contract = {contract:UInt32} AND pane = {pane:UInt64}"
    " AND slot >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND slot < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
)
# Of a slot that was rebuilt from raw events, only the panes of the last rebuild count; those that ingest added have generation 0. One set has both: a second one would cost as much again.
REBUILDS = "FROM rebuilds WHERE model = {model:String} AND contract = {contract:UInt32}"
CURRENT = f"((slot, generation) IN (SELECT slot, arrayJoin([max(generation), 0]) {REBUILDS} GROUP BY slot)) != (generation = 0)"
# Of performance panes those of the newest generation count.
NEWEST = f"(slot, generation) IN (SELECT slot, max(generation) FROM performance_panes WHERE {HELD} GROUP BY slot)"


def parameters_of(contract: Contract, length: int, span: tuple[int, int]) -> dict[str, object]:
    """The parameters of these conditions: panes of a contract in a span, in windows of `length` microseconds."""
    return {
        "model": contract.model,
        "contract": contract.version,
        "pane": contract.pane,
        "length": length,
        "phase": 0,
        "low": span[0],
        "high": span[1],
    }
