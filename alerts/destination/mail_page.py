"""A notice as HTML for mails: everything inline, nothing that is loaded, and readable where styles are taken away."""

from __future__ import annotations

from html import escape

from alerts.destination.notice import Notice
from core.html_page import html_page

_COLOURS = {"critical": "#b3261e", "warn": "#8a5a00"}
_ENDED, _OTHER = "#1b6e3c", "#1864ab"
_LINK = "color:#1864ab"
_HEAD = '<meta name="color-scheme" content="light dark">'
_STYLE = "margin:0;padding:16px;font:15px/1.5 system-ui,sans-serif"
_BODY = """<div style="max-width:40rem;margin:0 auto;overflow-wrap:anywhere">
<h1 style="font-size:18px;margin:0 0 12px;padding-left:10px;border-left:4px solid {colour}">{title}</h1>
<p style="margin:0 0 12px">{sentence}</p>
{parts}
</div>"""


def page(said: Notice) -> str:
    """The page: title, sentence, what may be done, facts, and the list."""
    colour = _ENDED if said.ended else _COLOURS.get(said.level, _OTHER)
    parts = [_links(said), _facts(said), _lines(said)]
    title, shown = escape(said.title), "\n".join(part for part in parts if part)
    return html_page(title, _HEAD, _BODY.format(title=title, sentence=escape(said.sentence), colour=colour, parts=shown), _STYLE)


def _links(said: Notice) -> str:
    made = " &nbsp; ".join(f'<a href="{escape(to)}" style="{_LINK}">{escape(words)}</a>' for words, to in said.links)
    return f'<p style="margin:0 0 12px">{made}</p>' if made else ""


def _facts(said: Notice) -> str:
    cell = "padding:2px 12px 2px 0;text-align:left;vertical-align:top;font-weight:normal"
    rows = "".join(
        f'<tr><th scope="row" style="{cell}">{escape(name)}</th><td style="{cell}">{escape(value)}</td></tr>' for name, value in said.facts
    )
    return f'<table style="border-collapse:collapse;margin:0 0 12px">{rows}</table>' if rows else ""


def _lines(said: Notice) -> str:
    def item(line: str, to: str) -> str:
        words = f'<a href="{escape(to)}" style="{_LINK}">{escape(line)}</a>' if to else escape(line)
        return f'<li style="margin:0 0 4px">{words}</li>'

    items = "".join(item(line, to) for line, to in said.ways)
    return f'<ul style="margin:0;padding-left:20px">{items}</ul>' if items else ""
