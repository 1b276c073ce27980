"""The condition that events are in some slots, and that they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.block import Ints

# Long lists are in a subquery: ClickHouse searches a constant of more than 1 MiB after IN for each row, and makes no set of it.

# The slot of a time; right before 1970, too.
SLOT = "toUnixTimestamp64Micro({ts}) - positiveModulo(toUnixTimestamp64Micro({ts}), {{pane:Int64}})"
_WITHIN = "ts >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
_LISTED = f" AND {SLOT.format(ts='ts')} IN (SELECT arrayJoin({{slots:Array(Int64)}}))"
IN_SLOTS = _WITHIN + _LISTED  # the condition that `ts` is in the parameters of `slots`; statements that have it go through `flat`

# The event is not contested, so it counts. To be used together with `IN_SLOTS`.
COUNTS = (
    "(prediction_id, partition, position, place) NOT IN (SELECT prediction_id, partition, position, place FROM contested"
    f" WHERE model = {{model:String}} AND {IN_SLOTS})"
)


def slots(values: Sequence[int] | Ints, pane: int) -> dict[str, object]:
    """Parameters for `IN_SLOTS`. Slots without a gap are given by their ends; others are given as one text, because the driver is slow with lists."""
    if not len(values):
        return {"slots": "[]", "low": 0, "high": 0, "pane": pane}
    starts = np.unique(np.asarray(values, np.int64))
    low, high = int(starts[0]), int(starts[-1]) + pane
    gapless = high - low == len(starts) * pane
    listed = "" if gapless else ",".join(map(str, starts.tolist()))
    return {"slots": f"[{listed}]", "low": low, "high": high, "pane": pane}


def flat(sql: str, where: Mapping[str, object]) -> str:
    """The statement without the list of slots where these have no gap: the engine would analyse and plan a subquery for each."""
    return sql.replace(_LISTED, "") if where["slots"] == "[]" else sql
