"""The page Users and tokens."""

from __future__ import annotations

import pytest

from core.principal import Principal, Role
from dashboard.person import person, role
from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin

PATH = "/ui/users"


async def test_an_admin_sees_who_has_a_token_and_others_what_they_may_do() -> None:
    """Everybody sees their own name and role and all roles; names are text."""
    for one in Role:
        person.set("carla")
        role.set(one)
        said = text(await page(Twin(), PATH, ""))
        assert all(words in said for words in ("carla", "You are", "also changes and deletes definitions"))
        assert ("<b>bob</b>" in said) == (one is Role.ADMIN)
        assert (f"Your role is {one}." in said) == (one is not Role.ADMIN)


async def test_without_tokens_the_page_says_what_that_means(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how one is made."""
    twin, none = Twin(), list[Principal]()
    monkeypatch.setattr(twin, "principals", lambda: none)
    role.set(Role.ADMIN)
    said = text(await page(twin, PATH, ""))
    assert "everyone on this machine may do everything" in said
    assert "token_file" in said
