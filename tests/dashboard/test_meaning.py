"""Above each chart of the pages that say how right, how fair and how sure a model is stands a sentence that says what it means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dashboard.route import page
from tests.dashboard.test_fairness import fair
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


@pytest.mark.parametrize(
    ("address", "least"),
    [
        ("/ui/models/departs-late/performance", 6),
        ("/ui/models/arrival-delay/performance", 3),
        ("/ui/models/departs-late/fairness", 2),
        ("/ui/models/departs-late/trust", 2),
    ],
)
async def test_a_sentence_stands_above_each_chart(address: str, least: int, twin: Twin) -> None:
    """Seen by all, and of its own: since the chart before it. What the numbers are of, in the head of a card, is another one."""
    reader = fair(twin) if "fairness" in address else twin
    said, charts = list[str](), 0
    for kind, content in _parts(json.loads(text(await page(reader, address, "")))):
        if kind == "sentence":
            said.append(content)
            continue
        charts += 1
        assert said, content
        said.clear()
    assert charts >= least


def _parts(node: Any) -> Iterator[tuple[str, str]]:
    """Sentences and charts, in their order on the page."""
    if isinstance(node, list):
        for one in node:
            yield from _parts(one)
    if not isinstance(node, dict):
        return
    props = node.get("props", {})
    if node.get("type") == "Graph":
        yield "chart", str(props["id"])
    elif node.get("type") == "P" and props.get("className") in (None, "next") and _words(props.get("children")).rstrip().endswith("."):
        yield "sentence", _words(props["children"])
    else:
        yield from _parts(props.get("children"))


def _words(node: Any) -> str:
    if isinstance(node, list):
        return "".join(map(_words, node))
    return _words(node.get("props", {}).get("children")) if isinstance(node, dict) else node if isinstance(node, str) else ""
