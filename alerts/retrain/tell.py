"""What people are told of retraining: that it waits for them, that it did not help, that the new version is worse, that automatic retraining is off, and that a model was not trained in time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from alerts.notification import notifications
from core import duration, moment
from core.destination import Destination
from core.episode import Delivery
from core.monitor import Severity
from core.retrain import Retrain
from core.training import Training

AWAITING, INEFFECTIVE, WORSE, OFF, OVERDUE = (
    "retrain.awaiting_approval",
    "retrain.ineffective",
    "retrain.worse",
    "retrain.off",
    "retrain.overdue",
)
_ABOUT = "retrain|"
_SENTENCES = {
    AWAITING: "A retraining of {model} waits for approval, since {why}. It was asked for because: {asked}",
    INEFFECTIVE: "The retraining of {model} did not help: {why}",
    WORSE: "Version {version} of {model} is worse than what it replaced, so roll it back: {why}",
    OVERDUE: "{model} has to be trained every {cadence} and no run has ended since {since}",
    OFF: "Two retrainings of {model} in a row did not help, so automatic retraining is off until the hook `{hook}` is changed, or a run that a person approves helps: {why}",
}
SEVERITIES = {OVERDUE: Severity.TICKET, AWAITING: Severity.TICKET, INEFFECTIVE: Severity.TICKET, WORSE: Severity.PAGE, OFF: Severity.PAGE}


def deliveries(kind: str, request: Retrain, destinations: Iterable[Destination], now: int, address: str) -> list[Delivery]:
    """The outbox rows of a notice of a kind about a request, for the destinations that take its model and severity."""
    why = request.history[-1].reason if request.history else ""
    said = _SENTENCES[kind].format(model=request.model, version=request.version, hook=request.hook, why=why, asked=request.reason)
    data = {**request.document(), "url_of_run": request.url}
    return _rows(kind, request.id, request.model, said, data, destinations, now, address)


def overdue(known: Training, destinations: Iterable[Destination], now: int, address: str) -> list[Delivery]:
    """The outbox rows of the notice that a model with a cadence was not trained in time. Their ids hold the time, because people may be told twice of one due time: of a cadence that is changed and changed back, and of a model that is deleted and defined again."""
    since = moment.text(known.since or 0)
    said = _SENTENCES[OVERDUE].format(model=known.model, cadence=duration.text(known.cadence or 0), since=since)
    version = None if known.last is None else known.last.version
    data = {**known.document(), "id": f"overdue|{known.model}", "created": since, "history": [], "url_of_run": "", "version": version}
    return _rows(OVERDUE, f"overdue|{known.model}|{known.due}", known.model, said, data, destinations, now, address, again=(now,))


def _rows(
    kind: str,
    subject: str,
    model: str,
    sentence: str,
    data: dict[str, Any],
    destinations: Iterable[Destination],
    now: int,
    address: str,
    *,
    again: tuple[int, ...] = (),
) -> list[Delivery]:
    severity, url = SEVERITIES[kind], f"{address}/ui/models/{quote(model, safe='')}/retraining"
    told = {**data, "severity": severity, "sentence": sentence, "url": url}
    takers = [to for to in destinations if to.enabled and to.takes(model, severity)]
    return notifications(kind, told, takers, thread=_ABOUT + subject, key=(subject, kind, *again), now=now, rank=severity.rank)


def about(subject: str) -> str:
    """The id of the request that a notification is about; of another notification what it is about."""
    return subject.removeprefix(_ABOUT)
