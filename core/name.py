"""Names: what a model, a column, a dimension, a monitor, a destination, or a version or role of a model may be called.

A name is checked when it is created, never when it is read back, so that names that an older version accepted go on working.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from core.error import ConfigError

LONGEST = 200  # characters
LONGEST_COLUMN = 1_000
LONGEST_VERSION = 256  # bytes of UTF-8, of roles too
TAKEN = ("compare", "contract", "proposal", "reference", "rebuild", "trust")  # what follows a model's name in an address


class Named(StrEnum):
    """The kinds of things that have names."""

    MODEL = "model"
    COLUMN = "column"
    DIMENSION = "dimension"
    MONITOR = "monitor"
    DESTINATION = "destination"
    BUDGET = "budget"
    POLICY = "policy"
    HOOK = "hook"
    VERSION = "version"
    ROLE = "role"


def check(kind: Named, name: object, there: Collection[str] = ()) -> str:
    """The name, if a new thing of this kind may have it or it is `there` already. Otherwise raises ConfigError that says why not, and what to write instead.

    >>> check(Named.MODEL, "Preis für München 🚕")
    'Preis für München 🚕'
    """
    if (why := fault(kind, name)) and name not in there:
        raise ConfigError(f"the {kind} name {_shown(name)} {why}", remedy=_REMEDIES.get(kind, _REMEDY))
    return str(name)


def fault(kind: Named, name: object) -> str:
    """Why a name may not be given to a new thing of a kind; empty if it may."""
    if not isinstance(name, str):
        return "is no text; quote it"
    if not name.strip():
        return "is empty"
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in name):
        return "holds a NUL or half a surrogate pair"
    versions = kind in (Named.VERSION, Named.ROLE)
    length, unit = (len(name.encode()), "bytes of UTF-8") if versions else (len(name), "characters")
    longest = LONGEST_VERSION if versions else LONGEST_COLUMN if kind in (Named.COLUMN, Named.DIMENSION) else LONGEST
    if length > longest:
        return f"has {length} {unit}, and {longest} are the most"
    if kind in (Named.COLUMN, Named.DIMENSION):
        if name.startswith("@"):
            return "begins with @, as the model's own columns do"
        if kind == Named.DIMENSION and (set(name) & set("*,=") or name == "all"):
            return "is the word for the whole" if name == "all" else "holds one of * , ="
        return ""
    if not name.isprintable() or name != name.strip():
        return "holds a character that is not printable, or begins or ends with a space"
    if versions:
        return "means all of them" if name == "all" else ""
    parts = name.split("/")
    if any(part and not part.strip(".") for part in parts):
        return "has nothing but dots, or nothing but dots beside a slash, which no address can hold"
    return f"ends with /{parts[-1]}, as an address of the API does" if len(parts) > 1 and parts[-1] in TAKEN else ""


_REMEDY = f"write 1 to {LONGEST} printable characters, no space at either end, no part between slashes of dots only, none of {', '.join(f'/{one}' for one in TAKEN)} at the end"
_REMEDIES = {
    **dict.fromkeys(
        (Named.VERSION, Named.ROLE), f"write 1 to {LONGEST_VERSION} bytes of printable characters, no space at either end, and not `all`"
    ),
    Named.COLUMN: f"rename it: 1 to {LONGEST_COLUMN} characters, no NUL, no @ at the beginning",
    Named.DIMENSION: "rename it; a segment is not called `all`, and its name holds none of * , =",
}


def _shown(name: object) -> str:
    shown = repr(name).encode("ascii", "backslashreplace").decode() if isinstance(name, str) and not name.isprintable() else repr(name)
    return shown if len(shown) <= 80 else shown[:77] + "..."
