"""The rows behind an episode and the columns beside it: what a page of an episode leads to."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pyarrow as pa
import pytest
from plotly.io.json import to_json_plotly

from core.cause import BinCause, ColumnCause
from core.episode import Episode
from core.monitor import Compare
from core.reading import Query
from dashboard.pages.beside import columns
from dashboard.pages.cause import causes
from tests.dashboard.test_site import parts
from tests.dashboard.twin import Twin


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


def _of(twin: Twin, measure: str, column: str = "temp") -> Episode:
    """An episode of all traffic of a measure, made one of a column."""
    one = next(one for one in twin.episodes(None, None, 5_000) if one.segment == "all" and one.measure.startswith(measure))
    return msgspec.structs.replace(one, column=column)


async def _shown(twin: Twin, monkeypatch: pytest.MonkeyPatch, one: Episode, **found: Any) -> Any:
    """The panel of the causes of an episode, with other causes than the twin's."""
    usual = twin.cause_of(one.id)
    assert usual is not None
    monkeypatch.setattr(twin, "episode", lambda _: one)
    monkeypatch.setattr(twin, "cause_of", lambda *_: msgspec.structs.replace(usual, **found))
    return json.loads(to_json_plotly(await causes(twin, one.id, "")))


def _asked(link: dict[str, Any]) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link["href"]).query))


@pytest.mark.parametrize(("measure", "bins", "said"), [("drift.psi", ("[3,inf)", 0.6), "3 or more"), ("quality.null_rate", None, "null")])
async def test_the_rows_of_an_episode_of_a_column_are_of_its_own_bin(
    twin: Twin, monkeypatch: pytest.MonkeyPatch, measure: str, bins: tuple[str, float] | None, said: str
) -> None:
    """Not of a slice that happens to be first: each of them, all, and all by their error, which leaves out those without a label."""
    one = msgspec.structs.replace(_of(twin, "drift.psi"), measure=measure)
    less = BinCause("[-inf,3)", 0.1, 0.9, 0.9)  # contributes more, but rows have left it
    own = ColumnCause("temp", 0.9, 1.0, 0.0, 0.0, (less, BinCause(*bins, 0.05, 0.3)) if bins else ())
    drawn = await _shown(twin, monkeypatch, one, columns=(own,))
    assert f"Rows where temp is {said}: " in json.dumps(drawn)
    value = bins[0] if bins else "null"
    ways = {link["children"]: _asked(link) for link in parts(drawn, "A") if link["href"].startswith(f"/ui/models/{one.model}/events")}
    assert {"p1", "p2", "all of them", "their largest errors"} <= ways.keys()
    assert all((way["column"], way["value"]) == ("temp", value) for name, way in ways.items() if name in {"p1", "p2", "all of them"})
    assert "segment" not in ways["all of them"]
    assert (ways["their largest errors"]["order"], ways["all of them"].get("order")) == ("worst", None)


async def test_a_measure_of_rows_has_the_worst_of_its_first_slice(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever column stands out."""
    drawn = json.dumps(await _shown(twin, monkeypatch, _of(twin, "performance.", "")))
    assert "Worst rows: " in drawn
    assert "all of carrier=EV,origin=EWR" in drawn


async def test_a_bin_without_a_row_leads_nowhere_and_what_is_missing_is_said_first(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its list of events would be empty."""
    gone = ColumnCause("temp", 0.9, 1.0, 1.0, 0.002, (BinCause("[1,3)", 0.0, 0.12, 0.3),))
    drawn = await _shown(twin, monkeypatch, _of(twin, "drift.psi"), columns=(gone,))
    shown = json.dumps(drawn)
    assert shown.index("missing 100.0 %, baseline 0.2 %") < shown.index("1 to below 3: 0 % of rows, baseline 12.0 %")
    assert not any("1 to below 3" in json.dumps(link["children"]) for link in parts(drawn, "A"))


@pytest.mark.parametrize("compare", [Compare.VALUE, Compare.EXCESS])
async def test_columns_that_reached_a_threshold_come_first(twin: Twin, monkeypatch: pytest.MonkeyPatch, compare: Compare) -> None:
    """Before a larger one that chance explains; where a monitor compares the excess, that and p stand beside the value."""
    one = next(one for one in twin.episodes(None, None, 5_000) if one.measure == "drift.psi" and one.segment == "all")
    one = msgspec.structs.replace(one, definition=msgspec.structs.replace(one.definition, compare=compare))
    usual = twin.readings
    given = [(9.0, "insufficient", 8.0, 0.5), (6.8, "ok", 3.07, 0.2), (2.0, "warn", 1.9, 0.001), (2.4, "critical", 2.21, 0.0002)]

    def changed(query: Query) -> pa.Table:
        table = usual(query).slice(0, len(given))
        rows = [
            row | {"value": value, "verdict": verdict, "evidence": json.dumps({"excess": excess, "p": p})}
            for row, (value, verdict, excess, p) in zip(table.to_pylist(), given, strict=True)
        ]
        return pa.Table.from_pylist(rows, table.schema)

    monkeypatch.setattr(twin, "readings", changed)
    card = json.loads(to_json_plotly(await columns(twin, one)))
    heads, *shown = [[cell["children"] for cell in parts(row, "Th") + parts(row, "Td")] for row in parts(card, "Tr")]
    evidence = ["Excess", "p"] if compare is Compare.EXCESS else []
    assert heads == ["Column", "Value", *evidence, "n", "State"]
    assert [row[1] for row in shown] == ["2.4", "2", "6.8", "9"]
    assert not evidence or [row[2:4] for row in shown[:3]] == [["2.21", "0.0002"], ["1.9", "0.001"], ["3.07", "0.2"]]
