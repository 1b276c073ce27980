"""What was decided about an episode, and what people have done about it. Times are microseconds of the wall clock."""

from __future__ import annotations

import msgspec


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy decided about an episode. `suppressed` says why it was not told, "" if it was or will be; `stage` is the stage that said so.

    `digest` is the last digest in which it was told, `silences` are those that have held it back.
    """

    group: str | None = None
    digest: str | None = None
    suppressed: str = ""
    stage: str = ""
    silenced_by: str | None = None
    inhibited_by: str | None = None
    silences: tuple[str, ...] = ()


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person did about an episode: `acknowledge`, `assign`, `comment`, `snooze`, `resolve` or `feedback`."""

    episode: str
    at: int
    actor: str
    action: str
    comment: str = ""
    to: str | None = None
    until: int | None = None
    useful: bool | None = None


class Handling(msgspec.Struct, frozen=True, kw_only=True):
    """What people have done about an episode, all in all."""

    acknowledged_by: str | None = None
    assigned_to: str | None = None
    snoozed_until: int | None = None
    snoozed_by: str | None = None
    useful: bool | None = None
    acts: tuple[Act, ...] = ()

    def after(self, act: Act, reopened: int = 0) -> Handling:
        """The handling with one more act. What somebody had acknowledged or snoozed before the episode was `reopened` has to be seen again."""
        changes: dict[str, object] = {"acts": (*self.acts, act)}
        match act.action:
            case "acknowledge" if act.at >= reopened:
                changes |= {"acknowledged_by": act.actor}
            case "assign":
                changes |= {"assigned_to": act.to}
            case "snooze" if act.at >= reopened:
                changes |= {"snoozed_until": act.until, "snoozed_by": act.actor}
            case "feedback":
                changes |= {"useful": act.useful}
        return msgspec.structs.replace(self, **changes)


UNDECIDED, UNTOUCHED = Decision(), Handling()
"""Of an episode about which nothing was decided, and nobody has done anything."""
