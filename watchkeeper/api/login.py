"""The log-in page: a form for a token, without scripts."""

from __future__ import annotations

import asyncio
import secrets
from html import escape
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.error import Retryable
from watchkeeper.api.key import Keys
from watchkeeper.api.problem import Problem
from watchkeeper.api.session import Sessions, cookie_name, seconds

LOGIN, LOGOUT, HOME = "/login", "/logout", "/ui/"
_LARGEST = 16_384  # bytes of a form
_WRONG = 1.0  # seconds before a wrong token is answered; a right token is answered at once, however many wrong ones come meanwhile
_AT_ONCE = 4  # how many wrong tokens are answered in that time

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Log in · Watchkeeper</title>
<style nonce="{nonce}">
:root {{ color-scheme: light dark; --ink: #1c2127; --paper: #f6f7f8; --edge: #5a6370; --accent: #1864ab; --bad: #b3261e; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e8eaed; --paper: #17191c; --edge: #a5adb8; --accent: #6cb6ff; --bad: #ff8a80; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }}
main {{ width: min(22rem, calc(100vw - 3rem)); }}
h1 {{ font-size: 1.25rem; font-weight: 600; margin: 0 0 1.5rem; }}
label {{ display: block; margin-bottom: .375rem; }}
input, button {{ width: 100%; font: inherit; padding: .625rem .75rem; border-radius: 6px; border: 1px solid var(--edge); }}
input {{ background: transparent; color: inherit; }}
button {{ margin-top: 1rem; background: var(--accent); border-color: var(--accent); color: var(--paper); font-weight: 600; cursor: pointer; }}
input:focus-visible, button:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 2px; }}
p {{ margin: .75rem 0 0; }}
.bad {{ color: var(--bad); }}
.note {{ font-size: .875rem; margin-top: 1.5rem; }}
</style>
</head>
<body>
<main>
<h1>Watchkeeper</h1>
<form method="post" action="{login}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus{described}>
<input name="next" type="hidden" value="{next}">
<button>Log in</button>
{message}</form>
<p class="note">Tokens are the server's settings <code>token</code>, <code>token_file</code> and <code>tokens</code>.</p>
</main>
</body>
</html>"""


class Login:
    """Answers requests to the log-in page and to the log-out."""

    def __init__(self, keys: Keys, sessions: Sessions) -> None:
        self._keys, self._sessions = keys, sessions
        self._guesses = asyncio.Semaphore(_AT_ONCE)

    async def answer(self, request: Request) -> Response:
        """The page; after a valid token, a cookie and a redirect to the page that was asked for; after a log-out, the page again."""
        if request.url.path == LOGOUT:
            return await self._out(request) if request.method == "POST" else _not_allowed("POST")
        if request.method == "POST":
            return await self._in(request)
        if request.method not in {"GET", "HEAD"}:
            return _not_allowed("GET, HEAD, POST")
        return _page(_safe(request.query_params.get("next", "")))

    async def _in(self, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST:
                return Problem(413, f"the form is larger than {_LARGEST} bytes", "send the token as the field `token`").response()
        fields = parse_qs(body.decode("utf-8", "replace"))
        target = _safe(fields.get("next", [""])[0])
        principal = self._keys.whose(fields.get("token", [""])[0].strip().encode())
        if principal is None:
            async with self._guesses:
                await asyncio.sleep(_WRONG)
            return _page(target, wrong=True)
        answer = RedirectResponse(target, 303)
        secure = request.url.scheme == "https"
        name, value = cookie_name(request.headers.get("host")), self._sessions.begin(principal)
        answer.set_cookie(name, value, max_age=seconds(self._sessions), httponly=True, samesite="strict", secure=secure)
        return answer

    async def _out(self, request: Request) -> Response:
        name = cookie_name(request.headers.get("host"))
        try:
            await asyncio.to_thread(self._sessions.end, request.cookies.get(name, ""))
        except Retryable as error:
            headers = {"Retry-After": "1"}
            return Problem(503, f"the log-out cannot be noted: {error}", "log out again in a moment", headers=headers).response()
        answer = RedirectResponse(LOGIN, 303)
        answer.delete_cookie(name, httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return answer


def to_login(path: str, query: str) -> Response:
    """A redirect to the log-in page, which leads back afterwards. `path` is percent-encoded, as it was requested."""
    target = path + (f"?{query}" if query else "")
    return RedirectResponse(f"{LOGIN}?next={quote(_safe(target), safe='')}", 303)


def _page(target: str, *, wrong: bool = False) -> Response:
    nonce = secrets.token_urlsafe(16)
    message = '<p class="bad" id="wrong" role="alert">That is none of the tokens.</p>\n' if wrong else ""
    described = ' aria-describedby="wrong" aria-invalid="true"' if wrong else ""
    text = _PAGE.format(nonce=nonce, login=LOGIN, next=escape(target), message=message, described=described)
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(text, 401 if wrong else 200, headers)


def _safe(target: str) -> str:
    """The page to redirect to, which is always one of ours."""
    ours = target.startswith(HOME) and "\\" not in target and target.isprintable()
    return target if ours else HOME


def _not_allowed(methods: str) -> Response:
    return Problem(405, "that is not possible here", f"use {methods}", headers={"Allow": methods}).response()
