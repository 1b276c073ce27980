"""The newest judged readings of a monitor, from which trust is made."""

from __future__ import annotations

from core.moment import HOUR
from storage.facts.engine import Engine
from storage.facts.readings import Readings


def test_the_last_judged_readings_are_the_newest_of_each_column_and_segment(engine: Engine) -> None:
    """However many there are, and whatever other definitions have: judged ones first, then others; the newest revision of each."""
    many, definition = 60_000, (1, 1)
    engine.command(
        "INSERT INTO readings (model, monitor, monitor_version, contract, column, segment, window_start, window_end, verdict, revision)"
        " SELECT 'm', 'w', 1, 1, '', concat('c=', toString(number % 3)), toDateTime64(3600 * intDiv(number, 3), 6), toDateTime64(3600 * (intDiv(number, 3) + 24), 6),"
        f" if(number % 3 = 1 AND number > 30000, 'nodata', 'ok'), 1 FROM numbers({many})"
    )
    engine.command(
        "INSERT INTO readings (model, monitor, monitor_version, contract, column, segment, window_start, window_end, verdict, revision) VALUES"
        f" ('m', 'w', 1, 1, '', 'c=0', toDateTime64({3600 * (many // 3 - 1)}, 6), toDateTime64({3600 * (many // 3 + 23)}, 6), 'critical', 2),"
        " ('m', 'w', 2, 1, '', 'c=0', toDateTime64(3600000000, 6), toDateTime64(3600003600, 6), 'ok', 1)"
    )
    readings, end = Readings(engine), (many // 3 + 23) * HOUR
    assert readings.last("m", "w", definition) == end
    assert readings.last("m", "w", (3, 1)) is None
    rows = readings.judged("m", "w", definition, 0, 2, None).to_pylist()
    found = sorted((row["segment"], (end - row["window_end"]) // HOUR, row["verdict"]) for row in rows)
    assert found == [
        ("c=0", 0, "critical"),
        ("c=0", 1, "ok"),
        ("c=1", 10_000, "ok"),
        ("c=1", 10_001, "ok"),
        ("c=2", 0, "ok"),
        ("c=2", 1, "ok"),
    ]
    recent = readings.judged("m", "w", definition, end - HOUR, 2, None).to_pylist()
    assert sorted((row["segment"], row["verdict"]) for row in recent) == [("c=0", "critical"), ("c=1", "nodata"), ("c=2", "ok")]
    assert readings.judged("m", "w", definition, 0, 2, "x").num_rows == 0


def test_what_each_monitor_has_used_of_its_budget(engine: Engine) -> None:
    """Windows after a time of which a reading that holds reached a threshold, each once; and the newest window, of the definition that holds only."""
    engine.command(
        "INSERT INTO readings (model, monitor, monitor_version, contract, column, segment, window_start, window_end, verdict, revision, evaluated)"
        " SELECT 'm', name, version, 1, '', segment, toDateTime64(3600 * hour, 6), toDateTime64(3600 * (hour + 1), 6), verdict, revision, toDateTime64(90000 + hour, 6)"
        " FROM VALUES('name String, version UInt32, segment String, hour Int64, verdict String, revision UInt32',"
        " ('w', 1, 'all', 1, 'critical', 1), ('w', 1, 'all', 5, 'warn', 1), ('w', 1, 'c=a', 5, 'critical', 1), ('w', 1, 'all', 6, 'warn', 1), ('w', 1, 'all', 6, 'ok', 2),"
        " ('w', 1, 'all', 7, 'ok', 1), ('w', 2, 'all', 9, 'critical', 1), ('v', 1, 'all', 2, 'critical', 1))"
    )
    current = {("m", "w"): (1, 1), ("m", "v"): (1, 1), ("m", "none"): (1, 1)}
    found = Readings(engine).standings(current, {("m", "w"): 3 * HOUR})
    at = 90_000_000_000
    assert found == {("m", "w"): (8 * HOUR, at + 7_000_000, 1), ("m", "v"): (3 * HOUR, at + 2_000_000, 0)}
    assert Readings(engine).standings(current, {})["m", "w"][2] == 0
