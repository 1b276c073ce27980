"""The inbox: a row for each group with its sentence, filters that are in the address, and page by page, however much is acknowledged."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from core.episode import Episode
from core.handling import Decision, Handling
from core.monitor import Severity
from core.reading import Query
from dashboard import gathered
from dashboard import texts as word
from dashboard.person import person
from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin

ROW = '"className": "episode '


class Opened(Twin):
    """An installation in which the same episode is open many times, with changes."""

    def __init__(self, changes: Sequence[dict[str, object]]) -> None:
        super().__init__()
        one = self.episodes("open", None, 1)[0]
        self.made = [msgspec.structs.replace(one, id=f"ep_{at}", **change) for at, change in enumerate(changes)]

    def open_ones(self) -> list[Episode]:
        return self.made


TAKEN = Handling(acknowledged_by="ada")
GROUP = Decision(group="gr_1")


async def test_what_the_policy_tells_together_is_one_row_with_its_sentence() -> None:
    """Over models and monitors; without a group it is a row a monitor. The group is acknowledged as one, and says how much of it is."""
    twin = Opened(
        [{"decision": GROUP}, {"decision": GROUP, "model": "arrival-delay"}, {"decision": GROUP, "handling": TAKEN}, {"monitor": "a"}]
    )
    found = text(await page(twin, "/ui/", ""))
    assert found.count(ROW) == 2
    for words in ("; 2 more with it", "2 more of this group", "also arrival-delay", "1 of 3 acknowledged", "/v1/groups/gr_1/acknowledge"):
        assert words in found
    assert "in 2 groups, 1 acknowledged" in found


async def test_filters_narrow_and_are_chips() -> None:
    """Severity, model, mine, and whether what is acknowledged is shown; each chip leads to the address without it."""
    twin = Opened([
        {"monitor": "a", "severity": Severity.PAGE},
        {"monitor": "b", "severity": Severity.REPORT, "owner": "ada"},
        {"monitor": "c", "severity": Severity.REPORT, "handling": TAKEN},
        {"monitor": "d", "severity": Severity.REPORT, "model": "arrival-delay"},
    ])  # fmt: skip
    person.set("ada")
    for search, rows in (("", 3), ("?severity=page", 1), ("?model=arrival-delay", 1), ("?mine=1", 1), ("?mine=1&all=1", 2), ("?all=1", 4)):
        found = text(await page(twin, "/ui/", search))
        assert (search, found.count(ROW)) == (search, rows)
    found = text(await page(twin, "/ui/", "?mine=1&severity=report"))
    assert '"aria-label": "Remove Notifies report"' in found
    assert '"/ui/?mine=1"' in found
    assert "No open episode fits this choice" in text(await page(twin, "/ui/", "?severity=ticket&mine=1"))


async def test_groups_come_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is acknowledged too, without an end at the newest 500; a page that is not there is the first."""
    monkeypatch.setattr(gathered, "GROUPS", 4)
    twin = Opened([{"monitor": f"m{at}", "handling": TAKEN} for at in range(10)])
    found = text(await page(twin, "/ui/acknowledged", "?after=8"))
    assert (found.count(ROW), "9 to 10 of 10" in found, '"/ui/acknowledged?after=4"' in found) == (2, True, True)
    assert text(await page(twin, "/ui/acknowledged", "?after=99")).count(ROW) == 4
    assert "All 10 open episodes are acknowledged" in text(await page(twin, "/ui/", ""))


class Counted(Opened):
    """It notes how much each question asks for."""

    asked: list[tuple[str, int]]

    def lines(self, queries: Sequence[Query]) -> list[list[float | None]]:
        self.asked.append(("lines", len(queries)))
        return [[0.1, None, 0.2] for _ in queries]

    def counts(self, asked: Sequence[tuple[str, str, int, int]]) -> list[int]:
        self.asked.append(("counts", len(asked)))
        return [0 if model == "gone" else 400 if segment == "all" else 100 for model, segment, _, _ in asked]


async def test_a_page_of_groups_asks_the_facts_twice_however_many_there_are() -> None:
    """Once for all lines, and once for all shares, of which those of one segment and window are one; a model that is gone has no traffic."""
    places = [("all", "departs-late"), ("carrier=UA", "departs-late"), ("carrier=UA", "departs-late"), ("carrier=UA", "gone")]
    twin = Counted([{"monitor": f"m{at}", "segment": segment, "model": model} for at, (segment, model) in enumerate(places)])
    twin.asked, twin.failing = [], {"readings", "traffic"}
    found = text(await page(twin, "/ui/", ""))
    assert sorted(twin.asked) == [("counts", 4), ("lines", 4)]
    said = f"{word.share(0.25)} of traffic"
    assert (found.count(ROW), found.count(said), found.count("all traffic"), found.count("traffic unknown")) == (4, 2, 1, 1)
