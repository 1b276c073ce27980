"""Buttons that act: a request to the API, whose effect the browser shows first (`27_act.js`). The API checks the role and audits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from core.episode import Episode
from dashboard.aria import aria

_PAUSE = 2 * 3_600  # seconds of a snooze or silence
_MANNERS: dict[str, Any] = {"type": "button", "className": "act"}


def buttons(one: Episode) -> Component:
    """What a person can do about an episode; what needs an open one only while it is open."""
    opened = one.ended_at is None
    about = {"model": one.model, "monitor": one.monitor}
    found = [
        *(
            [
                _own(
                    one,
                    "acknowledge",
                    "Acknowledge",
                    "It is not escalated any more, and its group is not repeated once all of it is acknowledged. News are told all the same.",
                )
            ]
            if opened
            else []
        ),
        _own(one, "assign", "Assign", "It is marked as somebody's. Nothing else changes.", ask="to", question="To whom?"),
        _own(one, "comment", "Comment", "It is added to the timeline.", ask="comment", question="What do you know?"),
    ]
    if opened:
        found += [
            _own(one, "snooze", "Snooze 2 h", "With a policy: it is not told for two hours.", until=_PAUSE),
            button(
                "Silence monitor 2 h",
                "/v1/silences",
                {"match": about},
                "With a policy: episodes of this monitor are not told for two hours.",
                ask="comment",
                question="Why?",
                until=_PAUSE,
                field="ends_at",
                dry=True,
            ),
            _own(one, "resolve", "End it", "It ends. Its rule is judged by later windows alone.", ask="comment", question="Why?"),
        ]
    found += [
        _own(one, "feedback", "Useful", "Its monitor is told that this episode was useful.", useful=True),
        _own(one, "feedback", "Noise", "Its monitor is told that this episode was noise.", useful=False),
    ]
    return html.Div(found, className="line", role="group", **aria(label="Act on this episode"))


def _own(
    one: Episode, action: str, label: str, effect: str, *, ask: str = "", question: str = "", until: int = 0, **body: Any
) -> Component:
    path = f"/v1/episodes/{quote(one.id, safe='')}/{action}"
    return button(label, path, body, effect, ask=ask, question=question, until=until)


def button(
    label: str,
    path: str,
    body: Mapping[str, Any],
    effect: str,
    *,
    ask: str = "",
    question: str = "",
    until: int = 0,
    field: str = "until",
    dry: bool = False,
    counted: str = "open episode matches|open episodes match",
    method: str = "",
    says: str = "",
) -> Component:
    """A button. `ask` is the field of the body for which the browser asks, `field` the one that gets the time in `until` seconds; `dry`: the API says first how
    much it concerns, which is `counted`: the words for one and for several. `says` is what is read out instead of the label.
    """
    data: dict[str, Any] = {
        "data-act": path,
        "data-body": json.dumps(body, ensure_ascii=False),
        "data-effect": effect,
        **({"data-ask": ask, "data-question": question} if ask else {}),
        **({"data-until": str(until), "data-field": field} if until else {}),
        **({"data-dry": "true", "data-counted": counted} if dry else {}),
        **({"data-method": method} if method else {}),
    }
    return html.Button(label, **_MANNERS, **data, **(aria(label=says) if says else {}))
