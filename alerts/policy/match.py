"""Which episodes a match of a policy or silence is about."""

from __future__ import annotations

from core.episode import Episode
from core.policy import Match


def fact(episode: Episode, field: str) -> str:
    """What an episode says in a field of `core.policy.MATCHED`."""
    if field == "family":
        return episode.measure.partition(".")[0]
    return str(getattr(episode, field) or "")


def matches(match: Match, episode: Episode) -> bool:
    """Whether every field of the match holds the episode's value."""
    return all(fact(episode, field) in values for field, values in match.items())
