"""The page of the audit: who changed what, from what to what, for admins only."""

from __future__ import annotations

from starlette.types import Message, Receive, Scope, Send

from core.principal import Principal, Role
from dashboard.person import Person, person, role
from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin

PATH = "/ui/audit"


async def test_an_admin_sees_who_changed_what_page_by_page() -> None:
    """Only the fields that differ; names are text."""
    role.set(Role.ADMIN)
    drawn = await page(Twin(), PATH, "")
    said = text(drawn)
    for words in ("1970-01-04 00:00:00", "ada", "monitor departs-late/psi", "critical: 0.2 to 0.3", "<b>bob</b>", "removed", "Older"):
        assert words in said
    assert "warn: " not in said
    older = text(await page(Twin(), PATH, "?after=2"))
    assert ("kind: slack" in older, "Newest" in older, "Older" in older) == (True, True, False)


async def test_nobody_else_does() -> None:
    """The page says which role it needs, and asks nothing."""
    for one in list(Role)[:-1]:
        role.set(one)
        said = text(await page(Twin(), PATH, ""))
        assert f"Your role is {one}." in said
        assert "critical" not in said


async def test_a_page_knows_the_principal_of_its_request() -> None:
    """Without one it is a viewer's."""
    seen = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append((person.get(), role.get()))

    for who in (Principal("ada", Role.ADMIN), None):
        await Person(app, who=lambda scope: scope["who"])({"type": "http", "who": who}, receive, send)
    assert seen == [("ada", Role.ADMIN), ("", Role.VIEWER)]


async def receive() -> Message:
    raise AssertionError


async def send(_message: Message) -> None:
    raise AssertionError
