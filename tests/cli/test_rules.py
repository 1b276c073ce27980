"""`watchkeeper rules test`: what holds, what fails and says why, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.error import ConfigError
from watchkeeper.cli.app import main
from watchkeeper.rule_test import run

MONITORS = """
- {monitor: fare-drift, model: taxi-fare, measure: drift.psi, columns: [fare], segments: [all, borough], warn: 0.1, critical: 0.25, persist: 2 of 3, clear: 0.08, on_nodata: alert}
- {monitor: accuracy, model: delay, measure: performance.accuracy, baseline: reference, warn: 0.05, keep_firing: 1}
- {monitor: floor, model: delay, measure: performance.accuracy, warn: {below: 0.8}}
- {monitor: shadow, model: delay, measure: compare.difference, a: {role: champion}, b: {role: shadow}, params: {of: performance.accuracy}}
"""
TESTS = """
monitors: monitors.yaml
tests:
  - name: two of three windows fire, and a window that is not clear holds
    monitor: fare-drift
    series:
      - {column: fare, values: [0.05x2, 0.12, 0.3, 0.09x2, 0.07x3]}
      - {column: fare, segment: borough=Queens, values: [nodata x2, nodatax2, 0.05x5]}
    expect:
      - {after: 3, episodes: [{segment: borough=Queens, state: nodata, level: warn}]}
      - {after: 4, episodes: [{column: fare, segment: all, level: warn, state: firing}, {segment: borough=Queens}]}
      - {after: 6, episodes: [{column: fare, state: recovering}]}
      - {after: 9, episodes: []}
  - name: how much worse than the baseline
    monitor: accuracy
    series: [{baseline: 0.9, values: [0.86, 0.85, 0.9, 0.9]}]
    expect:
      - {after: 1, episodes: []}
      - {after: 2, episodes: [{level: warn}]}
      - {after: 3, episodes: [{state: recovering}]}
      - {after: 4, episodes: []}
  - name: a floor
    monitor: floor
    series: [{values: [0.81, 0.8]}]
    expect: [{after: 1, episodes: []}, {after: 2, episodes: [{level: warn}]}]
  - name: a comparison
    monitor: shadow
    series: [{values: [keep_waitingx2, worse, nodata, ready]}]
    expect: [{after: 2, episodes: []}, {after: 4, episodes: [{level: critical}]}, {after: 5, episodes: []}]
""".replace("nodata x2, nodatax2", "nodatax4")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "monitors.yaml").write_text(MONITORS)
    return tmp_path


def test_tests_that_hold_end_with_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Thresholds, sides, baselines, persistence, hysteresis and windows without data, as the evaluation judges them."""
    (folder / "rules.yaml").write_text(TESTS)
    assert main(["rules", "test", str(folder / "rules.yaml")]) == 0
    said = "".join(capsys.readouterr().out.split("\n"))
    assert said.count("ok  ") == 4


def test_what_fails_says_which_episode_is_missing_and_which_is_too_many(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And ends with 1."""
    (folder / "rules.yaml").write_text(
        TESTS.replace("{after: 2, episodes: [{level: warn}]}]", "{after: 2, episodes: [{level: critical}]}]")
    )
    assert main(["rules", "test", str(folder / "rules.yaml")]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "FAILED" in said
    assert "after window 2: no open episode is level critical" in said
    assert "an episode is open that is not expected: column (none), segment all, level warn, state firing" in said


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("monitors: monitors.yaml", "monitors: other.yaml", "cannot be read"),
        ("monitor: floor", "monitor: ceiling", r"`tests\[2\]`.monitor: `ceiling` names no monitor"),
        ("[0.81, 0.8]", "[0.81, high]", r"`tests\[2\]`.series\[0\].values: `high` is no value"),
        ("{after: 4, episodes: []}", "{after: 40, episodes: []}", "is no window of the series"),
        ("{level: warn}]}]", "{levels: warn}]}]", "there is no field `levels`"),
        ("    series: [{values", "    serie: [{values", "there is no field `serie`"),
        ("{after: 4, episodes: []}", "{after: 4, episodes: 0}", r"`tests\[1\]`.expect\[3\].episodes: `0` is no list"),
        ("{after: 4, episodes: []}", "{after: true, episodes: []}", "`True` is no window of the series"),
        ("{baseline: 0.9,", "{baseline: high,", r"`tests\[1\]`.series\[0\].baseline: `high` is no number"),
        ("    monitor: floor", "    start: soon\n    monitor: floor", r"`tests\[2\]`.start: `soon` is no time"),
        ("[0.81, 0.8]", "[0.81, [0.8]]", r"`\[0.8\]` is no value"),
        ("[0.81, 0.8]", "[0.81, worse]", "`worse` is no value"),
        ("worse, nodata", "-0.2, nodata", "`-0.2` is no verdict of a comparison"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(folder: Path, old: str, new: str, words: str) -> None:
    """Nothing is taken for a test that holds."""
    assert old in TESTS
    with pytest.raises(ConfigError, match=words):
        run(TESTS.replace(old, new), folder)
