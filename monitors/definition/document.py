"""Definitions as YAML: entries with their lines, and a list of all faults of a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, ClassVar, TypeVar

import yaml

from core import text
from core.error import ConfigError
from core.name import Named

KINDS = {
    "monitor": Named.MONITOR,
    "destination": Named.DESTINATION,
    "contract": Named.MODEL,
    "budget": Named.BUDGET,
    "policy": Named.POLICY,
    "hook": Named.HOOK,
}
_DEEPEST, _HEAVIEST = 50, 200_000  # how many levels and values a document may have
_LONGEST = 100  # how many characters a whole number may have: Python reads and writes no more than 4,300 digits

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class DefinitionEntry:
    """One definition: its kind, its name, its fields, and the line of each key (from 1)."""

    kind: str
    name: str
    fields: dict[str, Any]
    lines: dict[str, int]

    @property
    def line(self) -> int:
        """The line on which the entry begins."""
        return min(self.lines.values())


@dataclass
class Faults:
    """The faults of a file. Reading goes on after a fault, so that all are reported together."""

    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, where: str, error: ConfigError) -> None:
        """Add a fault: the line, the definition and field, and the error."""
        self.found.append((line, f"{where}: {error}" if where else str(error)))

    def read(self, entry: DefinitionEntry, key: str, reader: Callable[[Any], T], default: D, missing: Any = None) -> T | D:
        """What `reader` makes of a field, or of `missing` if the field is missing or null; the default if that is None, or if there is a fault, which is added."""
        value = entry.fields.get(key)
        value = missing if value is None else value
        if value is None:
            return default
        try:
            return reader(value)
        except ConfigError as error:
            self.add(entry.lines.get(key, entry.line), f"{entry.kind} `{entry.name}`, `{key}`", error)
            return default

    def close(self) -> None:
        """Raise ConfigError with all faults in the order of their lines, if there are any."""
        if self.found:
            texts = [f"line {line}, {fault}" for line, fault in sorted(self.found, key=lambda one: one[0])]
            raise ConfigError(texts[0] if len(texts) == 1 else f"{len(texts)} faults:\n" + "\n".join(f"- {one}" for one in texts))


def entries(definitions: str, faults: Faults) -> Iterator[DefinitionEntry]:
    """The definitions of a YAML text. Each of its documents is a list of definitions, or one definition. Raises ConfigError if it is not YAML."""
    try:
        loader = _Loader(definitions)
        while (node := loader.get_node() if loader.check_node() else None) is not None:
            _weigh(node, {})
            for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
                if not (isinstance(item, yaml.ScalarNode) and item.tag == "tag:yaml.org,2002:null"):
                    yield from _entry(loader, item, faults)
    except yaml.MarkedYAMLError as error:
        place = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ConfigError(
            f"{place}this is no YAML: {error.problem}", remedy="quote texts that hold one of : # { } [ ] & * ! | > %"
        ) from None
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise ConfigError(f"this is no YAML: {error}") from None


def plain(text: str) -> Any:
    """The value of a YAML document, by the core schema of YAML 1.2. Raises yaml.YAMLError."""
    return yaml.load(text, _Loader)  # noqa: S506  # it builds plain values only


def short(value: object) -> str:
    """A value as a text for messages, at most 80 characters."""
    shown = value if isinstance(value, str) else repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def unknown(what: str, name: str, known: Collection[str]) -> ConfigError:
    """The error for an unknown name; its remedy gives the nearest known name, or all of them."""
    near = get_close_matches(name, known, 1)
    return ConfigError(
        f"there is no {what} `{short(name)}`", remedy=f"did you mean `{near[0]}`?" if near else "there are " + (", ".join(known) or "none")
    )


class Float(float):
    """A number with the text that was written for it."""

    written: str


class Whole(int):
    """A whole number with the text that was written for it."""

    written: str


@dataclass(frozen=True)
class YamlTruth:
    """`True`, `TRUE`, `False` or `FALSE` without quotes: a boolean where one is expected, and ambiguous where a text is expected."""

    written: str

    def __str__(self) -> str:
        return self.written

    __repr__ = __str__


def truth(value: Any) -> Any:
    """The boolean of a `YamlTruth`; any other value as it is."""
    return value.written.lower() == "true" if isinstance(value, YamlTruth) else value


class _Loader(yaml.SafeLoader):
    """Reads scalars by the core schema of YAML 1.2, makes plain values only, and refuses a key that comes twice.

    `NO`, `12:30` and dates are texts. A number whose text differs from that of its value (`1.10`, `0123`) keeps the text.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]  # an instance variable to the stubs

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Decimal, `0o` octal or `0x` hexadecimal; a leading zero does not mean octal."""
        word = str(node.value)
        if not _INT.fullmatch(word):
            raise yaml.constructor.ConstructorError(None, None, f"`{short(word)}` is no whole number", node.start_mark)
        if len(word) > _LONGEST:
            raise yaml.constructor.ConstructorError(None, None, f"`{short(word)}` is too long for a number", node.start_mark)
        return _worded(Whole(word, {"0o": 8, "0x": 16}.get(word[:2], 10)), word)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """A number, `.inf` or `.nan`."""
        word = str(node.value)
        if not (_FLOAT.fullmatch(word) or _INT.fullmatch(word)):
            raise yaml.constructor.ConstructorError(None, None, f"`{short(word)}` is no number", node.start_mark)
        return _worded(Float(word.lower().replace(".inf", "inf").replace(".nan", "nan")), word)

    def construct_yaml_bool(self, node: yaml.ScalarNode) -> Any:
        """A boolean; a `YamlTruth` if it has capitals."""
        word = str(node.value)
        return word == "true" if word in ("true", "false") else YamlTruth(word) if word.lower() in ("true", "false") else word

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key `{key.value}` comes twice", key.start_mark)
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep=deep))


_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
for _tag, _form, _first in (  # in this order, since a float resolver would also match whole numbers
    ("bool", re.compile("true|True|TRUE|false|False|FALSE"), "tTfF"),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+0123456789."),
    ("null", re.compile("~|null|Null|NULL|"), ["~", "n", "N", ""]),
    ("merge", re.compile("<<"), "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_form.pattern})\Z"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:bool", _Loader.construct_yaml_bool)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)

N = TypeVar("N", Float, Whole)


def _worded(number: N, word: str) -> N:
    number.written = word
    return number


def as_text(value: Any) -> str:
    """The text of a value where a text is expected. ConfigError for a number or boolean whose text is not what was written: 1.10, 0123, True."""
    if isinstance(value, YamlTruth):
        plain = value.written.lower()
        raise ConfigError(f"`{value}` without quotes is the truth value {plain}", remedy=f'write "{value}", or {plain}')
    found, written = text.of(value), getattr(value, "written", None)
    if written is not None and written not in (found, f"{found}.0"):
        raise ConfigError(f"`{short(written)}` without quotes is the number {found}", remedy=f'write "{short(written)}", or {found}')
    return found


def bare(value: Any) -> Any:
    """A value with plain numbers and booleans, without the texts that were written for them."""
    if isinstance(value, dict):
        return {bare(key): bare(one) for key, one in value.items()}
    if isinstance(value, list):
        return [bare(one) for one in value]
    return float(value) if isinstance(value, Float) else int(value) if isinstance(value, Whole) else truth(value)


def _entry(loader: _Loader, node: yaml.Node, faults: Faults) -> Iterator[DefinitionEntry]:
    line = node.start_mark.line + 1
    remedy = (
        "begin it with `- monitor: NAME`, `- destination: NAME`, `- contract: MODEL`, `- budget: NAME`, `- policy: NAME` or `- hook: NAME`"
    )
    if not isinstance(node, yaml.MappingNode):
        faults.add(line, "", ConfigError("this is no definition", remedy=remedy))
        return
    fields = loader.construct_object(node, deep=True)
    kinds = [kind for kind in KINDS if kind in fields and not (kind == "budget" and "monitor" in fields)]  # a monitor may have a budget
    if len(kinds) != 1:
        faults.add(line, "", ConfigError("this definition is of two kinds" if kinds else "this definition is of no kind", remedy=remedy))
        return
    name = fields[kinds[0]]
    if not isinstance(name, str):
        faults.add(line, "", ConfigError(f"`{kinds[0]}: {short(name)}` is no name", remedy="a name is a text: quote it"))
        return
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    yield DefinitionEntry(kinds[0], name, {str(key): value for key, value in fields.items()}, {str(key): line for key in fields} | lines)


def _weigh(node: yaml.Node, known: dict[int, tuple[int, int]], depth: int = 0) -> tuple[int, int]:
    """The number of values in a node, with aliases expanded, and its depth. Raises ConfigError if either is larger than a definition may be."""
    if isinstance(node, yaml.ScalarNode) and any("\ud800" <= character <= "\udfff" for character in node.value):
        raise ConfigError(f"line {node.start_mark.line + 1}: a text holds half a surrogate pair", remedy="write the character itself")
    if id(node) not in known and depth <= _DEEPEST:
        below = [_weigh(child, known, depth + 1) for child in _children(node)]
        known[id(node)] = 1 + sum(weight for weight, _ in below), 1 + max((height for _, height in below), default=0)
    weight, height = known.get(id(node), (0, _DEEPEST + 1))
    if height > _DEEPEST or weight > _HEAVIEST:
        reason = f"nested more than {_DEEPEST} levels deep" if height > _DEEPEST else f"more than {_HEAVIEST} values, aliases written out"
        raise ConfigError(f"line {node.start_mark.line + 1}: this is {reason}")
    return weight, height


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
