"""Acting on an episode from its page: the effect is shown first, and the API gets the request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Dialog, Route, expect

from tests.browser.conftest import Served, Window

pytestmark = pytest.mark.browser


def test_the_effect_is_shown_before_anything_is_sent(tab: Window, served: Served) -> None:
    """Dismissed: nothing is sent. Accepted: the body is that of the surface. A silence asks the API first what it would hold."""
    sent: list[tuple[str, dict[str, Any]]] = []
    shown: list[str] = []
    answers: list[str | bool] = [False, True, "ada", "deploy"]
    name = served.reader.episodes("open", None, 1)[0].id

    def take(route: Route) -> None:
        sent.append((route.request.url.removeprefix(served.url), json.loads(route.request.post_data or "{}")))
        route.fulfill(status=200, content_type="application/json", body='{"effect": {"count": 3, "episodes": []}}')

    def reply(dialog: Dialog) -> None:
        shown.append(dialog.message)
        wanted = answers.pop(0)
        if wanted is False:
            dialog.dismiss()
        elif isinstance(wanted, str):
            dialog.accept(wanted)
        else:
            dialog.accept()

    for address in ("**/v1/episodes/**", "**/v1/silences**"):
        tab.page.route(address, take)
    tab.page.on("dialog", reply)
    tab.open(f"/ui/alerts/{name}")
    tab.page.get_by_role("button", name="Acknowledge").click()
    assert (len(shown), sent) == (1, [])
    for label in ("Acknowledge", "Assign", "Silence monitor 2 h"):
        with tab.page.expect_navigation():
            tab.page.get_by_role("button", name=label).click()
        tab.drawn()
    assert [path for path, _ in sent] == [
        f"/v1/episodes/{name}/acknowledge",
        f"/v1/episodes/{name}/assign",
        "/v1/silences?dry_run=true",
        "/v1/silences",
    ]
    assert (sent[0][1], sent[1][1]) == ({}, {"to": "ada"})
    assert set(sent[3][1]) == {"match", "comment", "ends_at"}
    assert shown[0].startswith("It is not escalated any more, and its group is not repeated")
    assert (sent[3][1]["comment"], shown[3]) == (
        "deploy",
        "With a policy: episodes of this monitor are not told for two hours.\n3 open episodes match now.\nWhy?",
    )


def test_a_monitor_is_applied_as_its_form_says(tab: Window) -> None:
    """The API is asked first what applying would do, and gets the YAML that is shown. Without the right it refuses, and says so."""
    sent: list[tuple[str, str, str]] = []
    shown: list[str] = []

    def take(route: Route) -> None:
        asked = route.request
        sent.append((asked.url.partition("/v1/")[2], asked.headers["content-type"], asked.post_data or ""))
        item = {"kind": "monitor", "model": "departs-late", "name": "moves", "result": "created"}
        refusal = {"detail": "you are a viewer", "remedy": "ask an editor"}
        made = len(sent) < 3
        route.fulfill(status=200 if made else 403, content_type="application/json", body=json.dumps({"items": [item]} if made else refusal))

    def accept(dialog: Dialog) -> None:
        shown.append(dialog.message)
        dialog.accept()

    tab.page.route("**/v1/apply**", take)
    tab.page.on("dialog", accept)
    tab.open("/ui/monitor?model=departs-late&monitor=moves&warn=0.1")
    with tab.page.expect_navigation():
        tab.page.get_by_role("button", name="Apply").click()
    tab.drawn()
    with tab.page.expect_event("dialog"):
        tab.page.get_by_role("button", name="Apply").click()
    assert [(path, kind) for path, kind, _ in sent] == [
        (path, "application/yaml") for path in ("apply?dry_run=true", "apply", "apply?dry_run=true")
    ]
    assert sent[1][2] == (tab.page.locator("main pre").text_content() or "").strip()
    assert shown[0].endswith("monitor moves: created")
    assert shown[-1] == "you are a viewer\nask an editor"
    tab.complaints.clear()  # the browser notes that an answer was a refusal


def test_the_keys_move_through_the_inbox(tab: Window) -> None:
    """J goes to the next row and k to the one before, whose link Enter opens; in a field they are letters."""
    tab.open("/ui/")
    first = tab.page.locator(".episodes > .episode h2 a").first
    tab.page.keyboard.press("j")
    assert first.evaluate("(link) => link === document.activeElement")
    tab.page.keyboard.press("k")
    assert first.evaluate("(link) => link === document.activeElement")
    wanted = first.get_attribute("href")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"**{wanted}")
    tab.drawn()


def test_the_keys_search_help_and_take_the_windows_before_and_after(tab: Window) -> None:
    """/ leads to the search and into its field, in which all keys are letters; ? helps; [ and ] go to the windows before and after."""
    keys = tab.page.keyboard
    tab.open("/ui/models/departs-late")
    keys.press("[")
    tab.page.wait_for_url("**window=**")
    before = tab.page.url
    tab.drawn()
    keys.press("]")
    tab.page.wait_for_url(lambda url: url != before)
    tab.drawn()
    keys.press("/")
    field = tab.page.get_by_role("textbox", name="Search")
    expect(field).to_be_focused()
    keys.type("temp?/[")
    expect(field).to_have_value("temp?/[")
    keys.press("Enter")
    tab.page.wait_for_url("**/ui/search?q=temp*")
    tab.drawn()
    tab.page.locator("h1").click()  # leaves the field
    keys.press("?")
    tab.page.wait_for_url("**/ui/help")
    tab.drawn()


def test_a_notification_is_sent_again_and_a_silence_ends(tab: Window, served: Served) -> None:
    """Each says first what it does. A silence is ended by DELETE."""
    sent: list[tuple[str, str]] = []
    shown: list[str] = []

    def take(route: Route) -> None:
        sent.append((route.request.method, route.request.url.removeprefix(served.url)))
        route.fulfill(status=200, content_type="application/json", body='{"effect": {"count": 1}}')

    def accept(dialog: Dialog) -> None:
        shown.append(dialog.message)
        dialog.accept()

    for address in ("**/v1/deliveries/**", "**/v1/silences/**"):
        tab.page.route(address, take)
    tab.page.on("dialog", accept)
    for address, label in (("/ui/deliveries", "Send "), ("/ui/silences", "End si_1 now")):
        tab.open(address)
        with tab.page.expect_navigation():
            tab.page.get_by_role("button", name=label).first.click()
        tab.drawn()
    assert [method for method, _ in sent] == ["POST", "DELETE"]
    assert sent[1][1] == "/v1/silences/si_1"
    assert shown[0].startswith("It is sent again at once")
