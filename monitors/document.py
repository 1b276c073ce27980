"""Definitions as YAML: entries with the lines they stand on, and the faults of a whole file, gathered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, ClassVar, TypeVar

import yaml

from core.error import ConfigError

KINDS = ("monitor", "destination", "contract")
_DEEPEST, _HEAVIEST = 50, 200_000  # levels and values of a document

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class Entry:
    """One definition: its kind, its name, what it says, and the line of each key (from 1)."""

    kind: str
    name: str
    fields: dict[str, Any]
    lines: dict[str, int]

    @property
    def line(self) -> int:
        """Where the entry begins."""
        return min(self.lines.values())


@dataclass
class Faults:
    """What is wrong in a file. Reading goes on after a fault, so that all are told together."""

    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, where: str, error: ConfigError) -> None:
        """Keep a fault: the line, the definition and field, and what the error says."""
        self.found.append((line, f"{where}: {error}" if where else str(error)))

    def read(self, entry: Entry, key: str, reader: Callable[[Any], T], default: D) -> T | D:
        """What `reader` makes of a field; the default where the field is missing or null, and where there is a fault."""
        value = entry.fields.get(key)
        if value is None:
            return default
        try:
            return reader(value)
        except ConfigError as error:
            self.add(entry.lines[key], f"{entry.kind} `{entry.name}`, `{key}`", error)
            return default

    def close(self) -> None:
        """Raise ConfigError with every fault, in the order of the lines; nothing if there is none."""
        if self.found:
            texts = [f"line {line}, {text}" for line, text in sorted(self.found, key=lambda fault: fault[0])]
            raise ConfigError(texts[0] if len(texts) == 1 else f"{len(texts)} faults:\n" + "\n".join(f"- {text}" for text in texts))


def entries(text: str, faults: Faults) -> Iterator[Entry]:
    """The definitions of a YAML text: documents that are a list of definitions, or one definition. Raises ConfigError if it is no YAML."""
    try:
        loader = _Loader(text)
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


def short(value: object) -> str:
    """A value as a message shows it: at most 80 characters."""
    shown = value if isinstance(value, str) else repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def unknown(what: str, name: str, known: Collection[str]) -> ConfigError:
    """There is no such thing: the nearest that there is, or all of them."""
    near = get_close_matches(name, known, 1)
    return ConfigError(
        f"there is no {what} `{short(name)}`", remedy=f"did you mean `{near[0]}`?" if near else "there are " + (", ".join(known) or "none")
    )


class _Loader(yaml.SafeLoader):
    """Builds plain values only, and takes no key twice. Times stay texts: `core.moment` is stricter than YAML, and reads them everywhere."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # an instance variable to the stubs
        first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key `{key.value}` stands twice", key.start_mark)
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep=deep))


def _entry(loader: _Loader, node: yaml.Node, faults: Faults) -> Iterator[Entry]:
    line = node.start_mark.line + 1
    remedy = "begin it with `- monitor: NAME`, `- destination: NAME` or `- contract: MODEL`"
    if not isinstance(node, yaml.MappingNode):
        faults.add(line, "", ConfigError("this is no definition", remedy=remedy))
        return
    fields = loader.construct_object(node, deep=True)
    kinds = [kind for kind in KINDS if kind in fields]
    if len(kinds) != 1:
        faults.add(line, "", ConfigError("this definition is of two kinds" if kinds else "this definition is of no kind", remedy=remedy))
        return
    name = fields[kinds[0]]
    if not isinstance(name, str) or not 0 < len(name) <= 200 or not name.isprintable() or name != name.strip():
        faults.add(
            line,
            "",
            ConfigError(f"`{kinds[0]}: {short(name)}` is no name", remedy="a text of 1 to 200 printable characters; quote it if need be"),
        )
        return
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    yield Entry(kinds[0], name, {str(key): value for key, value in fields.items()}, {str(key): line for key in fields} | lines)


def _weigh(node: yaml.Node, known: dict[int, tuple[int, int]], depth: int = 0) -> tuple[int, int]:
    """The number of values in a node, aliases written out, and its height; ConfigError where either is beyond any definition."""
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
