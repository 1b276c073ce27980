"""Modules are small, say what they are, and are named after what they hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePath
from statistics import median

from tests.house.tree import sources, trees

LONGEST, MEDIAN, FUNCTION = 400, 130, 40
VAGUE = {"manager", "helper", "helpers", "util", "utils", "common", "base", "misc"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_no_module_is_longer_than_400_lines() -> None:
    """A file can be read in one sitting."""
    everything = sources() | sources("tests", "benchmarks", "validation", "compose")
    assert [path for path, text in everything.items() if text.count("\n") > LONGEST] == []


def test_the_median_module_has_at_most_130_lines() -> None:
    """Most modules are small."""
    assert median(text.count("\n") for path, text in sources().items() if not path.endswith("__init__.py")) <= MEDIAN


def test_an_init_holds_a_docstring_only() -> None:
    """Importing a package runs nothing; only `watchkeeper` exports its client."""
    packages = {path: tree for path, tree in trees().items() if path.endswith("__init__.py") and path != "watchkeeper/__init__.py"}
    assert [path for path, tree in packages.items() if len(tree.body) != 1 or ast.get_docstring(tree) is None] == []


def test_no_module_has_a_vague_name() -> None:
    """A name such as `util` does not say what the module holds."""
    assert [path for path in sources() | sources("tests", "benchmarks", "validation", "compose") if PurePath(path).stem in VAGUE] == []


def test_a_long_function_says_why() -> None:
    """A function of more than 40 lines, without its docstring, needs a comment `# long: ...` on the line of its `def` or on the line above."""
    assert [
        f"{path}:{function.lineno} {function.name}: {length} lines"
        for path, function in _functions()
        if (length := _length(function)) > FUNCTION and not _reason(path, function)
    ] == []


def test_a_broad_except_says_why() -> None:
    """A comment on the line of an `except` that catches everything says why. Cleaning up and raising again needs none."""
    silent = []
    for path, tree in trees().items():
        lines = sources()[path].splitlines()
        for node in (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)):
            broad = node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
            if broad and not isinstance(node.body[-1], ast.Raise) and not re.search(r"  # (?!noqa)\S", lines[node.lineno - 1]):
                silent.append(f"{path}:{node.lineno}")
    assert silent == []


def test_ingest_knows_summaries_and_no_verdicts() -> None:
    """Of the detectors, ingest imports `detectors.summary` and nothing else."""
    assert [
        f"{path}: {name}"
        for path, tree in trees().items()
        if path.startswith("ingest/")
        for name in _imported(tree)
        if name.startswith("detectors") and not name.startswith("detectors.summary")
    ] == []


def _functions() -> Iterator[tuple[str, Function]]:
    for path, tree in trees().items():
        yield from ((path, node) for node in ast.walk(tree) if isinstance(node, Function))


def _length(function: Function) -> int:
    first = function.body[1] if ast.get_docstring(function) is not None and len(function.body) > 1 else function.body[0]
    return (function.end_lineno or function.lineno) - first.lineno + 1


def _reason(path: str, function: Function) -> bool:
    lines = sources()[path].splitlines()
    return any("# long: " in line for line in lines[max(0, function.lineno - 2) : function.lineno])


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
