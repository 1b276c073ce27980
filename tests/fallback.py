"""The application of docs/trust.md that falls back where a model must not be trusted, as its reader would copy it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from tests.house.tree import texts

RULE, OWN = 0, 9  # what its rule says, and what its model does


def application(model: str, dimension: str) -> Callable[[Any], FastAPI]:
    """Makes the application with a client of Watchkeeper. It asks each time, for another model than the page's, and looks at the segments of another dimension."""
    (block,) = re.findall(r"^```python\n(.*?)^```", texts()["docs/trust.md"], re.MULTILINE | re.DOTALL)
    code, names = block.replace('"flight-delay"', f'"{model}", 0.0').replace("carrier", dimension), dict[str, Any]()
    exec(compile(code, "docs/trust.md", "exec"), names)  # noqa: S102 - our own page
    return lambda client: names["create"](client, lambda _row: OWN, lambda _row: RULE)
