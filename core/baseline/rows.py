"""The rows of one version of the model, or of one role, as the baseline."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from core.baseline.source import Source
from core.error import ConfigError
from core.name import Named, check
from core.span import Spans
from core.window.kind import Window


class Version(msgspec.Struct, frozen=True, tag_field="kind", tag="version"):
    """Each window is compared with what a version of the model predicted in it."""

    version: str

    source: ClassVar[Source] = Source.STREAM

    @staticmethod
    def read(written: Any) -> Version | None:
        """The baseline of `{version: "3"}`; None if another kind is written. Raises ConfigError."""
        return Version(_name(written["version"], Named.VERSION, '"3"')) if _is(written, "version") else None

    @property
    def written(self) -> dict[str, str]:
        """The document that `read` reads."""
        return {"version": self.version}

    @property
    def brief(self) -> str:
        """A short name for people."""
        return f"version {self.version}"

    @property
    def words(self) -> str:
        """A name for people."""
        return f"version {self.version} in the same window"

    def check(self, _kind: Window, _pane: int) -> None:
        """Nothing: it fits windows of every kind."""

    def spans(self, windows: Spans, _kind: Window) -> tuple[Spans, ...]:
        """The windows themselves."""
        return (windows,)


class Role(msgspec.Struct, frozen=True, tag_field="kind", tag="role"):
    """Each window is compared with what was predicted in it in one role, such as champion."""

    role: str

    source: ClassVar[Source] = Source.STREAM

    @staticmethod
    def read(written: Any) -> Role | None:
        """The baseline of `{role: champion}`; None if another kind is written. Raises ConfigError."""
        return Role(_name(written["role"], Named.ROLE, "champion")) if _is(written, "role") else None

    @property
    def written(self) -> dict[str, str]:
        """The document that `read` reads."""
        return {"role": self.role}

    @property
    def brief(self) -> str:
        """A short name for people."""
        return f"role {self.role}"

    @property
    def words(self) -> str:
        """A name for people."""
        return f"the {self.role} in the same window"

    def check(self, _kind: Window, _pane: int) -> None:
        """Nothing: it fits windows of every kind."""

    def spans(self, windows: Spans, _kind: Window) -> tuple[Spans, ...]:
        """The windows themselves."""
        return (windows,)


def _is(written: Any, key: str) -> bool:
    return isinstance(written, dict) and written.keys() == {key}


def _name(value: Any, kind: Named, example: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ConfigError(f"`{value}` is no {kind}", remedy=f"write a text such as {example}")
    return check(kind, str(value))
