"""The grammar: good files and bad ones, by name. A bad file ends with the faults that it must be told, one a comment."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import duration, moment
from core.baseline.expanding import Expanding
from core.baseline.fixed import Fixed
from core.baseline.kind import Baseline
from core.baseline.previous import Previous
from core.baseline.prior import Prior
from core.baseline.reference import Reference
from core.baseline.rolling import Rolling
from core.baseline.rows import Role, Version
from core.baseline.same_period import SamePeriod
from core.baseline.same_weekday import SameWeekday
from core.calendar import WEEKDAYS, Calendar, Unit
from core.contract import LABEL, PREDICTION, Column, Contract, Dimension, Kind, Task
from core.error import ConfigError
from core.measure import USER, Family, Judged, Subject
from core.monitor import AutoSegments, Compare, Gate, Monitor, Severity, Unjudged
from core.name import Named, fault
from core.window.kind import Window
from core.window.period import Period
from core.window.sliding import Sliding
from core.window.to_date import ToDate
from core.window.tumbling import Tumbling
from detectors.catalogue import MEASURES, spec
from monitors.definition.field import params
from monitors.definition.grammar import ParsedDefinitions, parse
from tests.monitors.contracts import CONTRACTS, DELAY, FARE
from tests.monitors.good import GOOD

FILES = Path(__file__).parent / "definitions"


def read(text: str) -> ParsedDefinitions:
    """Parse with the two models."""
    return parse(text, contract=CONTRACTS.get)


def stems(folder: str) -> list[str]:
    """The names of the files of a folder."""
    return sorted(path.stem for path in (FILES / folder).glob("*.yaml"))


@pytest.mark.parametrize("name", stems("good"))
def test_a_good_file_becomes_its_monitors(name: str) -> None:
    """What is written comes out, with the defaults of what is not."""
    assert tuple(GOOD[name]) == read((FILES / "good" / f"{name}.yaml").read_text()).monitors


@pytest.mark.parametrize("name", stems("bad"))
def test_a_bad_file_is_told_all_its_faults(name: str) -> None:
    """Every fault with its line, its definition, its field and a remedy; all together and in order."""
    text = (FILES / "bad" / f"{name}.yaml").read_text()
    expected = [line.removeprefix("#! ") for line in text.splitlines() if line.startswith("#! ")]
    with pytest.raises(ConfigError) as caught:
        read(text)
    told = str(caught.value).splitlines()
    assert expected == ([line.removeprefix("- ") for line in told[1:]] if len(told) > 1 else told)


def test_destinations_and_contracts_come_along() -> None:
    """Destinations stay as written; a contract of the same file serves its monitors."""
    found = read((FILES / "good" / "several_documents_of_all_kinds.yaml").read_text())
    assert [destination["destination"] for destination in found.destinations] == ["oncall"]
    assert [contract.model for contract in found.contracts] == ["churn"]


@pytest.mark.parametrize("field", ["min_samples", "persist", "warn", "columns", "model", "target"])
@pytest.mark.parametrize("word", ["0x" + "f" * 5_000, "9" * 5_000, "9" * 5_000 + "h"])
def test_no_number_is_too_long_to_be_refused(field: str, word: str) -> None:
    """Python refuses to read or write more than 4,300 digits: the message that shows the number does not fail on it."""
    fields = {"monitor": "a", "model": "delay", "measure": "drift.psi", field: word}
    with pytest.raises(ConfigError):
        read("\n".join(f"{name}: {value}" for name, value in fields.items()))


_NEEDED: dict[str, dict[str, object]] = {
    "performance.value": {"fp": 2.5, "fn": 40},
    "uncertainty.adaptive_coverage": {"promise": 0.9},
    "uncertainty.pit_uniformity": {"level": 0.9},
    "uncertainty.quantile_loss": {"q": 0.95},
    "user.cost": {"expression": "where(label == prediction, 1, 2)"},
}


def documents(monitor: Monitor) -> dict[str, object]:
    """A monitor in the words of the grammar."""
    fields = msgspec.to_builtins(monitor)
    name, (m, n) = fields.pop("name"), fields.pop("persist")
    del fields["revision"], fields["since"], fields["window"], fields["other"], fields["challengers"], fields["auto"]
    return {
        "monitor": name,
        **fields,
        "segments": monitor.auto.written if monitor.auto else monitor.segments,
        "baseline": monitor.baseline.written if monitor.baseline else None,
        "exclude": monitor.excluded,
        "target": monitor.window.written,
        "budget": monitor.budget and monitor.budget.text,
        "persist": f"{m} of {n}",
        "reopen_within": duration.text(monitor.reopen_within) if monitor.reopen_within else None,
    }


@st.composite
def windows(draw: st.DrawFn, pane: int) -> Window:
    """Windows of every kind that consist of whole panes."""
    every = draw(st.integers(1, 50)) * pane
    length = draw(st.integers(1, 10)) * every
    zone = draw(st.sampled_from(["UTC", "America/New_York", "Europe/Rome"]) if pane <= moment.HOUR else st.just("UTC"))
    offset = draw(st.integers(0, moment.DAY // pane - 1)) * pane if pane <= moment.DAY else 0
    calendar = Calendar(zone, draw(st.sampled_from(WEEKDAYS)), draw(st.integers(1, 12)), offset)
    unit = draw(st.sampled_from(Unit))
    kinds: list[Window] = [Tumbling(length) if every == length else Sliding(length, every)]
    if calendar.fits(pane):
        kinds += [ToDate(unit, calendar) if unit is not Unit.DAY else Period(unit, calendar)]
        kinds += [Period(unit, calendar)] if unit is not Unit.YEAR else []
    return draw(st.sampled_from(kinds))


@st.composite
def baselines(draw: st.DrawFn, window: Window, pane: int, *, of_stream: bool) -> Baseline:
    """Baselines of every kind that do not overlap a window."""
    unit = draw(st.sampled_from([unit for unit in Unit if unit is not Unit.DAY]))
    some: list[Baseline] = [
        Previous(draw(st.integers(1, 9))),
        Prior((window.longest // pane + draw(st.integers(1, 900))) * pane),
        Rolling(draw(st.integers(1, 900)) * pane),
        Expanding(),
        SameWeekday(draw(st.integers(1, 9))),
        SamePeriod(unit),
        Fixed(0, draw(st.integers(1, 900)) * pane),
    ]
    if not of_stream:
        some += [Reference(), Version("3"), Version("1.10"), Role("champion")]

    def fits(one: Baseline) -> bool:
        try:
            one.check(window, pane)
        except ConfigError:
            return False
        return True

    return draw(st.sampled_from([one for one in some if fits(one)]))


@st.composite
def monitors(draw: st.DrawFn) -> Monitor:
    """Any monitor of the two models."""
    contract = draw(st.sampled_from([FARE, DELAY]))
    fit = [one for one in MEASURES.values() if contract.task in one.tasks and (contract.protected or not one.subject.protected)]
    fit = [
        one for one in fit if one.family is not Family.COMPARE and one.name not in ("change.cusum", "change.ewma", "change.harmful")
    ]  # `test_sides.py`, `test_chart.py`, `test_harmful.py`
    measure = draw(st.sampled_from(fit))
    measure = MEASURES["user.cost"] if measure.name == USER else measure
    window = draw(windows(contract.pane))
    some = baselines(window, contract.pane, of_stream=measure.of_stream)
    some = st.just(Reference()) if measure.name == "performance.delay_corrected" else some
    alone = measure.own_limit is not None and measure.compares  # the stream with itself
    baseline = None if alone else draw(some if measure.usual_baseline else st.none() | some)
    low, high = sorted(draw(st.tuples(*[st.floats(-1e9, 1e9)] * 2)))
    sided = (measure.judged is Judged.WORSE and baseline is None) or (measure.judged is Judged.VALUE and measure.better > 0)
    below = draw(st.booleans()) and not measure.signed
    warn, critical = ({"below": high}, {"below": low}) if sided and below else ({"above": low}, {"above": high}) if sided else (low, high)
    columns = [column.name for column in (*contract.features, *contract.outputs)]
    rises = measure.judged is Judged.VALUE and not measure.compares
    compares = [Compare.VALUE, *([Compare.EXCESS] if measure.excess else []), *([Compare.RISE] if rises and baseline else [])]
    groupings = [*(dimension.name for dimension in contract.dimensions), *("*".join(cross) for cross in contract.crosses)]
    segmented = bool(groupings) and not measure.of_stream and not measure.subject.protected
    segments = ("all", *draw(st.lists(st.sampled_from(groupings), unique=True))) if segmented else ("all",)
    warn, critical = draw(st.sampled_from([None, warn])), draw(st.sampled_from([None, critical]))
    critical = measure.own_limit if warn is None and critical is None else critical
    return Monitor(
        name=draw(
            st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20).filter(
                lambda name: not fault(Named.MONITOR, name)
            )
        ),
        model=contract.model,
        measure=measure.name,
        params=params(
            _NEEDED.get(measure.name, {"promise": 0.9} if measure.judged is Judged.PROMISE else {}), spec(measure.name), contract
        ),
        columns=tuple(draw(st.lists(st.sampled_from(columns), unique=True))) if measure.subject is Subject.COLUMN else (),
        attributes=tuple(draw(st.lists(st.sampled_from(groupings), unique=True))) if measure.subject.protected else (),
        segments=segments,
        auto=AutoSegments(columns=segments[1:], most=7) if segments[1:] and "*" not in str(segments) and draw(st.booleans()) else None,
        window=window,
        baseline=baseline,
        exclude=((0, contract.pane), (moment.DAY, 3 * moment.DAY)) if baseline not in (None, Reference()) and draw(st.booleans()) else (),
        version=None if measure.of_stream else draw(st.none() | st.sampled_from(["1", "2.0", "canary", "null", "1e5"])),
        warn=warn,
        critical=critical,
        compare=draw(st.sampled_from(compares)),
        gate=draw(st.sampled_from([Gate.NONE, *([Gate.EVIDENCE] if measure.tested and baseline else [])])),
        min_samples=draw(st.integers(0, 10_000)),
        min_label_coverage=draw(st.sampled_from([None, 0.25, 1.0])) if measure.matures else None,
        persist=draw(st.sampled_from([(1, 1), (1, 9), (3, 5), (9, 9)])),
        clear=None if warn is None else draw(st.sampled_from([None, warn])),
        keep_firing=draw(st.integers(0, 3)),
        reopen_within=draw(st.sampled_from([0, moment.HOUR, 3 * moment.DAY])),
        on_nodata=draw(st.sampled_from(list(Unjudged))),
        on_error=draw(st.sampled_from(list(Unjudged))),
        severity=draw(st.sampled_from(list(Severity))),
        enabled=draw(st.booleans()),
        owner=draw(st.sampled_from([None, "pricing team", "Ünal"])),
        description=draw(st.sampled_from([None, "two\nlines", "a: b # c"])),
        runbook=draw(st.sampled_from([None, "https://wiki.example.org/a?b=c#d"])),
    )


@given(st.lists(monitors(), max_size=3, unique_by=lambda monitor: (monitor.model, monitor.name)))
def test_what_is_shown_can_be_applied(given_monitors: list[Monitor]) -> None:
    """A monitor, written out in the words of the grammar, reads back as itself."""
    text = json.dumps([documents(monitor) for monitor in given_monitors], ensure_ascii=False)
    assert tuple(given_monitors) == read(text).monitors


@given(st.text(st.sampled_from("-:{}[]&*!|>%@#,'\"\n \tabmonitor01.") | st.characters(), max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever is sent, the answer is definitions or a ConfigError."""
    with suppress(ConfigError):
        assert isinstance(read(text), ParsedDefinitions)


def test_a_declared_contract_has_the_bins_that_were_written() -> None:
    """A range is cut into 50 equal steps; categories keep their order; protected attributes are dimensions."""
    (contract,) = read((FILES / "good" / "several_documents_of_all_kinds.yaml").read_text()).contracts
    age, plan, remote = contract.features
    assert contract.task == Task.BINARY
    assert [2.0 * step for step in range(1, 50)] == list(age.edges)
    assert plan.categories == ("basic", "plus", "3")
    assert (remote.kind, remote.categories) == (Kind.CATEGORICAL, ("false", "true"))
    assert [tag.name for tag in contract.tags] == ["gender"]
    assert list(contract.protected) == ["gender"]
    assert [dimension.name for dimension in contract.dimensions] == ["plan", "remote", "gender"]
    assert contract.crosses == (("plan", "remote"),)
    assert [column.name for column in contract.outputs] == ["@prediction", "@score", "@label"]
    assert contract.classes == ("0", "1")
    assert (15 * moment.MINUTE, moment.parse("2020-01-01T00:00:00Z")) == (contract.pane, contract.earliest)


@pytest.mark.parametrize("written", ["[false, true]", "['False', 'True']", "[0.0, 1.0]", "['0.0', '1.0']"])
@pytest.mark.parametrize("positive", ["1", "'1.0'", "true", "'True'"])
def test_a_declared_class_is_one_however_it_is_written(written: str, positive: str) -> None:
    """A binary model's are 0 and 1; a multiclass model's texts stay what they are."""
    columns = "columns: [{name: x, kind: boolean}]"
    (contract,) = read(f"- {{contract: m, task: binary, {columns}, classes: {written}, positive: {positive}}}").contracts
    assert (contract.classes, contract.positive, contract.column("@label").categories) == (("0", "1"), "1", ("0", "1"))
    (other,) = read(f"- {{contract: m, task: multiclass, {columns}, classes: ['1.1', '1.10', 2.0]}}").contracts
    assert other.classes == ("1.1", "1.10", "2")


@pytest.mark.parametrize("quote", ["", "'"])
def test_earliest_is_read_as_times_are_everywhere(quote: str) -> None:
    """YAML alone would take `+05`, ` Z` and `+05:60`; with or without quotes they are refused with the right spelling."""

    def earliest(value: str) -> int:
        text = f"{{contract: c, task: binary, columns: [{{name: x, kind: boolean}}], earliest: {quote}{value}{quote}}}"
        (contract,) = read(text).contracts
        return contract.earliest

    assert earliest("2020-01-01T05:00:00+05:00") == earliest("2020-01-01") == moment.parse("2020-01-01T00:00:00Z")
    for value, reason in (
        ("2020-01-01T00:00:00+05", "an offset without minutes; write 2020-01-01T00:00:00\\+05:00"),
        ("2020-01-01 00:00:00 Z", "a space before its time zone; write 2020-01-01T00:00:00Z"),
        ("2020-01-01T00:00:00+05:60", "an offset that does not exist"),
    ):
        with pytest.raises(ConfigError, match=f"`earliest`: .* has {reason}"):
            earliest(value)


def test_yaml_says_what_was_written() -> None:
    """Words that YAML 1.1 takes for truth values, octal numbers and times are texts or decimal numbers, as in YAML 1.2."""
    start = "{contract: c, task: binary, columns: [{name: x, kind: categorical, categories:"
    (contract,) = read(f"{start} [NO, on, 12:30, 2020-01-01, 7, 1.5, 2.0]}}]}}").contracts
    assert contract.column("x").categories == ("NO", "on", "12:30", "2020-01-01", "7", "1.5", "2")
    (monitor,) = read("{monitor: a, model: delay, measure: drift.psi, warn: 010, critical: 12}").monitors
    assert (monitor.warn, monitor.critical) == (10.0, 12.0)


@pytest.mark.parametrize("word", ["0123", "1.10", "0x1F", "1e3", "True", "FALSE"])
def test_a_word_whose_text_would_change_is_refused_where_a_text_is_meant(word: str) -> None:
    """Numbers and truth values; quoted they are taken, as a category, a class, the positive class and a version."""
    start = "{{contract: c, task: multiclass, columns: [{{name: x, kind: categorical, categories: "
    for definition in (
        start + "[{}]}}], classes: [a, b]}}",
        start + "[y]}}], classes: [{}, b]}}",
        start + "[y]}}], classes: [a, b], positive: {}}}",
        "{{monitor: a, model: delay, measure: drift.psi, version: {}}}",
    ):
        with pytest.raises(ConfigError, match=f"line 1, .*(`{word}` without quotes is the (number|truth value)|`{word}` is no version)"):
            read(definition.format(word))
        found = read(definition.format(f'"{word}"'))
        for contract in found.contracts:
            assert word in (*contract.column("x").categories, *contract.classes, contract.positive)
        assert all(monitor.version == word for monitor in found.monitors)
    assert "`positive: 1.1` is none of the classes" not in str(_refused("positive: 1.10, classes: ['1.1', '2']"))
    assert "`1.10` without quotes is the number 1.1" in str(_refused("positive: 1.10, classes: ['1.1', '2']"))


def _refused(fields: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(f"{{contract: c, task: binary, columns: [{{name: x, kind: boolean}}], {fields}}}")
    return caught.value


def test_the_class_of_a_measure_is_the_text_that_was_written() -> None:
    """In a model whose classes are versions 1.1 and 1.10: a number is its text, and one whose text would change is refused."""
    outputs = tuple(Column(name=name, kind=Kind.CATEGORICAL) for name in (PREDICTION, LABEL))
    classes = ("1.1", "1.10", "2", "true")
    model = Contract(model="v", version=1, task=Task.MULTICLASS, features=(), outputs=outputs, classes=classes)

    def params(word: str) -> dict[str, object]:
        text = f"{{monitor: a, model: v, measure: performance.precision, params: {{class: {word}}}}}"
        return parse(text, contract={"v": model}.get).monitors[0].params

    assert [params(word) for word in ("1.1", '"1.10"', "2", "2.0", "true", "'True'")] == [
        {"class": name} for name in ("1.1", "1.10", "2", "2", "true", "true")
    ]
    for word in ("1.10", "0123", "True"):
        with pytest.raises(ConfigError, match=f"`params`: `{word}` without quotes is the"):
            params(word)


def test_a_truth_value_may_have_capitals_where_one_is_meant() -> None:
    """Also as a class of a binary model, which is one however it is written."""
    columns = "columns: [{name: x, kind: boolean, tag: False}]"
    (contract,) = read(f"{{contract: c, task: binary, {columns}, scored: TRUE, classes: [False, True], positive: True}}").contracts
    assert (contract.scored, contract.classes, contract.positive) == (True, ("0", "1"), "1")


def test_a_name_in_quotes_keeps_its_spaces() -> None:
    """In lists of columns and segments, and where they are looked up."""
    columns = "columns: [{name: 'x ', kind: boolean}, {name: x, kind: boolean}]"
    text = f"- {{contract: c, task: binary, {columns}, segments: ['x ']}}\n- {{monitor: a, model: c, measure: drift.psi, columns: ['x '], segments: ['x ']}}"
    found = read(text)
    assert ([one.name for one in found.contracts[0].dimensions], found.monitors[0].columns, found.monitors[0].segments) == (
        ["x "],
        ("x ",),
        ("all", "x "),
    )


def test_names_of_what_is_new_are_told_with_their_lines() -> None:
    """Of models, monitors, destinations and versions, all together; what is there already keeps its name, a model its columns and segments too."""
    contract = "{contract: a/contract, task: binary, columns: [{name: x, kind: boolean}, {name: ' ', kind: boolean}], segments: [x, all]}"
    text = f"""- {{monitor: "..", model: delay, measure: drift.psi}}
- {{destination: "a\\tb", url: "http://127.0.0.1/"}}
- {contract}
- {{monitor: c, model: delay, measure: drift.psi, version: "2 "}}"""
    with pytest.raises(ConfigError) as caught:
        read(text)
    told = str(caught.value).splitlines()[1:]
    assert [line.split("(")[0] for line in told] == [
        "- line 1, the monitor name '..' has nothing but dots, or nothing but dots beside a slash, which no address can hold ",
        "- line 2, the destination name 'a\\tb' holds a character that is not printable, or begins or ends with a space ",
        "- line 3, the model name 'a/contract' ends with /contract, as an address of the API does ",
        "- line 3, contract `a/contract`, `columns`: the column name ' ' is empty ",
        "- line 4, monitor `c`, `version`: the version name '2 ' holds a character that is not printable, or begins or ends with a space ",
    ]
    columns = tuple(Column(name=name, kind=Kind.CATEGORICAL) for name in ("x", " ", "all"))
    held = Contract(
        model="a/contract",
        version=1,
        task=Task.BINARY,
        features=columns,
        dimensions=(Dimension(name="all", values=()),),
        classes=("0", "1"),
    )
    there = {("monitor", "delay", ".."), ("destination", "", "a\tb")}
    lines = text.replace("{name: ' '", "{name: all, kind: boolean}, {name: ' '").replace('"2 "', '"2"')
    found = parse(lines, contract=lambda model: held if model == "a/contract" else CONTRACTS.get(model), there=there)
    assert [column.name for column in found.contracts[0].features] == ["x", "all", " "]
    assert [dimension.name for dimension in found.contracts[0].dimensions] == ["x", "all"]


def test_half_a_surrogate_pair_is_refused() -> None:
    """It cannot be stored or sent: the line is told, and the message can be written."""
    with pytest.raises(ConfigError, match="line 2: a text holds half a surrogate pair") as caught:
        read('- monitor: a\n  model: "\\ud800"\n  measure: drift.psi')
    assert str(caught.value).encode()
