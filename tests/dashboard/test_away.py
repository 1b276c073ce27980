"""While the fact store does not answer, every page has its heading, its tabs and what the control store knows; what needs facts says that it failed, and offers to try again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.contract_version import ContractVersion
from core.error import ConfigError, Retryable
from dashboard import components as piece
from dashboard import late, ports
from dashboard.mount import _frame
from dashboard.pages import board
from dashboard.panel import Page
from dashboard.route import page
from dashboard.site import LATE, SITE, PageEntry
from dashboard.state import address
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin

MODEL = "departs-late"
# The methods of a reader that read facts. A new method of the port is named here, or in the other set.
FACTS = frozenset(
    {
        *("models", "model", "pipeline", "header_facts", "standings", "proposal", "waiting", "use"),
        *("readings", "evaluate", "ranking", "calibration", "trust", "comparisons", "course", "backtest", "quieter"),
        *(
            "importance",
            "new_categories",
            "histogram",
            "labelled",
            "score_bins",
            "errors",
            "residuals",
            "traffic",
            "recent",
            "charts",
            "lines",
            "counts",
        ),
        *("events", "event", "event_counts", "beside", "cause", "cause_of"),
    }
)
CONTROL = frozenset(
    {
        *("measures", "policy", "hooks", "trainings", "retrains", "ran", "audit", "principals", "silences", "silenced", "open_ones"),
        *("told_as", "goes", "would_go", "deliveries", "delivery", "contract", "contracts", "contract_versions", "monitors", "worth"),
        *("referenced", "values", "open_levels", "episodes", "history", "episode", "transitions", "status"),
    }
)
# Pages that are whole without facts.
WHOLE = {"acknowledged", "alerts", "monitor", "baselines", "policy", "silences", "deliveries", "users", "audit", "help", "search"}


class Away(Twin):
    """A reader whose fact store is away."""

    def __getattribute__(self, name: str) -> Any:
        return _fail if name in FACTS else super().__getattribute__(name)

    def contract_versions(self, model: str, references: bool = True) -> list[ContractVersion]:  # as in the port
        return _fail() if references else super().contract_versions(model, references)


def _fail(*_given: Any) -> Any:
    message = "ClickHouse at http://127.0.0.1:8123 does not answer"
    raise Retryable(message)


def _path(entry: PageEntry, twin: Twin) -> str:
    last = {"alerts/*": [twin.open_ones()[0].id], "models/*/columns/*": [MODEL, "temp"], "models/*/events/*": [MODEL, "d1-1"]}
    return address(*entry.filled(last.get(entry.path, [MODEL])))


def test_each_method_of_the_port_is_of_one_store() -> None:
    """So that a new one is not left out below."""
    assert {name for name in vars(ports.Reader) if not name.startswith("_")} == FACTS | CONTROL
    assert not FACTS & CONTROL


@pytest.mark.parametrize("entry", SITE, ids=lambda entry: entry.path or "inbox")
async def test_no_page_is_one_card(entry: PageEntry) -> None:
    """The heading and the offer to try again are there, and of a model its name, tabs and open episodes."""
    away = Away()
    drawn = await page(away, _path(entry, away), entry.search)
    said = text(drawn)
    assert '"H1"' in said
    assert "page could not be drawn" not in said.casefold()
    assert ("Try again" in said or '"late"' in said) == (entry.path not in WHOLE)
    if entry.of_model:
        assert MODEL in said
        assert " 0 open episodes" not in said
        assert "Pages of this model" in said
        assert "No event yet" not in said


async def test_parts_that_come_later_fail_alone() -> None:
    """Each is a card that says that it could not be drawn, or why."""
    away = Away()
    episode = away.open_ones()[0]
    trial = f"?model={MODEL}&monitor=one&measure=performance.accuracy"
    given = {
        "causes": [episode.id, ""],
        "segments": [MODEL, ""],
        "sides": [MODEL, ""],
        "trial": [trial],
        "worth": [MODEL, episode.monitor, ""],
    }
    assert set(given) == set(LATE)
    for kind, parts in given.items():
        drawn = text(Page("", piece.several(await late.draw(away, LATE, json.dumps([kind, *parts])))))
        assert any(said in drawn for said in ("could not be drawn", "does not answer")), kind


async def test_the_frame_counts_open_episodes() -> None:
    """The place Inbox has its number, and the state says that the age of events is not known."""
    opened, health = await _frame(Away())
    assert opened == len(Twin().open_ones()) > 0
    said = text(Page("", health))
    assert "Age of events unknown" in said
    assert "No event" not in said


async def test_what_only_events_tell_is_not_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version, a grouping and a segment may well be there, and nobody has counted no predictions."""
    twin = Twin()
    twin.failing = {"models"}
    said = text(await page(twin, f"/ui/models/{MODEL}/performance", "?version=9&by=carrier&segment=carrier%3DZZ"))
    assert "does not answer" in said
    assert not any(denied in said for denied in ("has no predictions", "has no segments", "No such segment"))
    twin = Twin()
    monkeypatch.setattr(twin, "recent", _fail)
    said = text(await page(twin, "/ui/models", ""))
    assert "does not answer" in said
    assert '"children": "0"' not in said


def test_what_cannot_be_computed_now_is_offered_again() -> None:
    """Not what can never be."""
    retried, refused = (text(Page("", [board.unavailable("Drift", None, kind("because"))])) for kind in (Retryable, ConfigError))
    assert "Try again" in retried
    assert "Try again" not in refused
