"""Commands against a server that answers as it is told: what they send, print and return."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from typer.main import get_command

from core.contract import Column, Contract, Dimension, Kind, Task
from tests.client.stand import Answer, Request, Server
from watchkeeper import document
from watchkeeper.cli import terminal
from watchkeeper.cli.app import app, main

CONTRACT = Contract(
    model="m",
    version=1,
    task=Task.BINARY,
    features=(Column(name="km", kind=Kind.NUMERIC),),
    dimensions=(Dimension(name="km", values=()),),
    classes=("0", "1"),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three predictions and their labels, an hour apart."""
    ts = pd.date_range("2022-07-01", periods=3, freq="h", tz="UTC")
    path = tmp_path / "stream.parquet"
    frame = pd.DataFrame({"prediction_id": list("abc"), "ts": ts, "km": [1.0, 2.0, 3.0], "prediction": [0, 1, 1], "label": [0, None, 1]})
    frame.to_parquet(path)
    return path


def _serve(request: Request) -> Answer:
    if request.path.endswith("/contract"):
        return Answer(body=document.written(CONTRACT))
    if request.path == "/v1/status":
        return Answer(body={"quiet": True, "version": "0", "ingest": {"lag": 0}, "evaluate": {}, "problems": ["disk is full"]})
    if request.path == "/v1/apply":
        return Answer(body={"items": [{"kind": "monitor", "model": "m", "name": "[bold]x", "result": "created"}]})
    if request.path.endswith("/reference"):
        return Answer(body={"model": "m", "version": 1, "result": "created"})
    return Answer(body={"accepted": len(request.events), "rejected": 0})


def _commands(group: Any, before: str = "") -> Iterator[str]:
    """Each command with its group, and each group that does something by itself."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield before + name


@pytest.mark.parametrize("command", sorted(_commands(get_command(app))))
def test_every_command_explains_itself_with_an_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """`--help` ends well and shows how the command is written."""
    assert main([*command.split(), "--help"]) == 0
    assert "Example: " in capsys.readouterr().out


def test_what_is_listed_is_whole(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An id is to be copied into the next command, and a name may be searched for. On a terminal, too, which gets long names in several lines."""
    key, name = "rt_258ccfb7fd3873488db971aa", "a-name-that-is-far-longer-than-what-a-terminal-has-in-one-of-its-lines-of-80-characters"
    terminal.table(("id", "name", "state", "reason"), [(key, name, "requested", "x " * 60)])
    assert f"{key}  {name}  requested  " in capsys.readouterr().out
    screen = io.StringIO()
    monkeypatch.setattr(terminal, "out", Console(file=screen, force_terminal=True, width=80, markup=False, highlight=False, soft_wrap=True))
    terminal.table(("id", "name", "state", "reason"), [(key, name, "requested", "x " * 60)])
    assert key in screen.getvalue()
    assert "…" not in screen.getvalue()


def test_an_export_is_there_whole_or_not_at_all(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file holds what the server sent. One that breaks off leaves the file that was there, and nothing half."""
    server.reply = lambda _: Answer(body={"not": "a file"})
    file = tmp_path / "july.csv"
    options = ["--from", "2022-07-01T00:00:00Z", "--label", "wrong", "--limit", "5", "--url", server.url]
    assert main(["export", "taxi fare", str(file), *options]) == 0
    (request,) = server.requests
    wanted = {"model": "taxi fare", "format": "csv", "from": "2022-07-01T00:00:00Z", "order": "oldest", "label": "wrong", "limit": "5"}
    assert (request.path, request.query) == ("/v1/events", wanted)
    assert json.loads(file.read_bytes()) == {"not": "a file"}
    server.reply = lambda _: Answer(body="half", headers={"Content-Length": "1000", "Connection": "close"})
    assert main(["export", "taxi fare", str(file), "--url", server.url]) == 1
    server.reply = lambda _: Answer(404, {"title": "Not Found", "detail": "there is no model `taxi fare`"})
    assert main(["export", "taxi fare", str(file), "--url", server.url]) == 1
    assert "there is no model `taxi fare`" in capsys.readouterr().err
    assert json.loads(file.read_bytes()) == {"not": "a file"}
    assert [one.name for one in tmp_path.iterdir()] == ["july.csv"]
    assert main(["export", "m", str(tmp_path / "july.xlsx"), "--url", server.url]) == 2


@pytest.mark.parametrize(
    "arguments",
    [["bogus"], ["reference", "m"], ["apply", "none.yaml"], ["replay", __file__], ["up", "--port", "many"], ["up", "--host", "0.0.0.0"]],  # noqa: S104
)
def test_wrong_use_is_2(arguments: list[str]) -> None:
    """Unknown commands, missing arguments and files, wrong values."""
    assert main(arguments) == 2


def test_no_server_is_1_with_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    """The failure is on stderr: what, where, remedy; no traceback."""
    assert main(["status", "--url", "http://127.0.0.1:9"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "error: GET http://127.0.0.1:9/v1/status" in printed.err
    assert "try: is `watchkeeper up` running" in printed.err


def test_replay_sends_in_order_and_waits(server: Server, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three predictions, then the two labels that there are, then the status is asked for."""
    server.reply = _serve
    assert main(["replay", str(file), "--model", "m", "--version", "7", "--url", server.url, "--wait"]) == 0
    assert [request.path for request in server.requests] == ["/v1/models/m/contract", "/v1/predictions", "/v1/labels", "/v1/status"]
    predictions, labels = server.requests[1].events, server.requests[2].events
    assert predictions[1] == {
        "prediction_id": "b", "model": "m", "version": "7", "ts": 1656637200000, "features": {"km": 2.0}, "prediction": 1,
    }  # fmt: skip
    assert [label["prediction_id"] for label in labels] == ["a", "c"]
    assert "3 predictions and 2 labels accepted, 0 rejected" in capsys.readouterr().out


def test_replay_moves_times_by_whole_weeks(server: Server, file: Path) -> None:
    """With `--shift now` the last time is at most a week ago and at the same time of the week."""
    server.reply = _serve
    assert main(["replay", str(file), "--model", "m", "--url", server.url, "--shift", "now"]) == 0
    moved = server.requests[1].events[2]["ts"] - 1656640800000
    assert moved % (7 * 86_400_000) == 0
    age = pd.Timestamp.now(tz="UTC").timestamp() * 1_000 - server.requests[1].events[2]["ts"]
    assert 0 <= age < 7 * 86_400_000


def test_a_replay_that_is_wholly_rejected_failed(server: Server, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and the reasons are on stderr."""
    errors = [{"row": 0, "field": "ts", "reason": "too early"}]
    server.reply = lambda request: (
        _serve(request) if "models" in request.path else Answer(422, {"accepted": 0, "rejected": 3, "errors": errors})
    )
    assert main(["replay", str(file), "--model", "m", "--url", server.url]) == 1
    assert "prediction 0, ts: too early" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "text"),
    [("--to=kafka", "--bootstrap HOST:PORT"), ("--bootstrap=h:9092", "--to kafka"), ("--speed=fast", "60x"), ("--speed=0x", "60x")],
)
def test_replay_refuses_what_it_cannot(file: Path, capsys: pytest.CaptureFixture[str], option: str, text: str) -> None:
    """Kafka without an address, an address without Kafka, a pace that is none."""
    assert main(["replay", str(file), "--model", "m", option]) == 2
    assert text in capsys.readouterr().err


def test_reference_sends_only_what_was_given(server: Server, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The query holds the task and the explicit options, under the options' names."""
    server.reply = _serve
    arguments = ["reference", "m", str(file), "--task", "binary", "--proba-prefix", "p_", "--segments", "km", "--threshold", "0.4"]
    assert main([*arguments, "--url", server.url]) == 0
    request = server.requests[0]
    assert request.query == {"task": "binary", "proba_prefix": "p_", "segments": "km", "threshold": "0.4"}
    assert request.body == file.read_bytes()
    assert capsys.readouterr().out == "m: contract version 1 created\n"


def test_the_options_of_a_file_are_not_for_production(capsys: pytest.CaptureFixture[str]) -> None:
    """The remedy says where a model without a contract gets its options."""
    assert main(["reference", "m", "--from-production", "--segments", "a"]) != 0
    assert "/proposal" in capsys.readouterr().err


def test_apply_prints_what_changed(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run says so to the server; names are printed as they are."""
    server.reply = _serve
    definitions = tmp_path / "m.yaml"
    definitions.write_text("- monitor: x", encoding="utf-8")
    assert main(["apply", str(definitions), "--dry-run", "--url", server.url]) == 0
    assert server.requests[0].query == {"dry_run": "true"}
    assert server.requests[0].body == b"- monitor: x"
    assert "[bold]x" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_character_of_an_answer_is_a_traceback(server: Server, tmp_path: Path, encoding: str) -> None:
    """What the terminal's encoding has not, half a surrogate pair in UTF-8, is shown as an escape; `--json` stays JSON; an error is an error."""
    definitions = tmp_path / "m.yaml"
    definitions.write_bytes(b"- monitor: x")
    name = "\ud800é出"
    server.reply = lambda _: Answer(body={"items": [{"kind": "monitor", "model": "m", "name": name, "result": "created"}]})

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "watchkeeper", "apply", str(definitions), "--url", server.url, *arguments]
        return subprocess.run(command, check=False, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding})

    done = run()
    assert (done.returncode, b"\\ud800" in done.stdout) == (0, True)
    assert json.loads(run("--json").stdout)["items"][0]["name"] == name
    server.reply = lambda _: Answer(422, {"title": "no", "detail": name})
    failed = run()
    assert (failed.returncode, b"Traceback" in failed.stderr, b"error: no: \\ud800" in failed.stderr) == (1, False, True)
    definitions.write_bytes(b"- monitor: \xe9")
    refused = run()
    assert (refused.returncode, b"is not UTF-8 at byte 11" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["monitor", "a/b", "--model", "m"], [("DELETE", "/v1/monitors/m/a%2Fb", {})]),
        (["monitor", "a"], [("GET", "/v1/monitors", {}), ("DELETE", "/v1/monitors/m/a", {})]),
        (["destination", "oncall"], [("DELETE", "/v1/destinations/oncall", {})]),
        (["hook", "retrain"], [("DELETE", "/v1/hooks/retrain", {})]),
        (["model", "m"], [("DELETE", "/v1/models/m", {})]),
        (["model", "m", "--purge"], [("DELETE", "/v1/models/m", {"purge": "true"})]),
    ],
)
def test_delete_asks_for_what_is_named(
    server: Server, capsys: pytest.CaptureFixture[str], arguments: list[str], asked: list[tuple[str, str, dict[str, str]]]
) -> None:
    """A monitor that one model has is found by its name alone."""
    monitors = {"items": [{"monitor": "a", "model": "m"}, {"monitor": "b", "model": "m"}, {"monitor": "b", "model": "n"}], "next": None}
    server.reply = lambda request: Answer(body=monitors if request.method == "GET" else {"model": "m", "result": "deleted"})
    assert main(["delete", *arguments, "--url", server.url]) == 0
    assert [(request.method, request.path, request.query) for request in server.requests] == asked
    assert ": deleted" in capsys.readouterr().out
    for wrong in (["delete", "monitor", "b"], ["delete", "monitor", "c"]):
        assert main([*wrong, "--url", server.url]) == 2


def test_delete_refuses_what_it_does_not_know() -> None:
    """Wrong use has exit code 2."""
    for wrong in (["thing", "x"], ["monitor", "x", "--purge"], ["model", "x", "--model", "y"], ["monitor"]):
        assert main(["delete", *wrong]) == 2


def test_status_is_for_people_and_for_programs(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Plain words with problems on stderr; `--json` is the server's answer."""
    server.reply = _serve
    assert main(["status", "--url", server.url]) == 0
    printed = capsys.readouterr()
    assert "ingest.lag" in printed.out
    assert "disk is full" in printed.err
    assert main(["status", "--url", server.url, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["problems"] == ["disk is full"]


def test_doctor_finds_this_machine_well(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is needed is there; broken settings are not well and are exit code 1."""
    monkeypatch.setenv("WATCHKEEPER_PORT", "9")
    assert main(["doctor", "--data", str(tmp_path / "new"), "--json"]) == 0
    assert all(item["well"] for item in json.loads(capsys.readouterr().out)["items"])
    assert not (tmp_path / "new").exists()
    monkeypatch.setenv("WATCHKEEPER_PORT", "many")
    assert main(["doctor"]) == 1
    assert "NOT WELL" in capsys.readouterr().out


def test_migrate_can_be_done_again(tmp_path: Path) -> None:
    """A new folder gets its stores; a second time changes nothing and is no error."""
    command = [sys.executable, "-m", "watchkeeper", "migrate", "--data", str(tmp_path / "data")]
    for _ in range(2):  # in processes of their own: the engine of the facts takes one folder a process
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert "at the newest schema" in done.stdout
    assert (tmp_path / "data" / "control.sqlite").exists()


def test_a_retraining_is_asked_for_by_the_only_hook_of_the_model(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """With several hooks one has to be named; a decision names the request."""
    request = {
        "id": "rt_1",
        "model": "m",
        "hook": "h",
        "state": "requested",
        "version": None,
        "created": "",
        "history": [{"reason": "why"}],
    }
    hooks = [{"hook": "h"}]
    server.reply = lambda asked: Answer(body={"items": hooks if "hooks" in asked.path else [request]} if asked.method == "GET" else request)
    assert main(["retrain", "m", "--reason", "new prices", "--url", server.url]) == 0
    assert main(["retrains", "--model", "m", "--url", server.url]) == 0
    assert main(["retrains", "approve", "rt_1", "--url", server.url]) == 0
    assert [(one.method, one.path) for one in server.requests] == [
        ("GET", "/v1/hooks"),
        ("POST", "/v1/retrains"),
        ("GET", "/v1/retrains"),
        ("POST", "/v1/retrains/rt_1/approve"),
    ]
    assert "rt_1 of m: requested, why" in capsys.readouterr().out
    hooks.append({"hook": "other"})
    assert main(["retrain", "m", "--url", server.url]) == 2
