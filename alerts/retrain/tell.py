"""What people are told of retraining: that it waits for them, that it did not help, that the new version is worse, and that automatic retraining is off."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from alerts.notification import notifications
from core.destination import Destination
from core.episode import Delivery
from core.monitor import Severity
from core.retrain import Retrain

AWAITING, INEFFECTIVE, WORSE, OFF = "retrain.awaiting_approval", "retrain.ineffective", "retrain.worse", "retrain.off"
_ABOUT = "retrain|"
_SENTENCES = {
    AWAITING: "A retraining of {model} waits for approval, since {why}. It was asked for because: {asked}",
    INEFFECTIVE: "The retraining of {model} did not help: {why}",
    WORSE: "Version {version} of {model} is worse than what it replaced, so roll it back: {why}",
    OFF: "Two retrainings of {model} in a row did not help, so automatic retraining is off until the hook `{hook}` is changed, or a run that a person approves helps: {why}",
}
SEVERITIES = {AWAITING: Severity.TICKET, INEFFECTIVE: Severity.TICKET, WORSE: Severity.PAGE, OFF: Severity.PAGE}


def deliveries(kind: str, request: Retrain, destinations: Iterable[Destination], now: int, address: str) -> list[Delivery]:
    """The outbox rows of a notice of a kind about a request, for the destinations that take its model and severity."""
    severity = SEVERITIES[kind]
    why = request.history[-1].reason if request.history else ""
    data = {
        **request.document(),
        "url_of_run": request.url,
        "severity": severity,
        "sentence": _SENTENCES[kind].format(model=request.model, version=request.version, hook=request.hook, why=why, asked=request.reason),
        "url": f"{address}/ui/models/{quote(request.model, safe='')}/retraining",
    }
    takers = [to for to in destinations if to.enabled and to.takes(request.model, severity)]
    return notifications(kind, data, takers, thread=_ABOUT + request.id, key=(request.id, kind), now=now, rank=severity.rank)


def about(subject: str) -> str:
    """The id of the request that a notification is about; of another notification what it is about."""
    return subject.removeprefix(_ABOUT)
