"""What a page shows that nobody has defined: windows and baselines that were picked, and the contract that is proposed for a model without one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.trial import Trial
from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


async def test_a_model_without_a_contract_shows_what_was_seen_and_how_to_take_it(twin: Twin) -> None:
    """The list of models leads to it; a name of which nothing waits is unknown."""
    drawn = text(await page(twin, "/ui/models/newcomer", ""))
    for said in (
        "1,200 predictions and 300 labels wait",
        "watchkeeper reference newcomer --from-production",
        "binary",
        "20 to 59",
        '"a, b"',
        "odd",
    ):
        assert said in drawn
    assert "/ui/models/newcomer" in text(await page(twin, "/ui/models", ""))
    assert "There is no model nobody" in text(await page(twin, "/ui/models/nobody", ""))


@pytest.mark.parametrize(
    ("address", "picks", "target", "baseline"),
    [
        ("/ui/models/departs-late/columns/temp", "baseline=previous-7", {"window": "1d"}, {"previous": 7}),
        ("/ui/models/departs-late/columns/temp", "target=monthly&baseline=same-weekday", {"window": "monthly"}, "reference"),
        ("/ui/models/departs-late/drift", "target=weekly&baseline=prior-7d", {"window": "weekly"}, {"prior": "7d"}),
        ("/ui/models/departs-late", "target=month_to_date", {"window": "month_to_date"}, "reference"),
    ],
)
async def test_windows_and_baselines_are_picked_without_a_monitor(
    twin: Twin, monkeypatch: pytest.MonkeyPatch, address: str, picks: str, target: dict[str, str], baseline: object
) -> None:
    """What is picked is computed and not stored, and says so; a baseline that does not fit the windows is not taken, and each pick can be removed."""
    asked: list[Any] = []
    evaluate = twin.evaluate

    def noted(trial: Trial) -> Any:
        asked.append(trial.monitor)
        return evaluate(replace(trial, monitor={**trial.monitor, "target": {"window": "1d"}}))  # the twin's year has days only

    monkeypatch.setattr(twin, "evaluate", noted)
    shown = text(await page(twin, address, f"?{picks}"))
    assert "Windows, baseline or version were picked here: computed now, not stored, no alarms." in shown
    assert {"target": target, "baseline": baseline}.items() <= asked[0].items()
    assert "could not be drawn" not in shown
    for key in ("target", "baseline"):  # the control sets it; Dash takes no id twice
        assert shown.count(f'"pick": "{key}=-"') == 1
