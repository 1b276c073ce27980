"""Pages of one form, without scripts, for people who are not logged in: the log-in, and the links of notices."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from core.html_page import html_page
from watchkeeper.api.problem import Problem

_LARGEST = 16_384  # bytes of a form
_HEAD = """<meta name="robots" content="noindex">
<style nonce="{nonce}">
:root {{ color-scheme: light dark; --ink: #1c2127; --paper: #f6f7f8; --edge: #5a6370; --accent: #1864ab; --bad: #b3261e; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e8eaed; --paper: #17191c; --edge: #a5adb8; --accent: #6cb6ff; --bad: #ff8a80; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }}
main {{ width: min({width}rem, calc(100vw - 3rem)); overflow-wrap: anywhere; }}
h1 {{ font-size: 1.25rem; font-weight: 600; margin: 0 0 1.5rem; }}
label {{ display: block; margin-bottom: .375rem; }}
form {{ margin-top: 1.5rem; }}
input, button {{ width: 100%; font: inherit; padding: .625rem .75rem; border-radius: 6px; border: 1px solid var(--edge); }}
input {{ background: transparent; color: inherit; }}
button {{ margin-top: 1rem; background: var(--accent); border-color: var(--accent); color: var(--paper); font-weight: 600; cursor: pointer; }}
input:focus-visible, button:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 2px; }}
a {{ color: var(--accent); }}
p {{ margin: .75rem 0 0; }}
.bad {{ color: var(--bad); }}
.note {{ font-size: .875rem; margin-top: 1.5rem; }}
</style>"""


def page(title: str, content: str, status: int = 200, *, width: int = 22) -> Response:
    """The page. Both texts are HTML; `width` is in rem."""
    nonce = secrets.token_urlsafe(16)
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    made = html_page(f"{title} · Watchkeeper", _HEAD.format(nonce=nonce, width=width), f"<main>\n{content}\n</main>")
    return HTMLResponse(made, status, headers)


async def form(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name. Raises Problem 413 if it is too large."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            raise Problem(413, f"the form is larger than {_LARGEST} bytes", "send fewer letters")
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
