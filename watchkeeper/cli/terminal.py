"""Output of commands: text for people, JSON for programs, errors on stderr."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

_WIDE = 100_000  # characters

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# Names and reasons come from outside: nothing in them is read as markup.
out = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
err = Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def forgive() -> None:
    """Let stdout write characters that its encoding lacks as escapes, as stderr does, because names and reasons may hold any character."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def error(what: str, remedy: str = "") -> None:
    """Print what is wrong, and what to do."""
    err.print(f"error: {what}", style="red")
    if remedy:
        err.print(f"  try: {remedy}")


def warn(what: str) -> None:
    """Print a warning; the command goes on."""
    err.print(f"warning: {what}", style="yellow")


def as_json(value: Any) -> None:
    """Print `value` for a program."""
    written = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        written.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        written = json.dumps(value, indent=2)
    sys.stdout.write(written + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their column names, each whole: a terminal gets long cells in several lines but ids, which are copied, and all else a line a row."""
    names = [Column(name, overflow="fold", no_wrap=name == "id") for name in columns]
    shown = Table(*names, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    if not out.is_terminal:
        out.width = _WIDE
    out.print(shown)


def progress() -> Progress:
    """A progress bar on stderr if that is a terminal; else nothing."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, disable=not err.is_terminal, transient=True)


def say(what: str) -> None:
    """Print what is being done, with the time."""
    out.print(f"{time.strftime('%H:%M:%S')}  {what}")
