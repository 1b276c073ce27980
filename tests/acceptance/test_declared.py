"""Contracts as code, beside a reference."""

from __future__ import annotations

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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
    """Nothing was declared before."""
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
