"""The versions of a model's contract: what each brought, when, and by whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from core import duration
from core.contract import Column, Contract

_MOST = 8  # names that a sentence lists


class ContractVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version. `saved_at` is in microseconds. `reference` says whether it has one, which version `referred` brought, of `rows` rows in `start <= ts < end`; None where the rows have no times, or are not known.

    `changes` are sentences about what is otherwise than in the version before; of the first one there are none.
    """

    version: int
    saved_at: int
    actor: str
    reference: bool
    referred: int | None = None
    rows: int | None = None
    start: int | None = None
    end: int | None = None
    changes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What a chart says where it begins."""
        more = f" and {len(self.changes) - 1} more" if len(self.changes) > 1 else ""
        return f"contract version {self.version}" + (f": {self.changes[0]}{more}" if self.changes else "")


def changes(before: Contract, after: Contract, *, reference: bool) -> tuple[str, ...]:
    """Sentences about what differs in a version from the one before it, which has the same model; whether it brought another `reference`."""
    found = []
    for what, held, now in (
        ("feature", before.features, after.features),
        ("tag", before.tags, after.tags),
        ("signal", before.signals, after.signals),
    ):
        found += _names(what, [one.name for one in held], [one.name for one in now])
        found += _columns(held, now)
    found += _names("class", before.classes, after.classes, "classes")
    segments, earlier = ({one.name: one for one in held.dimensions} for held in (after, before))
    found += _names("segment", earlier, segments)
    for name, one in segments.items():
        if name in earlier:
            added, gone = _differ(earlier[name].kept, one.kept)
            found += [f"{_listed(added)} of {name} {_are(added)} of {_its(added)} own"] if added else []
            found += [f"{_listed(gone)} of {name} {'is' if len(gone) == 1 else 'are'} in `other`"] if gone else []
    found += _names("cross", ["*".join(cross) for cross in before.crosses], ["*".join(cross) for cross in after.crosses], "crosses")
    found += _names("protected attribute", before.protected, after.protected)
    for title, old, new in (
        ("task", before.task, after.task),
        ("positive class", before.positive, after.positive),
        ("decision threshold", f"{before.threshold:g}", f"{after.threshold:g}"),
        ("pane", duration.text(before.pane), duration.text(after.pane)),
    ):
        found += [f"{title}: {old} became {new}"] if old != new else []
    return (*found, *(["another reference"] if reference else []))


def _columns(before: Sequence[Column], after: Sequence[Column]) -> list[str]:
    """What differs in the columns of one name: their kind, and their categories."""
    held, found = {one.name: one for one in before}, []
    for one in after:
        if (other := held.get(one.name)) is None:
            continue
        if other.kind != one.kind:
            found.append(f"{one.name}: {other.kind} became {one.kind}")
        elif not one.numeric:
            new, gone = _differ((*other.categories, *other.others), (*one.categories, *one.others))
            found += [f"{one.name} has the new {_some(new, 'category', 'categories')}"] if new else []
            found += [f"{one.name} has no {_listed(gone)} any more"] if gone else []
    return found


def _names(what: str, before: Iterable[str], after: Iterable[str], several: str = "") -> list[str]:
    new, gone = _differ(before, after)
    found = [f"new {_some(new, what, several or what + 's')}"] if new else []
    return found + ([f"without {_some(gone, what, several or what + 's')}"] if gone else [])


def _differ(before: Iterable[str], after: Iterable[str]) -> tuple[list[str], list[str]]:
    """What is new and what is gone."""
    held, now = list(before), list(after)
    return [one for one in now if one not in {*held}], [one for one in held if one not in {*now}]


def _some(names: Sequence[str], one: str, several: str) -> str:
    return f"{one if len(names) == 1 else several} {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def _are(names: Sequence[str]) -> str:
    return "is a segment" if len(names) == 1 else "are segments"


def _its(names: Sequence[str]) -> str:
    return "its" if len(names) == 1 else "their"
