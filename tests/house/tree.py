"""The project's files, as the house rules see them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "detectors", "ingest", "monitors", "storage", "alerts", "dashboard", "watchkeeper")
_TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".css", ".js", ".json", ".sql", ".mako", ".lock", ".txt", ".html", ".svg", ""}
_OTHERS = {"__pycache__", ".venv"}  # benchmarks/peers has an environment of its own
_OURS = (*PACKAGES, "tests", "benchmarks", "validation", "compose", "docs", ".ci")


@cache
def texts() -> dict[str, str]:
    """Every text file of the project by its path."""
    top = [path for path in ROOT.iterdir() if path.is_file()]
    below = [path for folder in _OURS for path in (ROOT / folder).rglob("*") if path.is_file() and not _OTHERS.intersection(path.parts)]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(top + below)
        if path.suffix in _TEXT and path.name != ".git"
    }


@cache
def sources(*folders: str) -> dict[str, str]:
    """The Python files of these folders by their paths; of the product if none is named."""
    wanted = folders or PACKAGES
    return {path: text for path, text in texts().items() if path.endswith(".py") and path.split("/")[0] in wanted}


@cache
def trees() -> dict[str, ast.Module]:
    """The product's modules, parsed, by their paths."""
    return {path: ast.parse(text) for path, text in sources().items()}
