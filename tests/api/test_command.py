"""Commands run if the principal's role allows them, in the principal's name."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from core.clock import ManualClock
from core.error import ConfigError, Forbidden
from core.principal import Principal, Role
from storage.control.store import ControlStore
from tests.api.twin import TAXI
from tests.storage.control.database import migrated_postgres, url
from watchkeeper.change.apply import ApplyRequest
from watchkeeper.change.delivery import CheckDestination
from watchkeeper.command import COMMANDS, Command, do
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores

__all__ = ["migrated_postgres", "url"]

ADA = Principal("ada", Role.EDITOR)
MONITOR = "- {monitor: fare-drift, model: taxi-fare, measure: drift.psi, warn: %s}"
DESTINATION = (
    "- {destination: oncall, kind: webhook, url: 'https://example.org/?k=hidden', secret: whsec_aGlkZGVuaGlkZGVuaGlkZGVu, severity: %s}"
)


@pytest.fixture
def control(url: str) -> Iterator[ControlStore]:
    store = ControlStore(url, ManualClock(1_000))
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def stores(control: ControlStore) -> Stores:
    """Those of definitions alone."""
    return cast("Stores", SimpleNamespace(control=control, settings=Settings()))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_is_refused_to_lower_roles_before_anything_is_read(command: Command) -> None:
    """There are no stores at all here."""
    for role in list(Role)[: command.role.rank]:
        with pytest.raises(Forbidden, match=f"needs `{command.role}`"):
            do(cast("Stores", None), Principal("x", role), command.name, cast("msgspec.Struct", None))


def test_commands_have_names_of_their_own() -> None:
    """The list is what `do` goes by."""
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


def test_what_is_applied_is_audited_with_who_before_and_after(stores: Stores, control: ControlStore) -> None:
    """In both databases. An unchanged definition and a dry run leave no entry, and no entry holds a secret."""
    control.save_contract(TAXI, content="c", reference=None)
    for warn, severity in (("0.1", "page"), ("0.1", "page"), ("0.2", "report")):
        do(stores, ADA, "apply", ApplyRequest(text=f"{MONITOR % warn}\n{DESTINATION % severity}"))
    do(stores, ADA, "apply", ApplyRequest(text=MONITOR % 0.3, dry_run=True))
    entries, after = control.audit_entries()
    found = [(one.actor, one.action, one.subject, _of(one.before), _of(one.after)) for one in reversed(entries)]
    assert found == [
        ("local", "contract.save", "taxi-fare", None, 1),
        ("ada", "monitor.created", "taxi-fare/fare-drift", None, 0.1),
        ("ada", "destination.created", "oncall", None, "page"),
        ("ada", "monitor.changed", "taxi-fare/fare-drift", 0.1, 0.2),
        ("ada", "destination.changed", "oncall", "page", "report"),
    ]
    assert after is None
    assert "hidden" not in str(entries)
    assert "whsec" not in str(entries)


@pytest.mark.parametrize(
    ("segment", "fault"), [("city=rome", "there is no segment `city`"), ("borough=x,city=rome", "there is no segment `city`")]
)
def test_a_hook_is_refused_that_judges_in_a_segment_without_panes(stores: Stores, control: ControlStore, segment: str, fault: str) -> None:
    """Else a new version could never be judged, which would be known only when its run has ended. A segment that panes hold is taken."""
    control.save_contract(TAXI, content="c", reference=None)
    verify = "{measure: performance.mae, segment: %s}"
    hook = "- {hook: again, model: taxi-fare, url: 'https://example.org/', secret: whsec_aGlkZGVuaGlkZGVuaGlkZGVu, verify: %s}"
    with pytest.raises(ConfigError, match=r"hook `again`, `verify\.segment`: ") as told:
        do(stores, ADA, "apply", ApplyRequest(text=hook % (verify % f"'{segment}'")))
    assert fault in str(told.value)
    do(stores, ADA, "apply", ApplyRequest(text=hook % (verify % "'borough=x'")))
    assert [one.name for one in control.hooks()] == ["again"]


def test_words_change_a_contract_that_took_up_values_in_nothing_else(stores: Stores, control: ControlStore) -> None:
    """No new version, and no complaint that the reference would go."""
    first = control.save_contract(TAXI, content="c", reference=b"r")
    fence = ("owner:taxi-fare", control.take("owner:taxi-fare"))
    (dimension,) = first.dimensions
    wanted = msgspec.structs.replace(first, dimensions=(msgspec.structs.replace(dimension, new=("Bronx",)),))
    second = control.take_up(wanted, fence, actor="watchkeeper")
    assert second is not None
    do(stores, ADA, "apply", ApplyRequest(text="- {contract: taxi-fare, owner: ops}"))
    assert control.contract("taxi-fare") == msgspec.structs.replace(second, owner="ops")


def test_what_a_command_sends_leads_to_the_address_for_others(control: ControlStore) -> None:
    """Whoever reads it is on another machine, so the address to listen on would be of no use."""
    stores = cast("Stores", SimpleNamespace(control=control, settings=Settings(address="https://watch.example.org")))
    do(stores, ADA, "apply", ApplyRequest(text=DESTINATION % "page"))
    sent = do(stores, ADA, "test destination", CheckDestination(name="oncall"))
    assert msgspec.json.decode(sent.body)["data"]["url"] == "https://watch.example.org/ui/"


def test_the_audit_is_read_back_in_pages(stores: Stores, control: ControlStore) -> None:
    """The newest first, each once."""
    control.save_contract(TAXI, content="c", reference=None)
    for place in range(4):
        do(stores, ADA, "apply", ApplyRequest(text=MONITOR % (0.1 + place / 10)))
    whole, _ = control.audit_entries()
    pages, cursor = list[Any](), None
    while True:
        page, cursor = control.audit_entries(2, cursor)
        pages += page
        if cursor is None:
            break
    assert (pages, len(whole)) == (whole, 5)


def _of(document: dict[str, Any] | None) -> Any:
    """What changes in a definition here."""
    if document is None:
        return None
    return document["version"] if "content" in document else document["severity"] if "url" in document else document["warn"]
