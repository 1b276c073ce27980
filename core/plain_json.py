"""JSON that every reader of YAML reads as it was written: definitions are read as YAML."""

from __future__ import annotations

import json
import re
from typing import Any

_HIDDEN = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # what YAML takes as the end of a line, or refuses


def plain_json(value: Any) -> str:
    r"""A document in one line.

    >>> plain_json({"columns": ["é", "a\x85b"]})
    '{"columns": ["é", "a\\u0085b"]}'
    """
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
