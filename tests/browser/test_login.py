"""A person logs in with a token: on a cluster, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.conftest import servers
from tests.acceptance.process import Process, migrated
from tests.acceptance.world import Servers
from tests.browser.accessible import violations
from tests.browser.conftest import Shots, Window, window

__all__ = ["servers"]

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOKEN = "open sesame, é"


@pytest.fixture
def guarded(servers: Servers, tmp_path: Path) -> Iterator[Process]:
    """The process that serves a cluster, with a token, and sessions of a few seconds."""
    environment = {**servers.environment, "WATCHKEEPER_TOKEN": TOKEN, "WATCHKEEPER_SESSION": "20s"}
    migrated(environment)
    with Process("serve", ["serve"], tmp_path, environment) as process:
        yield process


def enter(tab: Window, token: str) -> None:
    """Fill in the form and send it, by the keyboard alone."""
    expect(tab.page.get_by_label("Token")).to_be_focused()
    tab.page.keyboard.type(token)
    tab.page.keyboard.press("Enter")


def test_a_person_logs_in_looks_around_and_logs_out(browser: Browser, guarded: Process, shots: Shots) -> None:
    """The form comes before every page and leads back to it; a wrong token opens nothing; after a log-out every page needs a log-in again."""
    for theme in ("light", "dark"):
        with window(browser, guarded, theme=theme, size=(390, 800)) as tab:
            tab.page.goto(f"{guarded.url}/ui/models")
            assert violations(tab.page) == []
            shots.take(tab.page, f"login-{theme}")
    with window(browser, guarded) as tab:
        tab.page.goto(f"{guarded.url}/ui/models?range=7d")
        enter(tab, "wrong")
        expect(tab.page.get_by_role("alert")).to_have_text("That is none of the tokens.")
        assert violations(tab.page) == []
        assert [complaint for complaint in tab.complaints if "401" not in complaint] == []
        tab.complaints.clear()
        enter(tab, TOKEN)
        tab.drawn()
        assert tab.page.url == f"{guarded.url}/ui/models?range=7d"
        assert tab.page.evaluate("document.cookie") == ""
        tab.page.get_by_role("button", name="Log out").click()
        expect(tab.page.get_by_label("Token")).to_be_visible()
        tab.page.goto(f"{guarded.url}/ui/")
        expect(tab.page.get_by_label("Token")).to_be_visible()


def test_a_session_that_ends_under_an_open_page_leads_to_the_log_in(browser: Browser, guarded: Process) -> None:
    """The page asks whether anything is new, hears that the session is over, and comes back to the same page after the log-in."""
    with window(browser, guarded) as tab:
        tab.page.goto(f"{guarded.url}/ui/models?range=7d")
        enter(tab, TOKEN)
        tab.drawn()
        tab.page.get_by_label("Token").wait_for(timeout=180_000)
        assert [complaint for complaint in tab.complaints if "401" not in complaint] == []
        tab.complaints.clear()
        enter(tab, TOKEN)
        tab.drawn()
        assert tab.page.url == f"{guarded.url}/ui/models?range=7d"
