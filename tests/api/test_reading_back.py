"""What is read back: readings, models, monitors, episodes, status, the schema."""

from __future__ import annotations

import json

import httpx
import pytest

from core.episode import Episode, Level, State
from core.event_query import EventQuery, Texts
from core.monitor import Monitor, Severity
from core.reading import Reading, Verdict
from detectors.catalogue import MEASURES
from tests.api.test_events import is_problem
from tests.api.twin import Twin

ITEM = (
    '{"monitor":"fare-drift","model":"taxi-fare","version":"all","measure":"drift.psi","params":{},"baseline":"reference","column":"salary",'
    '"segment":"borough=Queens","window_start":"2022-07-01T00:00:00Z","window_end":"2022-07-02T00:00:00Z","value":0.31,"lower":null,"upper":null,'
    '"baseline_value":null,"n_target":4210,"n_baseline":28197,"n_effective":null,"threshold":{"warn":0.1,"critical":0.25},"verdict":"critical",'
    '"reason":null,"revision":1,"evidence":{}}'
)


async def test_a_reading_has_the_fields_of_the_fixed_surface(http: httpx.AsyncClient) -> None:
    """All of them, in their order, and no others."""
    assert (await http.get("/v1/readings")).text == f'{{"items":[{ITEM}],"next":null}}'


async def test_every_filter_reaches_the_store(http: httpx.AsyncClient, twin: Twin) -> None:
    """Times as RFC 3339 or milliseconds; an empty column is the whole model, other empty ones are none."""
    await http.get(
        "/v1/readings?model=a&monitor=b&measure=c&column=&segment=d&from=2022-07-01T02:00:00%2B02:00&to=1700000000000&revisions=all&limit=7&cursor=x"
        "&as_of=2022-07-02T00:00:00Z"
    )
    await http.get("/v1/readings?model=&from=2022-07-01T02:00:00+02:00&revisions=")
    first, second = twin.queries
    assert (first.model, first.monitor, first.measure, first.column, first.segment, first.after) == ("a", "b", "c", "", "d", "x")
    assert (first.start, first.end, first.newest, first.limit) == (1_656_633_600_000_000, 1_700_000_000_000_000, False, 7)
    assert (first.as_of, second.as_of) == (1_656_720_000_000_000, None)
    assert (second.model, second.column, second.start, second.newest, second.after) == (None, None, first.start, True, None)


@pytest.mark.parametrize(
    "query",
    [
        "from=x",
        "from=2022-07-01",
        "to=99999999999999999999",
        "limit=0",
        "limit=x",
        "limit=100000",
        "revisions=some",
        "metric=drift",
        "model=a&model=b",
    ],
)
async def test_a_bad_query_is_400(http: httpx.AsyncClient, query: str) -> None:
    """Values that cannot be read and parameters that do not exist are never ignored."""
    assert is_problem(await http.get(f"/v1/readings?{query}"), 400)


async def test_models_and_their_contracts(http: httpx.AsyncClient) -> None:
    """Times are RFC 3339; a model that is not there is 404."""
    assert (await http.get("/v1/models")).json() == {
        "items": [{"model": "taxi-fare", "first_ts": "2022-07-01T00:00:00Z", "last_ts": None}],
        "next": None,
    }
    assert (await http.get("/v1/models/taxi-fare")).json()["model"] == "taxi-fare"
    contract = (await http.get("/v1/models/taxi-fare/contract")).json()
    assert (contract["task"], contract["earliest"], contract["pane"]) == ("binary", "1971-01-01T00:00:00Z", "1h")
    for path in ("/v1/models/nobody", "/v1/models/no%2Fbody", "/v1/models/nobody/contract"):
        assert is_problem(await http.get(path), 404)


async def test_a_reference_is_taken(http: httpx.AsyncClient, twin: Twin) -> None:
    """With its options; unknown ones are refused, other content types too."""
    headers = {"content-type": "application/vnd.apache.parquet"}
    answer = await http.put("/v1/models/a%2Fb/reference?task=binary&segments=x,x*y", content=b"PAR1", headers=headers)
    assert answer.json() == {"model": "a/b", "version": 1, "result": "created"}
    assert twin.references == [("a/b", b"PAR1", {"task": "binary", "segments": "x,x*y"})]
    assert is_problem(await http.put("/v1/models/a/reference?taks=binary", content=b"PAR1", headers=headers), 400)
    assert is_problem(await http.put("/v1/models/a/reference?task=binary", content=b"PAR1", headers={"content-type": "text/csv"}), 415)


async def test_definitions_are_applied_and_shown(http: httpx.AsyncClient) -> None:
    """A refusal is 422 with its remedy; a monitor is shown in the words of the grammar."""
    headers = {"content-type": "application/yaml"}
    answer = await http.post("/v1/apply?dry_run=true", content=b"- monitor: x", headers=headers)
    assert answer.json() == {"items": [{"kind": "monitor", "model": "taxi-fare", "name": "fare-drift", "result": "unchanged"}]}
    refused = await http.post("/v1/apply", content=b"baseline.same_weekday", headers=headers)
    assert is_problem(refused, 422)
    assert refused.json()["remedy"] == "use reference or previous"
    assert is_problem(await http.post("/v1/apply", content=b"\xff", headers=headers), 400)
    assert is_problem(await http.post("/v1/apply?dry_run=maybe", content=b"", headers=headers), 400)
    assert is_problem(await http.post("/v1/apply", content=b"", headers={"content-type": "text/plain"}), 415)
    (monitor,) = (await http.get("/v1/monitors?model=taxi-fare")).json()["items"]
    assert (monitor["monitor"], monitor["target"], monitor["persist"], monitor["warn"]) == ("fare-drift", {"window": "1d"}, "2 of 3", 0.1)


async def test_episodes_are_listed(http: httpx.AsyncClient, twin: Twin) -> None:
    """With the address of their page; an unknown state is 400, an unknown id 404."""
    monitor = Monitor(name="fare-drift", model="taxi-fare", measure="drift.psi")
    start, end = 1_656_633_600_000_000, 1_656_720_000_000_000
    reading = Reading(
        monitor="fare-drift", model="taxi-fare", measure="drift.psi", window_start=start, window_end=end, verdict=Verdict.CRITICAL
    )
    names = {"model": "taxi-fare", "monitor": "fare-drift", "measure": "drift.psi", "column": "salary", "segment": "all"}
    state = {
        "state": State.FIRING,
        "severity": Severity.TICKET,
        "level": Level.WARN,
        "threshold": {},
        "definition": monitor,
        "reading": reading,
    }
    times = {"started_at": start, "fired_at": end, "window_start": start, "window_end": end}
    twin.found = [Episode(id="e1", reason="too much", value=0.3, **names, **state, **times)]  # type: ignore[arg-type]
    (item,) = (await http.get("/v1/episodes?state=open&model=taxi-fare")).json()["items"]
    assert (item["id"], item["fired_at"], item["ended_at"], item["url"]) == (
        "e1",
        "2022-07-02T00:00:00Z",
        None,
        "http://127.0.0.1:8650/ui/alerts/e1",
    )
    assert (await http.get("/v1/episodes/e1")).json() == item
    assert [len((await http.get(f"/v1/episodes?monitor={name}")).json()["items"]) for name in ("fare-drift", "other", "")] == [1, 0, 1]
    assert is_problem(await http.get("/v1/episodes?state=some"), 400)
    assert is_problem(await http.get("/v1/episodes/e2"), 404)


async def test_status_and_health(http: httpx.AsyncClient, twin: Twin) -> None:
    """Ready is 503 with the reason while something is missing; live is not."""
    assert (await http.get("/v1/status")).json()["quiet"] is True
    assert (await http.get("/v1/health/ready")).status_code == 200
    twin.troubles = ["the store is not open yet"]
    assert (await http.get("/v1/health/live")).status_code == 200
    answer = await http.get("/v1/health/ready")
    assert is_problem(answer, 503)
    assert answer.json()["detail"] == "the store is not open yet"


async def test_the_version_tag_spares_what_is_known(http: httpx.AsyncClient, twin: Twin) -> None:
    """304 while nothing moved, 200 with the new tag after."""
    tag = (await http.get("/v1/version")).headers["etag"]
    assert (await http.get("/v1/version", headers={"if-none-match": f'"x", W/{tag}'})).status_code == 304
    twin.tag = "2"
    moved = await http.get("/v1/version", headers={"if-none-match": tag})
    assert (moved.status_code, moved.json()) == (200, {"version": "2"})


async def test_the_schema_names_every_route(http: httpx.AsyncClient) -> None:
    """OpenAPI is served, its events have schemas, and no page is."""
    schema = (await http.get("/v1/openapi.json")).json()
    assert {"/v1/predictions", "/v1/labels", "/v1/readings", "/v1/models/{model}/reference", "/v1/apply", "/metrics"} <= set(
        schema["paths"]
    )
    event = schema["paths"]["/v1/predictions"]["post"]["requestBody"]["content"]["application/x-ndjson"]["schema"]
    assert {"prediction_id", "model", "ts", "features", "prediction"} == set(event["required"])
    assert "$ref" not in json.dumps(event)
    assert (await http.get("/docs")).status_code == 404


async def test_measures_tell_what_they_are(http: httpx.AsyncClient) -> None:
    """All that the catalogue has; params with what may be written."""
    found = {item["measure"]: item for item in (await http.get("/v1/measures")).json()["items"]}
    assert found.keys() == MEASURES.keys()
    precision, psi = found["performance.precision"], found["drift.psi"]
    assert (precision["better"], precision["judged"], precision["labels"], precision["of"]) == ("more", "worse", True, "model")
    assert precision["tasks"] == ["binary", "multiclass"]
    assert precision["params"]["average"]["anyOf"][0] == {"enum": ["macro", "micro", "weighted"]}
    assert (psi["better"], psi["baseline"], psi["params"], psi["labels"]) == ("less", "reference", {}, False)
    assert (psi["kinds"], psi["tested"], precision["kinds"], precision["tested"]) == (
        ["numeric", "categorical", "text", "vector"],
        True,
        [],
        False,
    )
    shift = found["drift.mean_shift"]
    assert (shift["kinds"], shift["judged"]) == (["numeric"], "absolute")
    assert all(item["formula"] and item["title"] for item in found.values())


async def test_events_are_asked_for_by_what_they_hold(http: httpx.AsyncClient, twin: Twin) -> None:
    """Every filter reaches the store; an id may hold slashes."""
    query = "model=taxi-fare&from=2022-07-01T00:00:00Z&segment=borough%3DQueens&column=borough&bin=Queens&version=2&role=shadow&label=wrong&order=worst&limit=7&cursor=x"
    found = (await http.get(f"/v1/events?{query}&as_of=1700000000000")).json()
    assert found == {"items": [{"prediction_id": "a/b"}], "next": "next"}
    (asked,) = twin.asked
    assert asked == EventQuery(
        model="taxi-fare", start=1_656_633_600_000_000, segment="borough=Queens", column="borough", values=Texts(("Queens",)), version="2", role="shadow",
        label="wrong", order="worst", as_of=1_700_000_000_000_000, limit=7, after="x",
    )  # fmt: skip
    for path in ("a/b", "a%2Fb"):
        assert (await http.get(f"/v1/events/taxi-fare/{path}")).json() == {"prediction_id": "a/b"}
    for path in ("?model=nobody", "/taxi-fare/c", "/nobody/a/b"):
        assert is_problem(await http.get(f"/v1/events{path}"), 404)
    for wrong in ("label=some", "order=best", "column=borough", "bin=Queens", "limit=10001", "to=x", "name=x"):
        assert is_problem(await http.get(f"/v1/events?model=taxi-fare&{wrong}"), 400)


async def test_the_versions_of_a_contract_say_what_changed_when_and_by_whom(http: httpx.AsyncClient) -> None:
    """The newest first, times in UTC; a model has to be named, and to be there."""
    newest, first = (await http.get("/v1/contracts?model=taxi-fare")).json()["items"]
    assert (newest["version"], newest["changes"], newest["reference"], newest["rows"]) == (2, ["new segment borough"], False, None)
    assert (first["actor"], first["saved_at"], first["end"]) == ("ana", "2020-09-13T12:26:40Z", "2020-09-14T12:26:40Z")
    assert is_problem(await http.get("/v1/contracts"), 400)
    assert is_problem(await http.get("/v1/contracts?model=none"), 404)
