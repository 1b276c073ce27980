"""The log-in page: a form for a token, without scripts."""

from __future__ import annotations

import asyncio
from html import escape
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.error import Retryable
from watchkeeper.api.key import Keys
from watchkeeper.api.plain_page import form, page
from watchkeeper.api.problem import Problem
from watchkeeper.api.session import Sessions, cookie_name, seconds

LOGIN, LOGOUT, HOME = "/login", "/logout", "/ui/"
_WRONG = 1.0  # seconds before a wrong token is answered; a right token is answered at once, however many wrong ones come meanwhile
_AT_ONCE = 4  # how many wrong tokens are answered in that time

_FORM = """<h1>Watchkeeper</h1>
<form method="post" action="{login}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus{described}>
<input name="next" type="hidden" value="{next}">
<button>Log in</button>
{message}</form>
<p class="note">Tokens are the server's settings <code>token</code>, <code>token_file</code> and <code>tokens</code>.</p>"""


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
        try:
            fields = await form(request)
        except Problem as problem:
            return problem.response()
        target = _safe(fields.get("next", ""))
        principal = self._keys.whose(fields.get("token", "").strip().encode())
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
    message = '<p class="bad" id="wrong" role="alert">That is none of the tokens.</p>\n' if wrong else ""
    described = ' aria-describedby="wrong" aria-invalid="true"' if wrong else ""
    text = _FORM.format(login=LOGIN, next=escape(target), message=message, described=described)
    return page("Log in", text, 401 if wrong else 200)


def _safe(target: str) -> str:
    """The page to redirect to, which is always one of ours."""
    ours = target.startswith(HOME) and "\\" not in target and target.isprintable()
    return target if ours else HOME


def _not_allowed(methods: str) -> Response:
    return Problem(405, "that is not possible here", f"use {methods}", headers={"Allow": methods}).response()
