"""What an answer is kept with: never the secrets of the destination, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from alerts import stage
from alerts.action_link import ActionLink
from alerts.destination.message import Answer
from alerts.destination.secret_file import SecretFiles
from alerts.exchange import Exchange
from core import moment
from core.clock import ManualClock
from core.destination import Destination
from core.episode import Delivery
from tests.alerts.sample import SECRET

TOKEN = "T0/B1/hunter2%2Fhunter2"


@pytest.mark.parametrize(
    ("kind", "settings", "file", "said"),
    [
        ("slack", {"url_file": "{file}"}, f"https://hooks.example.org/services/{TOKEN}", "no service hunter2/hunter2 at all"),
        ("slack", {"url": "https://h.example.org/x?sig=abc%20defghi"}, "", "the signature abc defghi is wrong"),
        ("webhook", {"url": "https://h.example.org/robots/tok3n-of-mine/send", "secret": SECRET}, "", "no robot tok3n-of-mine"),
        ("webhook", {"url": "https://h.example.org/", "secret_file": "{file}"}, SECRET, f"bad signature, not by {SECRET}"),
    ],
)
def test_what_a_receiver_says_back_is_hidden(tmp_path: Path, kind: str, settings: dict[str, str], file: str, said: str) -> None:
    """Secrets in files, tokens in paths and queries, quoted or not. What is kept is cut afterwards."""
    (tmp_path / "secret").write_text(file)
    named = {name: value.format(file=tmp_path / "secret") for name, value in settings.items()}

    class Echo(Exchange):
        def post(self, *_: object) -> Answer:
            return Answer(500, None, said + " " * (1_995 - len(said)) + said[-24:] + quote(said))

    delivery = Delivery(id="msg_1", destination="d", episode="", type="destination.test", body=BODY, created=0, due=0)
    stages = (
        stage.Render({"d": Destination(name="d", kind=kind, settings=named)}, SecretFiles([str(tmp_path)])),
        stage.Send(Echo(), ManualClock(1)),
        lambda attempt: attempt,
    )
    attempt = stage.Attempt(delivery=delivery, now=1)
    for one in stages:
        attempt = one(attempt)
    assert attempt.done is None
    assert len(attempt.said) <= 2_000
    assert "***" in attempt.said
    for part in ("hunter2", "defghi", "tok3n", SECRET[:12]):
        assert part not in attempt.said


def test_signatures_of_links_are_hidden_in_what_a_receiver_says_back() -> None:
    """A receiver that answers with the message gives nobody who reads attempts a link that acts."""

    class Echo(Exchange):
        def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
            return Answer(500, None, body)

    to = Destination(name="d", kind="slack", settings={"url": "https://h.example.org/"})
    link = ActionLink(action="acknowledge", subject="ep_1", to="d", expires=moment.DAY).address("http://x", b"key", to)
    delivery = Delivery(id="msg_1", destination="d", episode="", type="destination.test", body=BODY, created=0, due=0)
    attempt = stage.Attempt(delivery=delivery, now=1)
    for one in (stage.Render({"d": to}, SecretFiles([]), lambda *_: {"acknowledge": link}), stage.Send(Echo(), ManualClock(1))):
        attempt = one(attempt)
    (secret,) = parse_qs(urlsplit(link).query)["signature"]
    assert attempt.message is not None
    assert (secret in attempt.message.body, secret in attempt.said, "signature=***" in attempt.said) == (True, False, True)


BODY = '{"type": "destination.test", "timestamp": "2013-07-03T00:00:00Z", "data": {"sentence": "Nothing.", "url": "http://x/"}}'
