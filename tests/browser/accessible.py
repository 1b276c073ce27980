"""What axe finds wrong on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

LEVEL: Mapping[str, Any] = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS: Mapping[str, Any] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # what a page can break in one theme only


def violations(page: Page, only: Mapping[str, Any] | None = None) -> list[tuple[str, Any]]:
    """The rules that the page breaks, of all or `only` of these, and where. The script is put into a page once."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"]} | ({"runOnly": {**only}} if only else {})
    found = page.evaluate("(options) => axe.run(options).then((found) => found.violations)", options)
    return [(one["id"], [node["target"] for node in one["nodes"]][:4]) for one in found]
