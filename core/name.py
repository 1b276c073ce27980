"""Names: what a model, a column, a dimension, a monitor or a destination may be called.

A name is checked where it is created, never where it is read back: what an older program took goes on working.
"""

from __future__ import annotations

from enum import StrEnum

from core.error import ConfigError

LONGEST = 200  # characters
LONGEST_COLUMN = 1_000
TAKEN = ("contract", "reference")  # what follows a model's name in an address


class Named(StrEnum):
    """What a name is given to."""

    MODEL = "model"
    COLUMN = "column"
    DIMENSION = "dimension"
    MONITOR = "monitor"
    DESTINATION = "destination"


def check(kind: Named, name: object) -> str:
    """The name, if it may be given to a new thing of a kind; ConfigError that says why not, and what to write instead.

    >>> check(Named.MODEL, "Preis für München 🚕")
    'Preis für München 🚕'
    """
    if why := fault(kind, name):
        raise ConfigError(f"the {kind} name {_shown(name)} {why}", remedy=_REMEDIES.get(kind, _REMEDY))
    return str(name)


def fault(kind: Named, name: object) -> str:
    """Why a name may not be given to a new thing of a kind; empty if it may."""
    if not isinstance(name, str):
        return "is no text"
    if not name.strip():
        return "is empty"
    longest = LONGEST_COLUMN if kind in (Named.COLUMN, Named.DIMENSION) else LONGEST
    if len(name) > longest:
        return f"has {len(name)} characters, and {longest} are the most"
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in name):
        return "holds a NUL or half a surrogate pair"
    if kind in (Named.COLUMN, Named.DIMENSION):
        if name.startswith("@"):
            return "begins with @, as the model's own columns do"
        if kind == Named.DIMENSION and (set(name) & set("*,=") or name == "all"):
            return "is the word for the whole" if name == "all" else "holds one of * , ="
        return ""
    if not name.isprintable() or name != name.strip():
        return "holds a character that is not printable, or begins or ends with a space"
    parts = name.split("/")
    if any(part and not part.strip(".") for part in parts):
        return "has nothing but dots, or nothing but dots beside a slash, which no address can hold"
    return f"ends with /{parts[-1]}, as an address of the API does" if len(parts) > 1 and parts[-1] in TAKEN else ""


_REMEDY = f"write 1 to {LONGEST} printable characters, no space at either end, no part between slashes of dots only, none of /contract and /reference at the end"
_REMEDIES = {
    Named.COLUMN: f"rename it: 1 to {LONGEST_COLUMN} characters, no NUL, no @ at the beginning",
    Named.DIMENSION: "rename it; a segment is not called `all`, and its name holds none of * , =",
}


def _shown(name: object) -> str:
    shown = repr(name).encode("ascii", "backslashreplace").decode() if isinstance(name, str) and not name.isprintable() else repr(name)
    return shown if len(shown) <= 80 else shown[:77] + "..."
