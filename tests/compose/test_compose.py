"""No container engine is here: that `compose.yaml` and the image fit the product, and each other, is read off the files."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from compose.servers import fetch
from tests.house.tree import ROOT
from watchkeeper.cli.app import main
from watchkeeper.cluster.process import PORTS, Kind
from watchkeeper.settings.settings import load

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose/compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "compose/Dockerfile").read_text(encoding="utf-8")
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# What health checks call, and the image is known to have: each is in its publisher's documentation, or in its entry point.
PROGRAMS = {
    "apache/kafka": "/opt/kafka/bin/kafka-broker-api-versions.sh",
    "clickhouse/clickhouse-server": "wget",
    "postgres": "pg_isready",
    "watchkeeper": "python",
}


def image(service: dict[str, Any]) -> tuple[str, str]:
    """The name and the tag."""
    name, _, tag = service["image"].partition(":")
    return name, tag


def copied() -> list[tuple[str, str]]:
    """What the image takes from the project's folder: source and place."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [(source, words[-1]) for words in map(str.split, lines) for source in words[:-1]]


def test_each_process_type_has_its_service() -> None:
    """There is one for `migrate`, too."""
    assert set(OURS) == {*PORTS, "migrate"}
    assert SERVICES["ingest"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_one_and_is_taken(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's environment makes settings: servers by name, secrets from the files that are mounted."""
    for variable in [variable for variable in os.environ if variable.startswith("WATCHKEEPER_")]:
        monkeypatch.delenv(variable)
    for secret in OURS[name]["secrets"]:
        (tmp_path / secret).write_text(f"the secret {secret}\n", encoding="utf-8")
    for variable, value in OURS[name]["environment"].items():
        assert variable.startswith("WATCHKEEPER_")
        monkeypatch.setenv(variable, value.replace("/run/secrets", str(tmp_path)))
    settings = load()
    assert (settings.secret, settings.clickhouse.secret, settings.control.secret) == tuple(
        f"the secret {secret}" for secret in ("token", "clickhouse", "postgres")
    )
    assert settings.public == "http://127.0.0.1:8650", "links lead to `serve`, whichever process makes them"
    assert settings.kafka.bootstrap is not None
    hosts = [settings.kafka.bootstrap, *re.findall(r"//(?:\w+@)?([\w:]+)", f"{settings.clickhouse.url} {settings.control.url}")]
    assert [host.split(":")[0] for host in hosts] == ["kafka", "clickhouse", "postgres"]


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a container runs is there, and built."""
    (command,) = OURS[name]["command"]
    assert main([command, "--help"]) == 0
    assert f"watchkeeper {command}" in capsys.readouterr().out


@pytest.mark.parametrize("name", PORTS)
def test_a_process_is_asked_on_the_port_that_it_listens_on(name: Kind) -> None:
    """By its health check, and from outside."""
    port = str(PORTS[name])
    assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "python", "/opt/watchkeeper/probe.py", port]
    assert [published.split(":")[-1] for published in SERVICES[name].get("ports", [])] in ([], [port])
    assert port in re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)[0].split()


def test_health_checks_call_what_the_image_has() -> None:
    """Known programs; ours is copied into the image."""
    checks = {name: service["healthcheck"]["test"] for name, service in SERVICES.items() if "healthcheck" in service}
    assert {name: check[:2] for name, check in checks.items()} == {name: ["CMD", PROGRAMS[image(SERVICES[name])[0]]] for name in checks}
    assert ("compose/probe.py", "/opt/watchkeeper/probe.py") in copied()


def test_whoever_is_waited_for_says_when_it_is_ready() -> None:
    """`service_healthy` needs a health check, `service_completed_successfully` an end."""
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed]
            else:
                assert how["condition"] == "service_completed_successfully"
                assert SERVICES[needed]["restart"].startswith("on-failure")


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_is_more_than_it_must_be(name: str) -> None:
    """Not root, no further privileges, loopback only; ours change nothing but /tmp."""
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in {"root", "0"}
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")] == []
    assert service.get("read_only", False) or name not in OURS


def test_what_a_service_is_given_is_declared() -> None:
    """Secrets and volumes are declared; a secret that is read is mounted, and the file holds no secret."""
    for service in SERVICES.values():
        read = {match for value in service["environment"].values() for match in re.findall(r"^/run/secrets/(\w+)$", str(value))}
        assert read == set(service.get("secrets", []))
        assert read <= set(COMPOSE["secrets"])
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])
        assert [name for name in service["environment"] if re.search(r"(PASSWORD|TOKEN|SECRET)$", name)] == []


def test_the_brokers_are_where_the_processes_look() -> None:
    """Inside by the service's name, from the host by loopback and the port that is published."""
    kafka = SERVICES["kafka"]
    advertised = dict(one.split("://") for one in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert advertised == {"INSIDE": OURS["ingest"]["environment"]["WATCHKEEPER_KAFKA__BOOTSTRAP"], "OUTSIDE": "127.0.0.1:9092"}
    assert kafka["ports"] == ["127.0.0.1:9092:9092"]


def test_the_versions_are_those_that_are_tested() -> None:
    """The servers that the launchers fetch, the Python of the tests and the release of this project."""
    images = dict(image(service) for service in SERVICES.values())
    assert images["apache/kafka"] == fetch.KAFKA
    assert images["postgres"] == fetch.POSTGRES
    assert [int(part) for part in images["clickhouse/clickhouse-server"].split(".")] >= [
        int(part) for part in fetch.CLICKHOUSE.split(".")[:2]
    ]
    assert images["watchkeeper"] == PROJECT["project"]["version"]
    assert {stage.split()[0].split("-")[0] for stage in STAGES if stage.startswith("python")} == {
        f"python:{PROJECT['tool']['mypy']['python_version']}"
    }


def test_the_image_takes_what_there_is() -> None:
    """Every path that is copied exists and is let through, and every package is among them."""
    allowed = {
        line[1:] for line in (ROOT / "compose/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    sources = [source.rstrip("/") for source, _ in copied()]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert set(sources) == allowed
    assert set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(sources)


def test_the_image_is_built_from_the_lock_and_runs_as_nobody_special() -> None:
    """Every wheel by its hash, nothing from elsewhere, the user that compose names, the extras of a cluster."""
    assert "pip wheel --require-hashes --requirement requirements.lock" in STAGES[0]
    installs = [line for line in DOCKERFILE.splitlines() if "pip install" in line]
    assert [line for line in installs if "--no-index" not in line] == []
    (extras,) = re.findall(r'"\.\[([\w,]+)\]"', DOCKERFILE)
    assert set(cast("str", extras).split(",")) == {"server", "cluster"}
    assert set(PROJECT["project"]["optional-dependencies"]) >= {"server", "cluster"}
    assert re.findall(r"^USER (.*)$", STAGES[-1], re.MULTILINE) == [OURS["serve"]["user"]]
    assert 'ENTRYPOINT ["watchkeeper"]' in STAGES[-1]
