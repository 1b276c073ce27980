"""The readings that hold, as trust, lists of monitors and charts take them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from core.moment import HOUR
from core.reading import Query
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


def test_the_readings_of_a_chart_are_those_that_a_list_has(engine: Engine) -> None:
    """Of each window the highest generation and revision, not what a former owner writes late; none that is withdrawn, of another definition, segment or time; as many as are asked for, and the way to the others."""
    engine.command(
        "INSERT INTO readings (model, monitor, monitor_version, contract, column, segment, window_start, window_end, verdict, revision, generation, value)"
        " SELECT 'm', name, version, 1, 'x', segment, toDateTime64(3600 * hour, 6), toDateTime64(3600 * (hour + 1), 6), verdict, revision, generation, value"
        " FROM VALUES('name String, version UInt32, segment String, hour Int64, verdict String, revision UInt32, generation UInt64, value Float64',"
        " ('w', 1, 'all', 1, 'ok', 1, 1, 0.1), ('w', 1, 'all', 1, 'ok', 2, 2, 0.2), ('w', 1, 'all', 1, 'ok', 3, 1, 0.3), ('w', 1, 'all', 2, 'ok', 1, 1, 0.4),"
        " ('w', 1, 'all', 2, 'withdrawn', 2, 1, 0.5), ('w', 1, 'all', 3, 'ok', 1, 1, 0.6), ('w', 1, 'all', 4, 'warn', 1, 1, 0.7), ('w', 1, 'c=a', 3, 'ok', 1, 1, 0.8),"
        " ('w', 2, 'all', 3, 'ok', 1, 1, 0.9), ('v', 1, 'all', 3, 'ok', 1, 1, 1.0), ('w', 1, 'all', 9, 'ok', 1, 1, 1.1))"
    )
    readings, current = Readings(engine), {("m", "w"): (1, 1), ("m", "v"): (1, 1)}
    asked: dict[str, Any] = {"model": "m", "monitor": "w", "column": "x", "segment": "all", "end": 9 * HOUR}
    chart, after = readings.read(Query(**asked, start=0), current)
    assert (chart["value"].to_pylist(), after) == ([0.2, 0.6, 0.7], None)
    assert chart.equals(readings.read(Query(**asked), current)[0])
    some, after = readings.read(Query(**asked, start=0, limit=2), current)
    assert (some["value"].to_pylist(), after is None) == ([0.2, 0.6], False)
    assert readings.read(Query(**asked, start=0, limit=2, after=after), current)[0]["value"].to_pylist() == [0.7]


def test_a_chart_of_many_windows_holds_few_of_them_at_a_time(engine: Engine) -> None:
    """Its rows are wide, and a period may have any number: it is read as a list is."""
    engine.command(
        "INSERT INTO readings (model, monitor, monitor_version, contract, column, segment, window_start, window_end, verdict, revision)"
        " SELECT 'm', 'w', 1, 1, 'x', 'all', toDateTime64(60 * number, 6), toDateTime64(60 * (number + 1), 6), 'ok', 1 FROM numbers(3000)"
    )
    one_pass: list[int] = []

    def query(sql: str, parameters: Any) -> Any:
        if "OVER" not in sql and "LIMIT 1 BY" in sql and "SETTINGS" in sql:
            return engine.query(sql, parameters)
        found = engine.query(f"{sql} SETTINGS max_rows_to_sort = 100", parameters)
        one_pass.append(found.num_rows)
        return found

    small: Any = SimpleNamespace(query=query)
    asked = Query(model="m", monitor="w", column="x", segment="all", start=0, limit=5)
    rows, after = Readings(small).read(asked, {("m", "w"): (1, 1)})
    assert (rows["window_start"].to_pylist(), after is None) == ([60_000_000 * minute for minute in range(5)], False)
    assert one_pass == [20]


def test_many_lines_and_charts_at_once_are_those_that_each_query_has(engine: Engine) -> None:
    """Of other monitors, segments, columns and spans, also of one line twice; those of a monitor that is not there, or takes another measure now, are empty."""
    engine.command(
        "INSERT INTO readings (model, monitor, measure, monitor_version, contract, column, segment, window_start, window_end, verdict, revision, generation, value)"
        " SELECT model, 'w', 'drift.psi', version, 1, column, segment, toDateTime64(3600 * hour, 6), toDateTime64(3600 * (hour + 1), 6), verdict, revision, generation, value"
        " FROM VALUES('model String, version UInt32, column String, segment String, hour Int64, verdict String, revision UInt32, generation UInt64, value Nullable(Float64)',"
        " ('m', 1, 'x', 'all', 1, 'ok', 1, 1, 0.1), ('m', 1, 'x', 'all', 1, 'ok', 2, 2, 0.2), ('m', 1, 'x', 'all', 1, 'ok', 3, 1, 0.3), ('m', 1, 'x', 'all', 2, 'ok', 1, 1, 0.4),"
        " ('m', 1, 'x', 'all', 2, 'withdrawn', 2, 1, 0.5), ('m', 1, 'x', 'all', 3, 'nodata', 1, 1, NULL), ('m', 1, 'x', 'c=a', 3, 'ok', 1, 1, 0.6), ('m', 1, 'y', 'all', 3, 'ok', 1, 1, 0.7),"
        " ('m', 2, 'x', 'all', 3, 'ok', 1, 1, 0.8), ('n', 1, 'x', 'all', 3, 'ok', 1, 1, 0.9), ('m', 1, 'x', 'all', 4, 'ok', 1, 1, 1.0))"
    )
    readings, current = Readings(engine), {("m", "w"): (1, 1), ("n", "w"): (1, 1)}
    line: dict[str, Any] = {
        "monitor": "w",
        "measure": "drift.psi",
        "column": "x",
        "segment": "all",
        "start": 0,
        "end": 9 * HOUR,
        "limit": 9,
    }
    changes: list[dict[str, Any]] = [
        *({"model": "m"}, {"model": "n"}, {"model": "m", "segment": "c=a"}, {"model": "m", "column": "y"}, {"model": "m", "limit": 1}),
        *({"model": "m", "start": 2 * HOUR, "end": 4 * HOUR}, {"model": "m", "measure": "drift.js"}, {"model": "m", "monitor": "gone"}),
    ]
    asked = [Query(**(line | change)) for change in changes]
    found = readings.lines(asked, current)
    assert found == [[0.2, None, 1.0], [0.9], [0.6], [0.7], [0.2], [None], [], []]
    assert found == [readings.read(one, current)[0]["value"].to_pylist() if one.monitor == "w" else [] for one in asked]
    assert (readings.lines([], current), readings.lines(asked[:1], {})) == ([], [[]])
    of_now = [one for one in asked if one.monitor == "w" and one.limit > 1]
    charts = readings.charts(of_now, current)
    assert charts is not None
    assert [chart["value"].to_pylist() for chart in charts] == [[0.2, None, 1.0], [0.9], [0.6], [0.7], [None], []]
    assert all(chart.equals(readings.read(one, current)[0]) for chart, one in zip(charts, of_now, strict=True))
    assert readings.charts(asked[:5], current) is None  # one has more than it asks for
