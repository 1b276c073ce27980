"""Declared contracts, with and without a reference."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.contract import Dimension
from core.error import Retryable
from tests.acceptance.test_parquet import Stand, stand

__all__ = ["stand"]

DECLARED = """
- contract: {model}
  task: regression
  columns: [{{name: km, kind: numeric, range: [0, {most}]}}]
  prediction: {{range: [0, 100]}}
- {{monitor: km, model: {model}, measure: drift.psi, columns: [km], warn: 0.1}}
"""


def reference() -> bytes:
    """A file that the model was accepted on."""
    sink = BytesIO()
    pq.write_table(pa.table({"km": [1.0, 2.0, 3.0], "prediction": [5.0, 6.0, 7.0], "label": [5.5, 6.0, 7.5]}), sink)
    return sink.getvalue()


@pytest.mark.slow
def test_the_same_declaration_leaves_a_reference_and_another_one_asks(stand: Stand) -> None:
    """Declaration, reference, the declaration again: unchanged. A changed one is refused, dry or not, and nothing of its file is applied, until `replace` says so."""

    def apply(most: int, model: str = "declared", **flags: str) -> tuple[int, object]:
        text = DECLARED.format(model=model, most=most).encode()
        answer = stand.ask("POST", "/v1/apply", params=flags, content=text, headers={"Content-Type": "application/yaml"})
        body = answer.json()
        return answer.status_code, [item["result"] for item in body["items"]] if answer.is_success else (body["detail"], body["remedy"])

    control = stand.whole.stores.control
    assert apply(30) == (200, ["created", "created"])
    assert apply(30, dry_run="true") == apply(30) == (200, ["unchanged", "unchanged"])
    given = stand.ask(
        "PUT",
        "/v1/models/declared/reference",
        params={"task": "regression"},
        content=reference(),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert given.json()["result"] == "changed"
    for _ in range(2):
        assert apply(30) == apply(30, dry_run="true") == (200, ["unchanged", "unchanged"])
    assert control.reference("declared", stand.contract("declared").version) is not None
    refused = apply(40)
    assert refused == apply(40, dry_run="true")
    assert refused[0] == 422
    assert "reference" in str(refused[1])
    assert "--replace" in str(refused[1])
    assert stand.contract("declared").version == 2
    assert apply(40, replace="true", dry_run="true") == (200, ["changed", "unchanged"])
    assert stand.contract("declared").version == 2
    assert apply(40, replace="true") == (200, ["changed", "unchanged"])
    assert control.reference("declared", stand.contract("declared").version) is None
    assert apply(30) == (200, ["changed", "unchanged"])  # no reference is there that could go


@pytest.mark.slow
def test_a_declaration_of_a_model_that_a_file_gave_asks_too(stand: Stand) -> None:
    """Also if nothing was declared before."""
    stand.ask(
        "PUT",
        "/v1/models/derived/reference",
        params={"task": "regression"},
        content=reference(),
        headers={"Content-Type": "application/octet-stream"},
    )
    text = DECLARED.format(model="derived", most=30).encode()
    headers = {"Content-Type": "application/yaml"}
    assert stand.ask("POST", "/v1/apply", content=text, headers=headers).status_code == 422
    assert [one.name for one in stand.whole.stores.control.monitors("derived") if not one.name.startswith("default-")] == []
    assert stand.ask("POST", "/v1/apply", params={"replace": "1"}, content=text, headers=headers).status_code == 200


OCTETS, YAML = {"Content-Type": "application/octet-stream"}, {"Content-Type": "application/yaml"}


@pytest.mark.slow
def test_a_model_keeps_names_that_nothing_new_may_have(stand: Stand) -> None:
    """A model with a dimension `all`, which an older version accepted, may get its reference and its declaration again; new names must follow the rule."""
    sink = BytesIO()
    table = pa.table({"all": ["a", "b", "a"], "a=b": ["a", "b", "a"], "km": [1.0, 2.0, 3.0], "prediction": [5.0, 6.0, 7.0]})
    pq.write_table(table, sink)

    def put(segments: str) -> tuple[int, Any]:
        params = {"task": "regression", "segments": segments}
        answer = stand.ask("PUT", "/v1/models/old/reference", params=params, content=sink.getvalue(), headers=OCTETS)
        return answer.status_code, answer.json()

    assert put("all")[0] == 422
    assert put("")[0] == 200
    control, held = stand.whole.stores.control, stand.contract("old")
    old = msgspec.structs.replace(held, dimensions=(Dimension(name="all", values=("a", "b")),))
    control.save_contract(old, content="older", reference=None)
    assert put("all")[1]["result"] == "changed"
    refused = put('all,"a=b"')
    assert refused[0] == 422
    assert "dimension name 'a=b'" in refused[1]["detail"]
    assert "rename it" in refused[1]["remedy"]
    columns = "[{name: all, kind: categorical, categories: [a, b]}]"
    declared = f"{{contract: old, task: regression, columns: {columns}, prediction: {{range: [0, 9]}}, segments: [all]}}"
    for model, status in (("old", 200), ("new", 422)):
        text = declared.replace("contract: old", f"contract: {model}").encode()
        assert stand.ask("POST", "/v1/apply", params={"replace": "true"}, content=text, headers=YAML).status_code == status


@pytest.mark.slow
def test_a_view_that_cannot_be_made_leaves_no_contract(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither from a file nor from a declaration; the same again, later, succeeds."""

    def define(statement: str) -> None:
        raise Retryable(f"the store is away: {statement[:20]}")

    asks: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", "/v1/models/half/reference", {"params": {"task": "regression"}, "content": reference(), "headers": OCTETS}),
        ("POST", "/v1/apply", {"content": DECLARED.format(model="half", most=30).encode(), "headers": YAML}),
    ]
    with monkeypatch.context() as away:
        away.setattr(stand.whole.stores.engine, "define", define)
        for method, path, given in asks:
            assert stand.ask(method, path, **given).status_code == 503
            assert stand.ask("GET", "/v1/models/half").status_code == 404
            assert stand.ask("GET", "/v1/monitors", params={"model": "half"}).json()["items"] == []
    assert stand.ask(*asks[1][:2], **asks[1][2]).status_code == 200
    assert stand.contract("half").version == 1


@pytest.mark.slow
def test_words_about_a_model_make_no_new_version(stand: Stand) -> None:
    """They are kept when the reference, or a declaration without them, is given again; wrong ones are refused with their line."""

    def apply(text: str) -> Any:
        return stand.ask("POST", "/v1/apply", content=text.encode(), headers={"Content-Type": "application/yaml"}).json()

    def give() -> Any:
        headers = {"Content-Type": "application/octet-stream"}
        return stand.ask("PUT", "/v1/models/worded/reference", params={"task": "regression"}, content=reference(), headers=headers).json()

    give()
    words = "- {contract: worded, owner: pricing team, runbook: 'https://wiki.example.org/worded'}"
    assert [apply(words)["items"][0]["result"] for _ in range(2)] == ["changed", "unchanged"]
    assert give()["result"] == "unchanged"
    held = stand.contract("worded")
    assert (held.version, held.owner, held.description, held.runbook) == (1, "pricing team", None, "https://wiki.example.org/worded")
    apply("- {monitor: km, model: worded, measure: drift.psi, owner: ada, description: how far, runbook: 'http://wiki/km', enabled: false}")
    (monitor,) = (one for one in stand.ask("GET", "/v1/monitors", params={"model": "worded"}).json()["items"] if one["monitor"] == "km")
    assert [monitor[name] for name in ("owner", "description", "runbook", "enabled", "revision")] == [
        "ada",
        "how far",
        "http://wiki/km",
        False,
        1,
    ]
    for wrong, field in (("runbook: 'javascript:alert(1)'", "runbook"), ("owner: 7", "owner"), ("enabled: soon", "enabled")):
        refused = apply(f"- {{monitor: km, model: worded, measure: drift.psi, {wrong}}}")
        assert (refused["status"], f"`{field}`" in refused["detail"]) == (422, True)
