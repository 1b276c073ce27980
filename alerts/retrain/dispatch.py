"""Asks a target for a run, and what became of a run; each answer becomes a change of the request."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import msgspec

from alerts import retry
from alerts.destination.message import Rejected, Unanswered, Unsent
from alerts.destination.secret_file import SecretFiles
from alerts.guard import Refused
from alerts.retrain import registry
from alerts.retrain.machine import UNDER_WAY, move, note, report
from alerts.retrain.ports import Exports
from alerts.retrain.target.kind import target
from alerts.retrain.target.message import Busy, Dispatched, Found, Request, Wire
from core import moment
from core.error import ConfigError, Retryable
from core.hook import Hook
from core.retrain import Retrain, RetrainState, Sending

LONGEST = 5 * moment.MINUTE  # between two attempts
POLL = 15 * moment.SECOND
WATCH = 5 * moment.SECOND  # between two looks at the facts
Apply = Callable[[Retrain], Retrain]  # what the answer makes of the request, as it is stored then


def begin(request: Retrain) -> Retrain:
    """The request with a message to the target begun. It is stored before the message is sent."""
    return msgspec.structs.replace(request, sending=Sending.BEGUN, attempts=request.attempts + 1)


class Dispatch:
    """Asks targets over a wire. `address` is that at which they reach this server; `dice` spreads attempts."""

    def __init__(self, wire: Wire, files: SecretFiles, exports: Exports, address: str, dice: random.Random) -> None:
        self._wire, self._files, self._exports, self._address, self._dice = wire, files, exports, address, dice

    def send(self, request: Retrain, hook: Hook, now: int, *, unknown: bool) -> Apply:
        """Ask for the run of a request whose message was begun. `unknown`: an earlier message had no answer, so a target that is not idempotent is only asked for what it began."""
        try:
            of = target(hook.kind)
            given = self._files.opened(hook.settings)
            asked = self._request(request)
            if not unknown or of.idempotent:
                return _taken(of.dispatch(self._wire, given, asked, now), now)
            found = of.find(self._wire, given, asked) if of.find is not None else None
            why = "" if found is not None else "it is not known whether the target has begun the run, and it is not asked again"
            return _taken(found or Dispatched(), now, why)
        except (Rejected, Refused, ConfigError) as error:
            return _refused(str(error), now, unknown=unknown)
        except Retryable as error:  # of the store that signs the address of the export: nothing was sent yet
            return self._again(str(error), now, Sending.BEGUN if unknown else Sending.NONE)
        except Unanswered as error:
            return self._again(str(error), now, Sending.BEGUN)
        except Busy as error:
            return self._again(str(error), now, Sending.BEGUN if unknown else Sending.NONE, error.after)
        except Unsent as error:
            return self._again(str(error), now, Sending.BEGUN if unknown else Sending.NONE)

    def look(self, request: Retrain, hook: Hook, now: int) -> Apply:
        """Ask for the state of a run: the model registry, if the hook names one, then the target, if its kind is polled and it has told the run's id."""
        of, questions = target(hook.kind), list[Callable[[Mapping[str, str]], Found | None]]()
        if registry.named(hook.settings):
            questions.append(lambda given: registry.look(self._wire, given, request.dispatched_at or now))
        if (polled := of.look) is not None and request.run:
            questions.append(lambda given: polled(self._wire, given, request.run))
        said = ""
        for question in questions:
            try:
                if (found := question(self._files.opened(hook.settings))) is not None:
                    return _found(found, now)
            except (Unsent, Refused) as error:  # of the one: the other may know
                said = f"the run cannot be looked at: {error}"
        due = now + (POLL if questions else WATCH)
        return lambda one: msgspec.structs.replace(note(one, said, now) if said else one, due=due)

    def _request(self, request: Retrain) -> Request:
        if request.manifest is None or request.deadline is None:
            raise Rejected("the request has no manifest")
        return Request(
            id=request.id,
            model=request.model,
            hook=request.hook,
            reason=request.reason,
            episodes=request.episodes,
            manifest=request.manifest,
            export_url=self._exports(request),
            callback_url=f"{self._address}/v1/retrains/{request.id}/callback?token={request.token}",
            deadline=request.deadline,
        )

    def _again(self, said: str, now: int, sending: Sending, after: int = 0) -> Apply:
        def apply(one: Retrain) -> Retrain:
            if one.state is not RetrainState.DISPATCHED or one.sending is Sending.TAKEN:
                return one
            wait = max(min(retry.wait(one.attempts, None, now, self._dice), LONGEST), after)
            due = now + wait if one.deadline is None else min(now + wait, one.deadline)
            return note(msgspec.structs.replace(one, sending=sending, due=due), f"not taken: {said}", now)

        return apply


def _taken(told: Dispatched, now: int, why: str = "") -> Apply:
    def apply(one: Retrain) -> Retrain:
        kept = msgspec.structs.replace(one, sending=Sending.TAKEN, run=told.run or one.run, url=told.url or one.url)
        if one.state not in UNDER_WAY:
            return kept
        return note(msgspec.structs.replace(kept, due=now + WATCH), why or "the target has taken the request", now)

    return apply


def _refused(said: str, now: int, *, unknown: bool) -> Apply:
    why = f"it is not known whether the target has begun the run, and it takes no question: {said}" if unknown else f"not taken: {said}"

    def apply(one: Retrain) -> Retrain:
        return move(one, RetrainState.FAILED, why, now) if one.state is RetrainState.DISPATCHED else one

    return apply


def _found(found: Found, now: int) -> Apply:
    told: Mapping[str, object] = {"version": found.version, "url": found.url}

    def apply(one: Retrain) -> Retrain:
        if one.state not in UNDER_WAY:
            return one
        return msgspec.structs.replace(report(one, found.state, now, told, said=found.reason), due=now + POLL)

    return apply
