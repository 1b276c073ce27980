"""The port of a target: what is asked of it, what it answers, and how it is asked without starting a run twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from alerts import retry
from alerts.destination.message import Rejected, Unanswered, Unsent
from core import moment
from core.retrain import Manifest, RetrainState

REQUESTED = "retrain.requested"  # the type of the message
_NOT_TAKEN = frozenset({408, 425, 429, 503})  # statuses that say that nothing was begun


class Reply(Protocol):
    """The whole answer to an HTTP request; the names of headers are in small letters."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""
        ...

    @property
    def body(self) -> bytes:
        """The body, at most a megabyte."""
        ...


class Wire(Protocol):
    """Makes HTTP requests, as `alerts.exchange.Exchange` does: guarded, in 15 seconds, without redirects."""

    def ask(self, method: str, url: str, body: str, headers: Mapping[str, str]) -> Reply:
        """The answer. Raises Unsent where no connection was made, Unanswered where the request may have been taken, and `alerts.guard.Refused`."""
        ...


class Request(NamedTuple):
    """What a target is asked. `id` is that of the request, the same at each attempt; `deadline` is the time (microseconds) at which the run has timed out.

    `export_url` gives the window of the manifest as Parquet, None where there is no export. `callback_url` holds the token.
    """

    id: str
    model: str
    hook: str
    reason: str
    episodes: Sequence[str]
    manifest: Manifest
    export_url: str | None
    callback_url: str
    deadline: int

    def data(self) -> dict[str, Any]:
        """The `data` of the message, which kinds with parameters pass on as a whole."""
        return {
            "id": self.id,
            "model": self.model,
            "hook": self.hook,
            "reason": self.reason,
            "episodes": list(self.episodes),
            "manifest": self.manifest.document() | {"export_url": self.export_url},
            "callback_url": self.callback_url,
            "deadline": moment.text(self.deadline),
        }


class Dispatched(NamedTuple):
    """The run that a target has begun: its id there, and its address for people; "" where the target does not tell."""

    run: str = ""
    url: str = ""


class Found(NamedTuple):
    """What a target says of a run: running, succeeded or failed (`RetrainState`), why, and the version of the model that it made, if it tells."""

    state: RetrainState
    reason: str = ""
    version: str | None = None
    url: str = ""


class Busy(Unsent):
    """The target has begun nothing, and may be asked again after `after` microseconds."""

    def __init__(self, reason: str, after: int = 0) -> None:
        super().__init__(reason)
        self.after = after


class Target(NamedTuple):
    """A kind of target.

    `fields` are those that people may write besides those of every hook. `settings` reads them from the document and checks them; its ConfigError does not hold the hook's name. The other functions
    get the settings with each file replaced by what it holds (`alerts.destination.secret_file`), and raise what `Wire.ask` and `checked` raise.

    `dispatch` asks the target at a time (microseconds), and returns once it has taken the request. `look` says what became of a run, None for a target that is not polled. If the target is
    `idempotent`, the same request again begins no second run, and a dispatch whose answer is not known is made again. If it is not, such a dispatch is never made again: `find`
    looks for the run of a request, and where there is none (None) the callback or the first event of a new version tells of it.
    """

    name: str
    fields: tuple[str, ...]
    settings: Callable[[Mapping[str, Any]], dict[str, str]]
    dispatch: Callable[[Wire, Mapping[str, str], Request, int], Dispatched]
    look: Callable[[Wire, Mapping[str, str], str], Found] | None = None
    find: Callable[[Wire, Mapping[str, str], Request], Dispatched | None] | None = None
    idempotent: bool = False


def checked(reply: Reply, now: int = 0) -> Reply:
    """The reply, if its status is a success.

    Raises Rejected for a status that would come again, Busy for one that says that nothing was begun, and Unanswered for any other. The text holds the status and nothing of the body, which may
    repeat what was sent.
    """
    if 200 <= reply.status < 300:
        return reply
    said = f"the target answered {reply.status}"
    if reply.status in {401, 403, 404} or retry.final(reply.status) or 300 <= reply.status < 400:
        raise Rejected(said)
    if reply.status in _NOT_TAKEN:
        raise Busy(said, retry.asked(reply.headers.get("retry-after"), now))
    raise Unanswered(said)


def read(reply: Reply) -> Any:
    """The JSON of a reply. Raises Unanswered if it is none."""
    try:
        return msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        raise Unanswered("the target's answer is no JSON") from None
