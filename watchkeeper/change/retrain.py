"""The commands about retraining: to ask for one, to approve or cancel a request, and to take what a run or a model registry reports."""

from __future__ import annotations

import hmac
import logging
import math

import msgspec

from alerts.destination.message import Unsent
from alerts.retrain import registry_notice
from alerts.retrain.ask import by_hand
from alerts.retrain.machine import UNDER_WAY, WAITING, move, note, report
from core.error import ConfigError, Forbidden, Missing, Retryable
from core.hook import Hook
from core.name import Named, check
from core.retrain import Retrain, RetrainState
from storage.control.retrain import RetrainTransaction
from watchkeeper.change.context import Context
from watchkeeper.guarding import files

_log = logging.getLogger(__name__)

REPORTED = ("running", "succeeded", "failed")
DECISIONS = ("approve", "cancel")
_LONGEST, _MOST = 2_000, 100  # characters of a text, metrics of a run


class RetrainRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The hook that somebody asks by, and why."""

    hook: str
    reason: str = ""


class RetrainDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody decides about a request: `approve` or `cancel`."""

    id: str
    action: str
    comment: str = ""


class RetrainReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a run reports: `running`, `succeeded` or `failed`, with the token of the request."""

    id: str
    token: str
    state: str
    version: str | None = None
    url: str | None = None
    metrics: dict[str, float] = {}


class RegistryNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook of the model registry, for a hook."""

    hook: str
    notice: registry_notice.Notice


def ask(context: Context, given: RetrainRequest) -> Retrain:
    """Ask for a retraining by a hook. If a request of it is open, this joins it. Returns the request."""
    _text("reason", given.reason)
    with context.stores.control.retraining(context.actor) as change:
        hook = change.hook(given.hook)
        if hook is None:
            raise Missing(f"there is no hook {given.hook[:100]!r}", remedy="GET /v1/hooks lists them")
        _may_ask(hook)
        past = change.past(hook.model)
        reason = given.reason.strip() or f"asked for by {context.actor}"
        made = by_hand(hook, past, reason, change.now, context.actor)
        before = next((one for one in past if one.id == made.id), None)
        change.save([made])
        change.audit("retrain.requested", before, made)
    return made


def decide(context: Context, given: RetrainDecision) -> Retrain:
    """Approve a request that has not been dispatched, or cancel an open one. Returns it. The same decision again changes nothing."""
    _text("comment", given.comment)
    with context.stores.control.retraining(context.actor) as change:
        before = _request(change, given.id)
        after = _approved(before, given, change) if given.action == "approve" else _cancelled(before, given, change)
        if after != before:
            change.save([after])
            change.audit(f"retrain.{given.action}", before, after)
    return after


def take_report(context: Context, given: RetrainReport) -> Retrain:
    """Take what a run reports. Raises Forbidden unless the token is that of the request, which ends with the run. Returns the request."""
    if given.state not in REPORTED:
        raise ConfigError(f"`state` is {given.state[:60]!r}", remedy="write " + ", ".join(REPORTED[:-1]) + " or " + REPORTED[-1])
    if given.version is not None:
        check(Named.VERSION, given.version)
    _text("url", given.url or "")
    for name in given.metrics:
        _text("metrics", name)
    if len(given.metrics) > _MOST or not all(math.isfinite(value) for value in given.metrics.values()):
        raise ConfigError(f"`metrics` are more than {_MOST}, or not all finite", remedy="write at most so many finite numbers")
    with context.stores.control.retraining(context.actor) as change:
        before = _request(change, given.id)
        if not before.token or not hmac.compare_digest(before.token.encode(), given.token.encode(errors="replace")):
            raise Forbidden(
                "the token is not that of a run that is under way",
                remedy="use the callback_url of the request as it is; it ends with the run",
            )
        if before.state not in UNDER_WAY:
            raise ConfigError(f"the request is {before.state}: no run was asked for", remedy="report a run that was asked for")
        told = {"version": given.version, "url": given.url, "metrics": given.metrics}
        after = report(before, RetrainState(given.state), change.now, told, by=context.actor)
        if after != before:
            change.save([after])
            change.audit(f"retrain.{given.state}", before, after)
    return after


def take_notice(context: Context, given: RegistryNotice) -> Retrain | None:
    """Take what a model registry tells of the run of a hook. Returns its open request, None without one. Raises Forbidden unless the hook's secret has signed it, also if there is no such hook."""
    control = context.stores.control
    with control.retrain_reading() as seen:
        hook, now = seen.hook(given.hook), seen.now
    try:
        needed = {name: said for name, said in ({} if hook is None else hook.settings).items() if name in registry_notice.SETTINGS}
        settings = files(context.stores.settings).opened(needed)
    except Unsent as error:  # which file it is, is nothing for whoever may ask
        where = needed.get("registry_secret_file")
        _log.warning("a notice for hook %s is not taken: %s; write the secret of the registry's webhook into %s", given.hook, error, where)
        raise Retryable("the hook's `registry_secret` cannot be read now; the log of the server names its file") from None
    version = registry_notice.version_of(given.notice, settings, now)
    if version is not None:
        check(Named.VERSION, version)
    with control.retraining(context.actor) as change:
        before = next((one for one in change.open() if hook is not None and (one.hook, one.model) == (hook.name, hook.model)), None)
        if before is None or version is None:
            return before
        after = registry_notice.told(before, version, registry_notice.at(given.notice), settings["registry_alias"], change.now)
        if after != before:
            change.save([after])
            change.audit("retrain.succeeded", before, after)
    return after


def _approved(before: Retrain, given: RetrainDecision, change: RetrainTransaction) -> Retrain:
    if before.state not in WAITING:
        raise ConfigError(f"the request is {before.state}, and waits for nobody", remedy="approve one that is awaiting_approval")
    if before.approved_by is not None:
        return before
    approved = msgspec.structs.replace(before, approved_by=change.actor, due=change.now)
    return note(approved, _said(f"approved by {change.actor}", given.comment), change.now, change.actor)


def _cancelled(before: Retrain, given: RetrainDecision, change: RetrainTransaction) -> Retrain:
    if before.state is RetrainState.CANCELLED:
        return before
    if before.ended_at is not None:
        raise ConfigError(f"the request is {before.state}, and has ended", remedy="leave it as it is")
    return move(before, RetrainState.CANCELLED, _said(f"cancelled by {change.actor}", given.comment), change.now, change.actor)


def _request(change: RetrainTransaction, name: str) -> Retrain:
    found = change.retrain(name)
    if found is None:
        raise Missing(f"there is no request for retraining {name[:100]!r}", remedy="GET /v1/retrains lists them")
    return found


def _may_ask(hook: Hook) -> None:
    if not hook.enabled:
        raise ConfigError(f"the hook `{hook.name}` is paused", remedy="apply it with `enabled: true`")


def _said(what: str, comment: str) -> str:
    return f"{what}: {comment.strip()}" if comment.strip() else what


def _text(name: str, text: str) -> None:
    if len(text) > _LONGEST or "\0" in text:
        raise ConfigError(f"`{name}` is too long, or holds a NUL", remedy=f"write up to {_LONGEST} characters")
