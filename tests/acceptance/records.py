"""The rows of a frame, to be sent as JSON."""

from __future__ import annotations

from typing import Any

import pandas as pd


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A row each: every float to its last digit (`to_json` rounds to 15 decimals), what is missing as None."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")  # type: ignore[return-value]  # names are texts
