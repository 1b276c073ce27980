"""An expression over the columns of labelled rows: it is parsed by Python's own grammar, of which a closed list of nodes is taken, and is never run by Python.

A part that is not allowed is refused with its place in the text, and with what is allowed there.
"""

from __future__ import annotations

import ast
import io
import math
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import reduce
from typing import Any

import numpy as np

from core import text
from core.block import Floats
from core.classes import Classes
from core.contract import Contract, Kind, Task
from core.error import ConfigError
from detectors.user import words
from detectors.user.words import ARITHMETIC, COMPARISONS, FUNCTIONS, Type, Value

Rows = Mapping[str, Value]
"""Columns of some rows by name, (n,) each: `prediction`, `label` and `score`, and features and tags by `column.` and their name."""

LONGEST, _DEEPEST = 2_000, 60  # characters, and levels of an expression
_ROLES = ("prediction", "label", "score")
_ALLOWED = (
    "allowed are columns, numbers, texts in quotes, + - * / // % **, == != < <= > >=, and, or, not, where(condition, a, b), abs, log, exp, min, max, isnull "
    'and column("name")'
)
_COLUMN = "column."


@dataclass(frozen=True)
class _Term:
    """A part of an expression: its type, its value for some rows, and where it is written. `classes`: a text that is a class of the model. `literal`: what it is if it is a constant."""

    type: Type
    of: Callable[[Rows], Any]
    node: ast.expr
    classes: bool = False
    literal: Any = None


@dataclass(frozen=True)
class Expression:
    """A checked expression, as it is `written`. `columns` are the features and tags that it reads."""

    written: str
    columns: tuple[str, ...]
    _of: Callable[[Rows], Any] = field(compare=False)

    def of(self, rows: Rows, n: int) -> Floats:
        """Its value for each of n rows (n,), as a number: 1 and 0 for a truth, NaN where it is null or no finite number."""
        with np.errstate(all="ignore"):
            found = np.asarray(self._of(rows), np.float64)
        return np.broadcast_to(np.where(np.isfinite(found), found, np.nan), (n,))


def key(column: str) -> str:
    """The name under which `Rows` have a feature or tag."""
    return _COLUMN + column


def expression(written: str, contract: Contract) -> Expression:
    """The expression that a text is, for the events of a contract. Raises ConfigError with the place of what is wrong, and with what is allowed."""
    said = written.strip().replace("\n", " ")
    if not said or len(said) > LONGEST:
        raise ConfigError(
            f"the expression has {len(said):,} characters",
            remedy=f"write 1 to {LONGEST:,}, such as `where(label == 1 and prediction == 0, 100, 5)`",
        )
    try:
        tree = ast.parse(said, mode="eval").body
    except SyntaxError as error:
        column = min(max(error.offset or 1, 1), len(said) + 1)
        raise ConfigError(f"column {column}, {_near(said, column - 1)}: {error.msg}", remedy=_ALLOWED) from None
    except (ValueError, RecursionError, MemoryError):
        raise ConfigError("the expression cannot be read", remedy=_ALLOWED) from None
    if any(isinstance(one, ast.Constant) and isinstance(one.value, str) and not _stored(one.value) for one in ast.walk(tree)):
        raise ConfigError(
            "a text in quotes holds half of a character (`\\ud800` to `\\udfff`), which no value can have", remedy="write whole characters"
        )
    reading = _Reading(said, contract)
    if (
        comment := next((one for one in tokenize.generate_tokens(io.StringIO(said).readline) if one.type == tokenize.COMMENT), None)
    ) is not None:
        raise reading.refused_at(comment.start[1], "a comment is not allowed, it would hide what follows")
    term = reading.term(tree, 0)
    if term.type is Type.TEXT:
        raise reading.refused(tree, "the result is a text, of which there is no mean", 'compare it, as in `label == "yes"`')
    return Expression(said, tuple(reading.columns), term.of)


def _near(said: str, place: int) -> str:
    """A part of the text from a place on, for a message."""
    rest = said[place:]
    return "at the end" if not rest else f"at `{rest if len(rest) <= 30 else rest[:27] + '...'}`"


def _stored(value: str) -> bool:
    """Whether a text can be stored: it holds no half of a pair of surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Reading:
    """Reads the nodes of a text, and collects the columns that they name."""

    def __init__(self, said: str, contract: Contract) -> None:
        self._said, self._contract = said, contract
        self._known = {column.name: column for column in contract.columns}
        self.columns: dict[str, None] = {}

    def refused(self, node: ast.AST, what: str, remedy: str = _ALLOWED) -> ConfigError:
        """The error with the place of a node. Python counts bytes from 0, people characters from 1."""
        at = int(getattr(node, "col_offset", 0))
        return self.refused_at(len(self._said.encode()[:at].decode(errors="ignore")), what, remedy)

    def refused_at(self, place: int, what: str, remedy: str = _ALLOWED) -> ConfigError:
        """The same for a place in the text."""
        return ConfigError(f"column {place + 1}, {_near(self._said, place)}: {what}", remedy=remedy)

    def term(self, node: ast.expr, depth: int) -> _Term:
        """The term that a node is."""
        if depth > _DEEPEST:
            raise self.refused(node, f"the expression has more than {_DEEPEST} levels", "write it shorter")
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return self._name(node)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                how = ARITHMETIC[type(op)][1]
                a, b = self._number(left, depth), self._number(right, depth)
                return _Term(Type.NUMBER, lambda rows: how(a.of(rows), b.of(rows)), node)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
                return self._signed(node, op, self._number(operand, depth))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                a = self._truth(operand, depth)
                return _Term(Type.TRUTH, lambda rows: words.negated(a.of(rows)), node)
            case ast.BoolOp(op=op, values=values):
                return self._joined(
                    node, words.every if isinstance(op, ast.And) else words.some, [self._truth(one, depth) for one in values]
                )
            case ast.Compare():
                return self._comparison(node, depth)
            case ast.Call():
                return self._call(node, depth)
        raise self.refused(node, f"`{_kind(node)}` is not allowed")

    def _constant(self, node: ast.Constant) -> _Term:
        value = node.value
        if isinstance(value, bool):
            return _Term(Type.TRUTH, lambda _: np.float64(value), node, literal=value)
        if isinstance(value, str):
            held = words.constant(text.of(value))
            return _Term(Type.TEXT, lambda _: held, node, literal=value)
        if isinstance(value, int | float):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return _Term(Type.NUMBER, lambda _: np.float64(number), node, literal=value)
            raise self.refused(node, "the number is too large")
        if value is None:
            raise self.refused(node, "`None` is not allowed", "write `isnull(x)` to ask whether a value is missing")
        raise self.refused(node, f"`{type(value).__name__}` is not allowed")

    @staticmethod
    def _signed(node: ast.UnaryOp, op: ast.unaryop, term: _Term) -> _Term:
        if not isinstance(op, ast.USub):
            return term
        literal = None if term.literal is None or isinstance(term.literal, bool) else -term.literal
        return _Term(Type.NUMBER, lambda rows: np.negative(term.of(rows)), node, literal=literal)

    @staticmethod
    def _joined(node: ast.expr, how: Callable[[Any, Any], Any], terms: list[_Term]) -> _Term:
        return _Term(Type.TRUTH, lambda rows: reduce(how, (one.of(rows) for one in terms)), node)

    def _number(self, node: ast.expr, depth: int) -> _Term:
        term = self.term(node, depth + 1)
        if term.type is Type.TEXT:
            raise self.refused(
                node, f"a number is expected, and this is {self._called(term)}", "classes, categories and texts are compared with == and !="
            )
        return term

    def _truth(self, node: ast.expr, depth: int) -> _Term:
        term = self.term(node, depth + 1)
        if term.type is not Type.TRUTH:
            raise self.refused(
                node, f"a condition is expected, and this is {self._called(term)}", "write a comparison, such as `label == 1`"
            )
        return term

    @staticmethod
    def _called(term: _Term) -> str:
        return "a class" if term.classes else "a text" if term.type is Type.TEXT else "a number"

    def _name(self, node: ast.Name) -> _Term:
        name = node.id
        if name in _ROLES:
            return self._role(node, name)
        if name in self._known:
            return self._column(node, name)
        if name in ("true", "false"):
            return _Term(Type.TRUTH, lambda _: np.float64(name == "true"), node, literal=name == "true")
        there = [*_ROLES, *self._known]
        near = get_close_matches(name, there, 1)
        raise self.refused(
            node, f"there is no column `{name}`", f"did you mean `{near[0]}`?" if near else "columns: " + ", ".join(there[:30])
        )

    def _role(self, node: ast.Name, name: str) -> _Term:
        task = self._contract.task
        if name == "score" and (task != Task.BINARY or not self._contract.scored):
            raise self.refused(node, "the model has no `score`", "it is there for a binary model that sends one")
        number = name == "score" or task == Task.REGRESSION
        return _Term(Type.NUMBER if number else Type.TEXT, lambda rows: rows[name], node, classes=not number)

    def _column(self, node: ast.expr, name: str) -> _Term:
        column = self._known[name]
        if column.kind in (Kind.TEXT, Kind.VECTOR):
            raise self.refused(
                node, f"`{name}` is a {column.kind} column, of which values are not kept", "use a numeric or a categorical column"
            )
        self.columns[name] = None
        return _Term(Type.NUMBER if column.numeric else Type.TEXT, lambda rows: rows[key(name)], node)

    def _comparison(self, node: ast.Compare, depth: int) -> _Term:
        if wrong := next((op for op in node.ops if type(op) not in COMPARISONS), None):
            raise self.refused(node, f"`{_kind(wrong)}` is not allowed")
        terms = [self.term(one, depth + 1) for one in (node.left, *node.comparators)]
        tests = [self._compared(node, op, first, second) for op, first, second in zip(node.ops, terms, terms[1:], strict=False)]

        def of(rows: Rows) -> Any:
            # The middle of a chain is in two tests, and is evaluated once: chains in chains would else take twice as long for each level.
            values = [one.of(rows) for one in terms]
            return reduce(words.every, (test(a, b) for test, a, b in zip(tests, values, values[1:], strict=False)))

        return _Term(Type.TRUTH, of, node)

    def _compared(self, node: ast.Compare, op: ast.cmpop, first: _Term, second: _Term) -> Callable[[Any, Any], Any]:
        """The comparison of the values of two terms."""
        said, how = COMPARISONS[type(op)]
        texts = [one for one in (first, second) if one.type is Type.TEXT]
        if not texts:
            return lambda a, b: words.compared(how, a, b)
        if not isinstance(op, ast.Eq | ast.NotEq):
            raise self.refused(node, f"`{said}` compares numbers, and one side is {self._called(texts[0])}", "compare texts with == and !=")
        if any(one.type is Type.TRUTH and one.literal is None for one in (first, second)):
            raise self.refused(node, f"a condition is compared with {self._called(texts[0])}", "compare two texts, or two conditions")
        classes = first.classes or second.classes
        left, right = (self._as_text(one, classes=classes) for one in (first, second))
        same = words.same if isinstance(op, ast.Eq) else _differ
        return lambda a, b: same(a if left is None else left, b if right is None else right)

    def _as_text(self, term: _Term, *, classes: bool) -> Value | None:
        """A constant in a comparison of texts, one that is compared with classes is the class that it means; None for other terms."""
        if term.literal is None:
            return None
        written = text.of(term.literal)
        if classes:
            known = Classes.of(self._contract)
            meant = known.find(text.class_of(term.literal, binary=self._contract.task == Task.BINARY))
            if meant is None:
                raise self.refused(term.node, "the model has no such class", "classes: " + ", ".join(known.names[:30]))
            written = meant
        return words.constant(written)

    def _call(self, node: ast.Call, depth: int) -> _Term:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords or any(isinstance(one, ast.Starred) for one in node.args):
            raise self.refused(node, "arguments are written without names and without `*`")
        if name == "column":
            return self._quoted(node)
        if name not in FUNCTIONS:
            raise self.refused(node, f"there is no function `{name}`" if name else "only the functions by name can be called")
        how, fewest, most = FUNCTIONS[name]
        if not fewest <= len(node.args) <= most:
            raise self.refused(
                node, f"`{name}` takes {fewest if fewest == most else f'{fewest} to {most}'} arguments, and there are {len(node.args)}"
            )
        if name == "isnull":
            terms = [self.term(node.args[0], depth + 1)]
        else:
            condition = [self._truth(node.args[0], depth)] if name == "where" else []
            terms = condition + [self._number(one, depth) for one in node.args[len(condition) :]]
        return _Term(Type.TRUTH if name == "isnull" else Type.NUMBER, lambda rows: how(*(one.of(rows) for one in terms)), node)

    def _quoted(self, node: ast.Call) -> _Term:
        """A column whose name is no word, or one of the words of expressions."""
        match node.args:
            case [ast.Constant(value=str(name))]:
                if name in self._known:
                    return self._column(node, name)
                near = get_close_matches(name, self._known, 1)
                raise self.refused(
                    node,
                    f"there is no column `{name}`",
                    f"did you mean `{near[0]}`?" if near else "columns: " + ", ".join([*self._known][:30]),
                )
        raise self.refused(node, "`column` takes one name in quotes", 'write for example `column("hours-per-week")`')


def _differ(first: Value, second: Value) -> Floats:
    return words.negated(words.same(first, second))


def _kind(node: ast.AST) -> str:
    """What a node is called, for a message."""
    return {"NamedExpr": ":=", "In": "in", "NotIn": "not in", "Is": "is", "IsNot": "is not", "IfExp": "if else"}.get(
        type(node).__name__, type(node).__name__.lower()
    )
