"""Facts that tests make up, and a hook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from alerts.retrain.verify import Watched
from core import moment
from core.hook import Hook, Mode, On, Require, Verify
from core.retrain import Change, Manifest, Retrain, RetrainState, Trigger, Verified
from tests.alerts.sample import SECRET, START

DAY = moment.DAY
HORIZON = 7 * DAY


@dataclass
class Facts:
    """What a model's events say."""

    labelled: int = 6_000
    rows: int = 10_000
    known: list[str] = field(default_factory=lambda: ["1"])
    windows: list[Verified] = field(default_factory=list)
    closed: int = START
    before: float | None = 0.9
    first: int = START + 10 * DAY

    def manifest(self, request: Retrain, trained: int | None) -> Manifest:
        start = request.onset if request.onset is not None else trained if trained is not None else START
        return Manifest(
            start=start, end=START + 5 * DAY, contract=1, version="1", rows=self.rows, labelled=self.labelled, segments=request.segments
        )

    def versions(self, model: str) -> Sequence[str]:
        return self.known

    def watched(self, request: Retrain, hook: Hook) -> Watched:
        return Watched([(name, self.first) for name in self.known], self.windows, self.closed, self.before)

    def judge(self, *good: bool) -> None:
        """Further closed windows of the new version, good or not."""
        for one in good:
            at = START + (10 + len(self.windows)) * DAY
            self.windows.append(Verified(start=at, end=at + DAY, value=0.95 if one else 0.5, good=one, why=""))
            self.closed = at + DAY


def hook(url: str = "http://127.0.0.1:9/", **changes: Any) -> Hook:
    """A hook of the model `late` that asks by itself."""
    made = Hook(
        name="retrain",
        model="late",
        settings={"url": url, "secret": SECRET},
        on=On(),
        mode=Mode.AUTOMATIC,
        cooldown=DAY,
        budget=(10, 365 * DAY),
        require=Require(labels=5_000),
        verify=Verify(measure="performance.accuracy", window=DAY, windows=2, within=5 * DAY),
    )
    return msgspec.structs.replace(made, **changes)


def requests(model: str) -> list[Retrain]:
    """Requests in several states, the newest first."""
    manifest = Manifest(start=START, end=START + 5 * DAY, contract=1, version="1", rows=10_000, labelled=8_000)

    def made(number: int, state: RetrainState, why: str, **changes: Any) -> Retrain:
        at = START + number * DAY
        usual = Retrain(
            id=f"rt_{number}",
            model=model,
            hook="retrain",
            state=state,
            trigger=Trigger.EPISODE,
            reason="accuracy fell to 0.61",
            created=at,
            episodes=("ep_1",),
            manifest=manifest,
            history=(Change(at=at, state=state, reason=why),),
        )
        return msgspec.structs.replace(usual, **changes)

    return [
        made(4, RetrainState.AWAITING_APPROVAL, "the hook's mode is approval"),
        made(3, RetrainState.RUNNING, "the run is running", hook="other", run="run 3", url="http://127.0.0.1:9/runs/3"),
        made(
            2,
            RetrainState.EFFECTIVE,
            "accuracy of version 2: 0.95, 0.94",
            version="2",
            ended_at=START + 5 * DAY,
            approved_by="ada",
            succeeded_at=START + 3 * DAY,
        ),
        made(1, RetrainState.INEFFECTIVE, "accuracy of version 1: 0.6", version="1", ended_at=START + 2 * DAY, succeeded_at=START + DAY),
    ]
