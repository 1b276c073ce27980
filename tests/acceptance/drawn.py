"""A page as the server draws it, without a browser: what the callback of Dash answers."""

from __future__ import annotations

from typing import Any

import httpx

_PATIENCE = 300.0  # seconds


def drawn(url: str, path: str) -> str:
    """The answer that draws the page at a path, as JSON."""
    with httpx.Client(base_url=url, timeout=_PATIENCE, trust_env=False) as client:
        known = client.get("/ui/_dash-dependencies").raise_for_status().json()
        found = next(one for one in known if "view.children" in one["output"])
        values: dict[str, Any] = {"asked": {"path": path, "search": ""}}
        inputs, state = ([{**part, "value": values.get(part["id"])} for part in found[kind]] for kind in ("inputs", "state"))
        outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in found["output"].strip(".").split("...")]
        body = {"output": found["output"], "outputs": outputs, "inputs": inputs, "state": state, "changedPropIds": ["asked.data"]}
        return client.post("/ui/_dash-update-component", json=body).raise_for_status().text
