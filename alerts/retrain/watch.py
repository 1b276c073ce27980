"""Follows the requests for retraining: asks, admits, dispatches, looks and judges, in a thread of its own.

Any number of processes may do it over one store. What asks and what is admitted is decided in transactions that do not overlap, so there is one open request for each hook and no budget is
exceeded. A process claims a request before it talks to a target about it; one that was killed loses its claim with the lease, and the next process goes on from what is stored.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from alerts.destination.secret_file import SecretFiles
from alerts.exchange import Exchange
from alerts.guard import Guard
from alerts.loop import Loop
from alerts.retrain import tell
from alerts.retrain.ask import asking, by_episodes, by_schedule
from alerts.retrain.cadence import training
from alerts.retrain.dispatch import WATCH, Dispatch, begin
from alerts.retrain.machine import UNDER_WAY, WAITING, move, note
from alerts.retrain.policy import OFF_AFTER, Situation, admit, off, overdue
from alerts.retrain.ports import Changing, Exports, Facts, RetrainStore
from alerts.retrain.tell import AWAITING, INEFFECTIVE, OFF, WORSE, deliveries
from alerts.retrain.verify import Watched, follow, worse
from core import moment
from core.clock import Clock
from core.episode import EpisodeRecord
from core.error import ConfigError, Missing, Retryable
from core.hook import Hook
from core.retrain import Retrain, RetrainState, Sending
from core.training import Training

_LOG = logging.getLogger(__name__)
_AT_ONCE = 8  # requests that are handled at the same time
LEASE = 60 * moment.SECOND  # longer than the deadline of an HTTP request
_PAUSE = 1.0  # seconds after a fault
_GRACE = 20.0  # seconds that `stop` waits for what is under way
_SOON, _LATE = 5 * moment.SECOND, 60 * moment.SECOND  # between two looks at a request that waits; the longer it has waited, the longer
_LONGEST_REST = 10 * moment.MINUTE
_SELDOM = moment.MINUTE  # between two looks at cadences
_BY_FACTS = WAITING | {RetrainState.SUCCEEDED, RetrainState.VERIFYING}  # states in which no target is talked to
_SHARE = 20  # a request's facts are read for at most one part in so many of the time

Better = Callable[[str], int]
Effective = Callable[[Retrain, Hook], str]


class RetrainWatch:
    """Works between `start` and `stop`, or when `look` is called, which does all that is due.

    `facts` are about the events of models, `exports` gives the addresses of training windows, `address` is where targets and people reach the server. `horizon` is how long ago (microseconds) the windows of an episode
    may have ended, `fleet` how many runs of all models may begin in how long. `better` is the good direction of a measure. `effective` is called once a request is effective, before that is stored, and may be
    called again: it makes the verified period the reference, if the hook wants that, and returns a sentence about it. `told` is called when there is something to deliver. Without a lease this must be the only process.
    """

    def __init__(
        self,
        store: RetrainStore,
        facts: Facts,
        clock: Clock,
        horizon: int,
        *,
        exports: Exports = lambda _: None,
        address: str = "",
        fleet: tuple[int, int] | None = None,
        better: Better = lambda _: 0,
        effective: Effective = lambda _, __: "",
        told: Callable[[], None] = lambda: None,
        poll: float = 1.0,
        lease: int = 0,
        dice: random.Random | None = None,
        guard: Guard | None = None,
        files: SecretFiles | None = None,
    ) -> None:
        self._store, self._facts, self._clock, self._horizon = store, facts, clock, horizon
        self._address, self._fleet, self._better, self._effective = address, fleet, better, effective
        self._told, self._lease = told, lease
        self._exchange = Exchange(guard=guard)
        dice = dice or random.Random()  # noqa: S311 - spreads attempts
        self._dispatch = Dispatch(self._exchange, files or SecretFiles(), exports, address, dice)
        self._loop = Loop("retrain", self._turn, poll, "retraining cannot go on")
        self._pool: ThreadPoolExecutor | None = None
        self._busy: dict[str, Future[None]] = {}
        self._looked = 0  # at cadences
        self.steps = 0  # how often requests have changed

    def start(self) -> None:
        """Begin, in a thread."""
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="retrain")
        self._loop.start()

    def wake(self) -> None:
        """Look now."""
        self._loop.wake()

    def stop(self) -> None:
        """Begin nothing more, wait for what is under way, close the connections."""
        self._loop.stop(_GRACE)
        if self._pool is not None:
            self._pool.shutdown()
        self._exchange.close()

    def look(self) -> int:
        """Do all that is due, one after the other. Returns how many steps were made."""
        made = self._ask()
        while claimed := self._store.claim_retrains(self._clock.now(), self._lease, 1):
            self._handle(claimed[0])
            made += 1
        return made

    def _ask(self) -> int:
        """Make and join requests, as episodes and schedules ask. Returns how many changed."""
        now = self._clock.now()
        if not self._store.retrain_waits(now):
            return 0
        if now - self._looked >= _SELDOM:
            self._looked = now
            self._tell_overdue(now)
        with self._store.retrain_reading() as seen:
            if not self._asked(seen, now)[0]:
                return 0
        with self._store.retraining() as change:
            changed, looked = self._asked(change, now)
            change.save(changed)
            for name in looked:
                change.schedule(name, now)
        self.steps += len(changed)
        return len(changed)

    def _tell_overdue(self, now: int) -> None:
        """Tell people once of each model that was not trained as often as its hooks say."""
        with self._store.retrain_reading() as seen:
            models = sorted({one.model for one in seen.hooks() if one.cadence is not None})
            if not any(_untold(seen, model, now) for model in models):
                return
        with self._store.retraining() as change:
            for model in models:
                if (known := _untold(change, model, now)) is not None:
                    change.write(EpisodeRecord(deliveries=tell.overdue(known, change.destinations(), now, self._address)))
                    change.tell_overdue(model, known.due or 0)
        self._told()

    def _asked(self, change: Changing, now: int) -> tuple[list[Retrain], list[str]]:
        changed, looked = [], []
        waiting = {one.hook for one in change.open() if one.state in WAITING}
        for hook in change.hooks():
            episodes = asking(change.asking(hook.model)) if hook.on is not None else []
            if hook.schedule is None and not episodes and hook.name not in waiting:
                continue  # most hooks, most of the time
            past = change.past(hook.model)
            if hook.schedule is not None and (one := by_schedule(hook, change.scheduled(hook.name), past, now)) is not None:
                changed.append(one)
                looked.append(hook.name)
            elif hook.on is not None and (one := by_episodes(hook, episodes, past, now, self._horizon)) is not None:
                changed.append(one)
        return changed, looked

    def _handle(self, request: Retrain) -> None:
        """Take a claimed request one step further."""
        now = self._clock.now()
        with self._store.retrain_reading() as seen:
            hook, past = seen.hook(request.hook), seen.past(request.model)
        if hook is None or hook.model != request.model:
            self._settle(request, lambda _, one: _orphaned(one, hook, now))
        elif request.state in WAITING:
            self._admit(request, past, now)
        elif request.state is RetrainState.DISPATCHED and request.sending is not Sending.TAKEN and overdue(request, now) is request:
            self._send(request, hook, now)
        else:
            self._follow(request, hook, now)

    def _admit(self, request: Retrain, past: list[Retrain], now: int) -> None:
        trained = max((one.manifest.end for one in past if one.succeeded_at is not None and one.manifest is not None), default=None)
        manifest, versions = self._facts.manifest(request, trained), tuple(self._facts.versions(request.model))
        took = self._clock.now() - now

        def apply(change: Changing, one: Retrain) -> Retrain:
            held = change.hook(one.hook)  # which may have changed while the manifest was made
            if held is None or held.model != one.model:
                return _orphaned(one, held, now)
            if (one.onset, one.segments) != (request.onset, request.segments):
                return msgspec.structs.replace(one, due=now)  # an episode has joined: the manifest is of another window
            begun = 0 if self._fleet is None else change.begun(now - self._fleet[1])
            families = Counter(each.family for each in asking(change.asking(one.model)))
            ran = change.begun(now - held.budget[1], one.model)
            admitted = admit(one, held, Situation(change.past(one.model), manifest, families, ran, self._fleet, begun), now)
            wait = max(min(max((now - one.created) // 10, _SOON), _LATE), _rest(took))
            waited = RetrainState.AWAITING_APPROVAL in {each.state for each in one.history}
            if admitted.state is RetrainState.AWAITING_APPROVAL and not waited:  # people are asked once
                change.write(EpisodeRecord(deliveries=deliveries(AWAITING, admitted, change.destinations(), now, self._address)))
            due = now if admitted.state is RetrainState.DISPATCHED else now + wait
            return msgspec.structs.replace(admitted, due=due, known=versions)

        self._settle(request, apply)

    def _send(self, request: Retrain, hook: Hook, now: int) -> None:
        """Ask the target. That a message was begun is stored first, so that whoever goes on after a kill knows it."""
        unknown = request.sending is Sending.BEGUN
        begun = self._settle(request, lambda _, one: begin(one) if one.state is RetrainState.DISPATCHED else one, keep=True)
        if begun is None or begun.state is not RetrainState.DISPATCHED:
            return
        answer = self._dispatch.send(begun, hook, now, unknown=unknown)
        self._settle(begun, lambda _, one: answer(one))

    def _follow(self, request: Retrain, hook: Hook, now: int) -> None:
        answer = self._dispatch.look(request, hook, now) if request.state in UNDER_WAY else None
        fault, began = "", self._clock.now()
        try:
            watched = self._facts.watched(request, hook)
        except (ConfigError, Missing) as error:  # such as a segment that the model does not have: the request comes to its end without it
            watched, fault = Watched(), f"the new version cannot be judged: {error}"
        rest = max(WATCH, _rest(self._clock.now() - began))
        after = follow(overdue(request, now), hook, watched, now)
        said = self._effective(after, hook) if after.state is RetrainState.EFFECTIVE else ""

        def apply(change: Changing, one: Retrain) -> Retrain:
            polled = answer(one) if answer is not None else one
            moved = follow(overdue(polled, now), hook, watched, now)
            if moved.state is RetrainState.INEFFECTIVE:
                self._tell(change, moved, hook, watched.before, now)
            if moved.state is RetrainState.EFFECTIVE and said:
                moved = note(moved, said, now)
            if fault and moved.ended_at is None:
                moved = note(moved, fault, now)
            due = now if moved.state is not one.state else max(polled.due if polled is not one else 0, now + rest)
            return msgspec.structs.replace(moved, due=due)

        self._settle(request, apply)

    def _tell(self, change: Changing, request: Retrain, hook: Hook, before: float | None, now: int) -> None:
        """Tell people, in the transaction of the change, that a run did not help."""
        past = [one for one in change.past(request.model) if one.id != request.id]
        kinds = [INEFFECTIVE]
        if hook.verify is not None and worse(request, before, self._better(hook.verify.measure)):
            kinds.append(WORSE)
        if off([*past[-OFF_AFTER * 50 :], request], hook):
            kinds.append(OFF)
        rows = [row for kind in kinds for row in deliveries(kind, request, change.destinations(), now, self._address)]
        change.write(EpisodeRecord(deliveries=rows))

    def _settle(self, claimed: Retrain, apply: Callable[[Changing, Retrain], Retrain], *, keep: bool = False) -> Retrain | None:
        """Change a request that this process has claimed, as it is stored now, and give the claim up unless it is kept. None if another process has it, or it has ended.

        If no target is talked to in its state, it is changed also after the claim was lost: facts may take longer to read than a lease, in every process.
        """
        with self._store.retraining() as change:
            stored = change.retrain(claimed.id)
            if stored is None or stored.ended_at is not None:
                return None
            if self._lease and stored.claimed != claimed.claimed and not (stored.state is claimed.state and stored.state in _BY_FACTS):
                return None
            after = apply(change, stored)
            after = after if keep else msgspec.structs.replace(after, claimed=None)
            change.save([after])
        self.steps += 1
        self._told()
        return after

    def _turn(self) -> None:
        if self._pool is not None:
            self._begin(self._pool)  # first, so that a hook that cannot be read stops no request that is there
        if self._ask():
            self._loop.wake()

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        self._busy = {name: future for name, future in self._busy.items() if not future.done()}
        free = _AT_ONCE - len(self._busy)
        if not free or self._loop.stopping:
            return
        for request in self._store.claim_retrains(self._clock.now(), self._lease, free, tuple(self._busy)):
            future = pool.submit(self._carry, request)
            self._busy[request.id] = future
            future.add_done_callback(lambda _: self._loop.wake())

    def _carry(self, request: Retrain) -> None:
        try:
            self._handle(request)
        except Retryable as error:
            _LOG.warning("the retraining %s waits for a store: %s", request.id, error)
            self._loop.rest(error.after)
        except Exception as error:  # top of the thread: the request is taken up again, in a minute
            _LOG.exception("the retraining %s cannot go on", request.id)
            said = error.message if isinstance(error, ConfigError) else type(error).__name__
            self._put_off(request, f"it cannot go on now: {said}")

    def _put_off(self, request: Retrain, said: str) -> None:
        now = self._clock.now()
        try:
            self._settle(request, lambda _, one: overdue(msgspec.structs.replace(note(one, said, now), due=now + _LATE), now))
        except Exception:  # top of the thread: the store fails, too
            _LOG.exception("the retraining %s cannot be put off", request.id)
            self._loop.rest(_PAUSE)


def _untold(seen: Changing, model: str, now: int) -> Training | None:
    """The training of a model that is overdue and of which people were not told."""
    known = training(model, [one for one in seen.hooks() if one.model == model], seen.past(model), now)
    return known if known.overdue and seen.told_overdue(model) != known.due else None


def _orphaned(request: Retrain, hook: Hook | None, now: int) -> Retrain:
    """The end of a request whose hook was deleted, or made one of another model."""
    why = "the hook was deleted" if hook is None else f"the hook is one of {hook.model} now"
    return move(request, RetrainState.CANCELLED, why, now)


def _rest(took: int) -> int:
    """How long to leave facts alone that took so long to read: those of many events or windows take seconds."""
    return min(_SHARE * took, _LONGEST_REST)
