"""What panes count of a list of events is what raw events count, and where panes do not tell it raw events are asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from core.block import Categories, Floats, Labels, Predictions
from core.clock import ManualClock
from core.contract import Column, Contract, Kind, Task
from core.document_name import OWNER
from core.event_query import EventCounts, EventQuery, Range, Texts
from core.moment import HOUR
from monitors.ownership.rebuild import Rebuild
from tests.storage.facts.test_facts import CONTRACT
from tests.storage.facts.test_progress import batch
from watchkeeper.reader.reader import Reader
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores

N, SLOTS, STEP = 600, 24, 2 * HOUR
OUTPUTS = (*CONTRACT.outputs, Column(name="@label", kind=Kind.CATEGORICAL, categories=("0", "1")))
FIRST = msgspec.structs.replace(
    CONTRACT,
    outputs=OUTPUTS,
    features=(
        Column(name="x", kind=Kind.NUMERIC, edges=(0.0,), range=(-9.0, 9.0)),
        Column(name="c", kind=Kind.CATEGORICAL, categories=("a", "b")),
        Column(name="w", kind=Kind.CATEGORICAL, categories=("1", "2")),
    ),
)
NEWEST = msgspec.structs.replace(
    CONTRACT,
    version=2,
    outputs=OUTPUTS,
    features=(
        Column(name="x", kind=Kind.NUMERIC, edges=(-1.0, 0.0, 2.5), range=(-3.0, 3.0)),
        Column(name="c", kind=Kind.CATEGORICAL, categories=("a", "b"), others=("z",)),
        Column(name="w", kind=Kind.NUMERIC, edges=(1.5,)),
        Column(name="y", kind=Kind.NUMERIC, edges=(0.5,)),
    ),
)


def events(contract: Contract, prefix: str, seed: int) -> Predictions:
    """Events of three versions and two roles, some with missing, invalid, new and rare values; every class is written in two ways."""
    draw = np.random.default_rng(seed)
    x = np.where(draw.random(N) < 0.1, np.nan, draw.normal(0, 2, N))
    x[draw.random(N) < 0.05] = np.inf

    def texts(*names: str) -> Categories:
        return Categories.of(draw.choice(names, N).tolist())

    numbers: tuple[Floats, ...] = (x,) if contract is FIRST else (x, draw.integers(0, 3, N).astype(float), draw.random(N))
    c = texts("a", "a", "b", "z", "new", "null", "invalid", "%6Eull")
    return Predictions(
        id=np.array([f"{prefix}{place}" for place in range(N)], object),
        ts=np.sort(draw.integers(0, SLOTS * HOUR, N)),
        version=texts("1", "2", "3"),
        role=texts("champion", "challenger"),
        prediction=texts("0", "1", "false", "null", "strange"),
        score=draw.random(N),
        probabilities=None,
        numbers=numbers,
        texts=(c, texts("1", "2", "null")) if contract is FIRST else (c,),
        extra=np.array([""] * N, object),
        position=np.full(N, contract.version),
        row=np.arange(N),
        logged=np.full(N, 1_700_000_000_000_000 + contract.version),
    )


def labels(ids: list[str], seed: int) -> Labels:
    """A label of each, written in two ways."""
    draw, n = np.random.default_rng(seed), len(ids)
    return Labels(
        id=np.array(ids, object),
        ts=np.full(n, SLOTS * HOUR),
        text=draw.choice(np.array(["0", "1", "true", "odd"], object), n),
        number=np.full(n, np.nan),
        weight=np.ones(n),
        deleted=draw.random(n) < 0.1,
        prediction_ts=np.zeros(n, np.int64),
        position=np.full(n, 1),
        row=np.arange(n),
        logged=np.full(n, 1_700_000_000_000_009),
    )


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """A model whose events came under two versions of its contract, a tenth of them twice, with its panes under the second one."""
    made = Stores(Settings(data=Path(tmp_path_factory.mktemp("counted"))), ManualClock(1))
    try:
        made.migrate()
        blocks = [events(FIRST, "p", 1), events(NEWEST, "q", 2)]
        for contract, block in zip((FIRST, NEWEST), blocks, strict=True):
            made.control.save_contract(contract, content=str(contract.version), reference=None)
            made.writer.predictions([(contract, block)], 0, None)
        again = blocks[0].take(np.arange(0, N, 10))
        made.writer.predictions([(FIRST, replace(again, position=np.full(len(again), 3), ts=again.ts + HOUR))], 0, None)
        ids = [str(one) for block in blocks for one in block.id]
        made.writer.labels({"m": labels(ids[::2] + ids[:90], 3)}, 0, None)
        made.writer.batches([batch(3, N, model="m", at=0)])
        made.outcomes.join("m", {0: (1, 3)}, {0: (1, 1)}, 1)
        made.outcomes.find_contested("m", {0: (1, 3)}, 1)
        rebuild = Rebuild(made.raw, made.panes, made.writer, made.control.contract_version)
        slots = made.raw.slots("m", HOUR)
        lease = cast("Any", SimpleNamespace(check=lambda: None, generation=1))
        rebuild.reconcile(NEWEST, slots, slots, {0: 3}, lease)
        rebuild.performance(NEWEST, slots, lease)
        evaluated(made, finished=True)
        yield made
    finally:
        made.close()


def evaluated(stores: Stores, *, finished: bool, contract: Contract = NEWEST) -> None:
    """Save the cursor of an owner that has made all panes of a contract, or is about to make them again."""
    stores.control.save_cursor(OWNER + "m", {"contract": contract.version, "summary": 0, "rebuild": {"number": 1, "finished": finished}})


def reader(stores: Stores) -> Reader:
    return Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=ManualClock(1))))


def counted(stores: Stores, monkeypatch: pytest.MonkeyPatch, **parts: Any) -> tuple[EventCounts, EventCounts | None]:
    """What raw events count, and what the reader counts without them: None if it asked them."""
    whole: dict[str, Any] = {"model": "m", "start": 0, "end": (SLOTS + 2) * HOUR}
    step = parts.pop("step", STEP)
    asked = EventQuery(**{**whole, **parts})
    raw = stores.events.list.counts([FIRST, NEWEST], asked, step)
    other = EventCounts({-1: -1})
    with monkeypatch.context() as patched:
        patched.setattr(stores.events.list, "counts", lambda *_: other)
        found = reader(stores).event_counts(asked, step)
    return raw, None if found is other else found


SEGMENTS = ("all", "c=a", "c=other", "c=null")
VALUES: tuple[tuple[str, str], ...] = (
    *(("x", name) for name in ("null", "invalid", "[-inf,-1)", "[-1,2.5)", "[2.5,inf)", "[-inf,inf)", "out of range")),
    *(("c", name) for name in ("null", "invalid", "a", "other", "unseen")),
    *(("y", name) for name in ("null", "[0.5,inf)")),
    *(("@prediction", name) for name in ("0", "null", "unseen")),
)


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("narrow", [{}, {"version": "2"}, {"role": "champion"}, {"version": "9"}])
def test_panes_count_what_raw_events_count(stores: Stores, monkeypatch: pytest.MonkeyPatch, segment: str, narrow: dict[str, str]) -> None:
    """Of every filter that panes can tell: by value, by label, by neither, in a segment, of a version and of a role."""
    some, known = 0, reader(stores)
    asked: list[dict[str, Any]] = [{}, *({"label": label} for label in ("known", "unknown", "wrong"))]
    asked += [{"column": column, "values": known.values("m", column, name)} for column, name in VALUES]
    for parts in asked:
        raw, found = counted(stores, monkeypatch, segment=segment, **parts, **narrow)
        if segment != "all" and not raw.by_slot:  # raw events tell whether there can be such a segment
            assert found is None, parts
            continue
        assert found == raw, parts
        some += sum(found.by_slot.values())
    assert (some == 0) == (narrow.get("version") == "9")


@pytest.mark.parametrize(
    "parts",
    [
        {"start": 1},
        {"end": 5 * HOUR + 1},
        {"start": None},
        {"step": HOUR // 2},
        {"as_of": 1_700_000_000_000_009},
        {"label": "known", "column": "x", "values": "null"},
        {"column": "x", "values": Range(-0.5, 1.0)},
        {"column": "w", "values": "null"},  # the versions of the contract keep it as texts, and as numbers
        {"column": "c", "values": Texts(("a", "b"))},
    ],
)
def test_raw_events_count_what_panes_do_not_tell(stores: Stores, monkeypatch: pytest.MonkeyPatch, parts: dict[str, Any]) -> None:
    """Parts of panes and of bins, a time, two filters at once, and a column that was another."""
    assert counted(stores, monkeypatch, **parts)[1] is None


def test_panes_that_are_not_whole_are_not_asked(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """While they are made again, before they were made under the newest contract, and where retention may have removed events."""
    asked: dict[str, Any] = {"column": "x", "values": "null"}
    assert counted(stores, monkeypatch, **asked)[1] is not None
    for change in ({"finished": False}, {"finished": True, "contract": FIRST}):
        evaluated(stores, **change)
        assert counted(stores, monkeypatch, **asked)[1] is None
    evaluated(stores, finished=True)
    progress = stores.batches.progress(1, ["m"])["m"]
    monkeypatch.setattr(stores.batches, "progress", lambda *_: {"m": replace(progress, frozen=3 * HOUR)})
    assert counted(stores, monkeypatch, **asked)[1] is None
    assert counted(stores, monkeypatch, **asked, start=4 * HOUR)[1] is not None


def test_a_regression_has_no_wrong_ones_in_panes(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of 0 is right, and panes hold the sums of errors alone."""
    number = msgspec.structs.replace(NEWEST, task=Task.REGRESSION, classes=())
    monkeypatch.setattr(stores.control, "contract_versions", lambda _: [number])
    assert counted(stores, monkeypatch, label="wrong")[1] is None
