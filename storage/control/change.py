"""The changes of a model that the audit and the requests for retraining tell of."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, or_, select

from core.change import Change, ChangeKind
from storage.control.schema import AUDIT, RETRAIN

_MOST = 20


def changes(connection: Connection, model: str, since: int, until: int) -> list[Change]:
    """The newest changes of a model in `[since, until)`, the first one first."""
    of_monitors = AUDIT.c.subject.startswith(f"{model}/", autoescape=True) & AUDIT.c.action.startswith("monitor.")
    of_contract = (AUDIT.c.subject == model) & (AUDIT.c.action == "contract.save")
    within = (AUDIT.c.at >= since) & (AUDIT.c.at < until)
    audited = select(AUDIT).where(within, or_(of_monitors, of_contract)).order_by(AUDIT.c.sequence.desc()).limit(_MOST)
    asked = select(RETRAIN.c.created, RETRAIN.c.hook).where(RETRAIN.c.model == model, RETRAIN.c.created >= since, RETRAIN.c.created < until)
    found = [_audited(row, model) for row in connection.execute(audited)]
    for created, hook in connection.execute(asked.order_by(RETRAIN.c.created.desc()).limit(_MOST)):
        found.append(Change(created, ChangeKind.RETRAIN, f"retraining asked for by {hook}"))
    return sorted(found, key=lambda one: (one.at, one.text))


def _audited(row: Any, model: str) -> Change:
    actor = f" by {row.actor}" if row.actor else ""
    if row.action == "contract.save":
        version = (msgspec.json.decode(row.payload) or {}).get("version")
        return Change(row.at, ChangeKind.CONTRACT, f"contract version {version} saved{actor}")
    name, what = row.subject.removeprefix(f"{model}/"), row.action.partition(".")[2]
    return Change(row.at, ChangeKind.MONITOR, f"monitor {name} {what}{actor}")
