"""The pages Performance and Fairness in a browser: every chart of them is drawn, with values."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Served, Shots, Window
from tests.dashboard.test_fairness import fair

pytestmark = pytest.mark.browser


@pytest.fixture
def compared(served: Served) -> Iterator[Served]:
    """A reader of a model whose carriers are compared."""
    held, made = vars(served.reader), vars(fair(served.reader))
    before = {name: held[name] for name in ("_contracts", "_monitors", "_readings")}
    held.update({name: {**parts, **made[name]} for name, parts in before.items()})
    yield served
    held.update(before)


@pytest.mark.usefixtures("compared")
def test_groups_are_drawn_over_time_and_in_a_table(tab: Window, shots: Shots) -> None:
    """The gap with its sentence, the line of each group that is not suppressed, and a row for each group."""
    tab.open("/ui/models/departs-late/fairness")
    assert tab.points("measure") > 100
    assert tab.points("groups") > 100
    expect(tab.page.locator("main")).to_contain_text("There is a gap: chance alone does not explain it.")
    table = tab.page.get_by_role("table").filter(has_text="carrier=UA")
    expect(table.locator("tbody tr")).to_have_count(3)
    expect(table).to_contain_text("suppressed: too few rows, or 0/0")
    shots.take(tab.page, "fairness-groups", whole=True)


def test_scores_and_errors_are_drawn(tab: Window, shots: Shots) -> None:
    """Of a classifier the threshold explorer with its curves and the reliability; of a regression the errors by segment and against the prediction."""
    for model, charts in (("departs-late", ("measure", "explorer")), ("arrival-delay", ("measure", "errors", "residuals"))):
        tab.open(f"/ui/models/{model}/performance")
        there = set(
            tab.page.evaluate("() => [...document.querySelectorAll('main .chart .js-plotly-plot')].map((plot) => plot.closest('[id]').id)")
        )
        assert {*charts} <= there
        for chart in there:
            assert tab.points(chart) > 1, chart
        shots.take(tab.page, f"performance-{model}", whole=True)
