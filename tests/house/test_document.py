"""The documentation is true: what it names is there, what is there it names, and its examples are taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pytest
import yaml
from prometheus_client.core import Metric
from pydantic import BaseModel

from alerts.destination.document import destination_from
from alerts.destination.kind import KINDS as DESTINATIONS
from alerts.destination.message import DestinationKind
from alerts.policy.document import policy_from, written
from alerts.retrain.target.kind import KINDS as TARGETS
from alerts.retrain.target.message import Target
from core.calendar import KEYS
from core.clock import SystemClock
from core.contract import Task
from core.measure import Subject
from core.reading import SHOWN
from core.window import period, to_date
from detectors.catalogue import MEASURES, SPECS
from detectors.summary.signal import SIGNALS
from monitors.definition import column, declared, declared_signal, grammar
from monitors.definition.grammar import parse
from tests.house.tree import ROOT, sources, texts
from tests.monitors.contracts import CONTRACTS
from watchkeeper.api.app import create_api
from watchkeeper.api.metrics import Metrics
from watchkeeper.api.ports import Services
from watchkeeper.cluster import evaluate, ingest
from watchkeeper.settings.settings import Settings
from watchkeeper.telemetry.evaluation_metrics import EvaluationMetrics
from watchkeeper.telemetry.gauges import Gauges, Notifications
from watchkeeper.telemetry.ingest_metrics import IngestMetrics


def blocks(page: str, language: str) -> list[str]:
    """The blocks of code of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", texts()[page], re.MULTILINE | re.DOTALL)


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted names of all settings."""
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from settings(info.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_every_setting_is_documented_and_no_other() -> None:
    """The table of settings holds each by its name."""
    named = re.findall(r"^\| `([a-z_.]+)` \|", texts()["docs/settings.md"], re.MULTILINE)
    assert sorted(settings(Settings)) == sorted(named)


@pytest.mark.parametrize("page", ["docs/settings.md", "docs/operations.md"])
def test_settings_are_documented_with_their_defaults(page: str) -> None:
    """As `watchkeeper config show` prints them; unset and empty ones are `none`."""
    told = dict(re.findall(r"^\| `([a-z_.]+)` \| (none|`[^`]*`) \|", texts()[page], re.MULTILINE))
    shown = dict(_flat(Settings().shown()))
    assert {name: f"`{value}`" if value not in (None, "", {}) else "none" for name, value in shown.items()} == told


def _flat(shown: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in shown.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


@pytest.mark.parametrize(("page", "kinds"), [("docs/alerts.md", DESTINATIONS), ("docs/retraining-targets.md", TARGETS)])
def test_every_kind_of_destination_and_target_is_documented(page: str, kinds: Sequence[DestinationKind | Target]) -> None:
    """The table of kinds holds each by its name."""
    assert {kind.name for kind in kinds} <= set(re.findall(r"^\| `([a-z]+)` \|", texts()[page], re.MULTILINE))


def test_links_for_others_begin_with_the_setting_address() -> None:
    """Only what this machine itself opens takes the address to listen on."""
    own = {"watchkeeper/application.py", "watchkeeper/cluster/process.py", "watchkeeper/doctor.py"}
    assert {path for path, text in sources("watchkeeper").items() if re.search(r"\bsettings\.url\b", text)} == own


def test_every_route_is_documented_and_no_other() -> None:
    """The table of routes holds each by its method and path."""
    paths = create_api(cast("Services", None)).openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    named = re.findall(r"^\| `([A-Z]+ /\S+)` \|", texts()["docs/api.md"], re.MULTILINE)
    assert sorted(routes | {"GET /v1/openapi.json"}) == sorted(named)


def test_every_field_of_a_reading_is_documented_and_no_other() -> None:
    """In the order in which the API gives them."""
    section = texts()["docs/api.md"].partition("## A reading")[2].partition("\n\nWhat")[0]
    assert tuple(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)))) == SHOWN


def test_every_metric_is_documented_and_no_other() -> None:
    """The table of metrics holds each by the name that is scraped, with the processes that have it."""
    topics = {"predictions": dict.fromkeys(("lag", "rows", "duplicates", "rejected"), 0)}
    owners = dict.fromkeys(("readings", "audited", "repaired", "seconds"), 0)
    shown = Gauges(lambda: {"ingest": topics, "evaluate": owners, "quiet": True, "problems": []}).collect()
    intake, flow, pace = (
        Metrics().registry.collect(),
        IngestMetrics(SystemClock(), set).collect(),
        EvaluationMetrics(SystemClock(), set).collect(),
    )
    outbox = Notifications(dict).collect()
    scraped = {
        "serve": {*map(_scraped, [*intake, *shown])},
        "ingest": {*map(_scraped, flow), *(name for name, _ in ingest._FIGURES.values())},
        "evaluate": {*map(_scraped, pace), *(name for name, _ in evaluate._FIGURES.values())},
        "deliver": {*map(_scraped, outbox)},
    }
    own = {"watchkeeper_http_request_seconds", "watchkeeper_problems"}
    rows = re.findall(r"^\| `(watchkeeper_\w+)` \| ([a-z, ]+) \|", texts()["docs/metrics.md"], re.MULTILINE)
    told = {kind: {name for name, where in rows if where == "all" or kind in where.split(", ")} for kind in scraped}
    assert told == {kind: names | own for kind, names in scraped.items()}
    assert len(rows) == len(set().union(*scraped.values()) | own)


def _scraped(family: Metric) -> str:
    return family.name + ("_total" if family.type == "counter" else "")


def measures() -> str:
    """The table of docs/measures.md as the catalogue has it."""
    better, subject = {1: "more", 0: "", -1: "less"}, {Subject.COLUMN: "columns", Subject.MODEL: "the model"}
    subject |= {Subject.ATTRIBUTE: "attributes", Subject.GROUP: "groups"}
    lines = ["| measure | of | task | better | unit | params | usual |", "|---|---|---|---|---|---|---|"]
    for spec in SPECS:
        one, params = spec.about, ", ".join(f"`{name}`" for name in spec.params.__struct_encode_fields__)
        task = "all" if len(one.tasks) == len(Task) else ", ".join(one.tasks)
        lines.append(
            f"| `{one.name}` | {subject[one.subject]} | {task} | {better[one.better]} | {one.unit} | {params} | {'yes' if one.usual else ''} |"
        )
    return "\n".join(lines)


def test_every_measure_is_documented_and_no_other() -> None:
    """In the table, which must equal that of the catalogue (copy it from this failure), and under a heading with its formula."""
    page = texts()["docs/measures.md"]
    headings = [name for line in re.findall(r"^## (.*\..*)$", page, re.MULTILINE) for name in line.split(", ")]
    assert page.split("\n\n")[2] == measures(), measures()
    assert sorted(headings) == sorted(MEASURES)


def test_every_signal_is_documented_and_no_other() -> None:
    """The table of docs/signals.md must equal that of the code (copy it from this failure)."""
    lines = ["| signal | kind | event field | value | tasks | bins |", "|---|---|---|---|---|---|"]
    for one in SIGNALS:
        task = "all" if len(one.tasks) == len(Task) else ", ".join(one.tasks)
        lines.append(f"| `{one.name}` | {one.kind} | `{one.field}` | {one.formula} | {task} | {one.binned} |")
    assert texts()["docs/signals.md"].split("\n\n")[2] == "\n".join(lines), "\n".join(lines)


@pytest.mark.parametrize(
    "word",
    [
        *grammar.KEYS,
        *declared.KEYS,
        *declared.LATER,
        *column.KEYS,
        *declared_signal.KEYS,
        *KEYS,
        *period.NAMES,
        *to_date.NAMES,
        *("previous", "prior", "rolling", "expanding", "same_weekday", "same_period_last", "role"),
        "every",
        "top_important",
    ],
)
def test_every_word_of_the_grammar_is_documented(word: str) -> None:
    """Keys that can be written, and names that are refused for now."""
    assert re.search(rf"\b{re.escape(word)}\b", texts()["docs/monitors.md"])


def test_the_definitions_of_the_pages_are_taken() -> None:
    """The grammar reads every example."""
    read = [parse(block, contract=CONTRACTS.get) for block in blocks("docs/monitors.md", "yaml")]
    named = [monitor.name for found in read for monitor in found.monitors]
    assert named == ["fare-drift", "fare-where", "fare-week", "fare-tuesdays", "fare-budget"]
    assert [budget.name for found in read for budget in found.budgets] == ["fare-alarms"]
    assert [contract.model for found in read for contract in found.contracts] == ["churn"]
    first, destinations, policy = blocks("docs/alerts.md", "yaml")
    *beginning, told = yaml.safe_load(first)
    assert [destination_from(cast("dict[str, Any]", one)).kind for one in beginning] == ["slack", "pagerduty"]
    assert policy_from(told).to == ("team",)
    assert written(policy_from(yaml.safe_load(policy)[0]))["cap"] == "20 per 1h"
    assert [destination_from(cast("dict[str, Any]", one)).name for one in yaml.safe_load(destinations)] == ["oncall"]


@pytest.mark.parametrize("page", sorted(path for path in texts() if path.endswith(".md")))
def test_what_a_page_points_to_is_there(page: str) -> None:
    """Links within the project, and files of the project in backquotes."""
    folder = (ROOT / page).parent
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", texts()[page])
    assert [link for link in links if not (folder / link).exists()] == []
    files = re.findall(r"`((?:core|detectors|ingest|monitors|storage|alerts|dashboard|watchkeeper|tests|docs)/[\w./-]*)`", texts()[page])
    assert [file for file in files if not (ROOT / file).exists()] == []
