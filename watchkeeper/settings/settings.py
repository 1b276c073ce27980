"""Settings: defaults, then a YAML or TOML file, then `WATCHKEEPER_*` in the environment, then the command line.

Nested names are joined by two underscores: `WATCHKEEPER_ALERTS__NOTIFY_HORIZON=30d`. An unknown key fails, one error lists
every fault, and a secret can be read from a file.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from core.error import ConfigError
from core.principal import Principal, Role
from monitors.definition import document
from watchkeeper.settings.section import (
    AlertSettings,
    ClickHouseSettings,
    ControlSettings,
    Duration,
    EvaluateSettings,
    HookSettings,
    IngestSettings,
    KafkaSettings,
    Names,
    RetentionSettings,
    TokenSettings,
    WebAddress,
    secret,
    secret_fault,
)

PREFIX = "WATCHKEEPER_"
# Variables with our prefix that are not settings of the server: those of the client and of the tests.
_OTHERS = {
    "WATCHKEEPER_URL",
    "WATCHKEEPER_REQUIRE_SERVICES",
    "WATCHKEEPER_CHROMIUM",
    "WATCHKEEPER_PUBLIC_DATA",
    "WATCHKEEPER_KILLS",
    "WATCHKEEPER_YEAR_DAYS",
    "WATCHKEEPER_EXAMPLES",
    "WATCHKEEPER_SCREENSHOTS",
    "WATCHKEEPER_TOUR",
    "WATCHKEEPER_TEST_KAFKA",
    "WATCHKEEPER_TEST_CLICKHOUSE",
    "WATCHKEEPER_TEST_POSTGRES",
    "WATCHKEEPER_TEST_COLD",
    "WATCHKEEPER_CLOCKS",
    "WATCHKEEPER_CHAOS_KILLS",
    "WATCHKEEPER_CHAOS_MINUTES",
    "WATCHKEEPER_CHAOS_SEED",
    "WATCHKEEPER_OUTAGE_SECONDS",
    "WATCHKEEPER_FUZZ_SECONDS",
    "WATCHKEEPER_FUZZ_SEED",
}


class Settings(BaseSettings):
    """All settings of a process. Durations are microseconds here and texts such as `30s` or `2d` outside."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True)

    data: Path = Path("watchkeeper-data")
    host: str = "127.0.0.1"
    port: int = Field(default=8650, ge=0, le=65535)
    token: SecretStr | None = None
    token_file: Path | None = None
    tokens: tuple[TokenSettings, ...] = ()
    address: WebAddress | None = None
    session: Duration = "12h"  # type: ignore[assignment]  # a text, as in a file: validated on the way
    hosts: Names = ()
    proxies: Names = ("127.0.0.1", "::1")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    kafka: KafkaSettings = KafkaSettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    control: ControlSettings = ControlSettings()
    ingest: IngestSettings = IngestSettings()
    retention: RetentionSettings = RetentionSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    alerts: AlertSettings = AlertSettings()
    hooks: HookSettings = HookSettings()

    @model_validator(mode="after")
    def _together(self) -> Settings:
        faults = [secret_fault("token", self.token, self.token_file)]
        open_ = self.token is None and self.token_file is None and not self.tokens
        if open_ and not loopback(self.host):
            faults.append(f"host {self.host} can be reached from other machines; set token, token_file or tokens, or listen on 127.0.0.1")
        if not any(faults):
            names, secrets = [one.name for one in self.tokens], [one for one, _ in self.keys]
            faults += [
                f"tokens: the name `{name}` is given twice; give each token a name of its own"
                for name in dict.fromkeys(names)
                if names.count(name) > 1
            ]
            if len(set(secrets)) < len(secrets):
                faults.append("tokens: two of them are the same; make each its own")
        if self.kafka.bootstrap is not None:
            faults += [
                f"kafka.bootstrap is set and {name} is not: processes share their stores; set {name} to such as {example}"
                for name, part, example in (
                    ("clickhouse.url", self.clickhouse, "http://127.0.0.1:8123"),
                    ("control.url", self.control, "postgresql://watchkeeper@127.0.0.1/watchkeeper"),
                )
                if part.url is None
            ]
        if self.retention.events is not None and self.ingest.unknown_models == "keep" and self.ingest.unknown_for > self.retention.events:
            faults.append("ingest.unknown_for is longer than retention.events; events would be too old when their model gets its contract")
        if found := [fault for fault in faults if fault]:
            raise ValueError("; ".join(found))
        return self

    @property
    def keys(self) -> tuple[tuple[str, Principal], ...]:
        """The tokens that requests may bring, and the principal of each; empty if there are none."""
        one = secret(self.token, self.token_file)
        first = () if one is None else ((one, Principal("token", Role.ADMIN)),)
        return *first, *((each.secret, Principal(each.name, each.role)) for each in self.tokens)

    @property
    def secret(self) -> str | None:
        """A token for our own requests to the server, such as those of `watchkeeper doctor`; None if there is none."""
        return next((one for one, _ in self.keys), None)

    @property
    def url(self) -> str:
        """The address of the server for a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, f"[{self.host}]" if ":" in self.host else self.host)  # noqa: S104
        return f"http://{host}:{self.port}"

    @property
    def public(self) -> str:
        """The address of the server that notifications and manifests give to others: the setting `address`, else that on this machine."""
        return self.url if self.address is None else self.address.rstrip("/")

    @property
    def names(self) -> tuple[str, ...]:
        """The host names that requests may use, besides that of the address to listen on."""
        own = urlsplit(self.address).hostname if self.address else None
        return (*self.hosts, *([own] if own else []))

    def shown(self) -> dict[str, Any]:
        """The settings as they would be written in a file, with secrets redacted."""
        return self.model_dump(mode="json")


def loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def load(config: Path | None = None, *, usual: Mapping[str, Any] | None = None, **given: Any) -> Settings:
    """Read settings. `given`, those of the command line (None counts as not given), override the environment, which overrides the file `config`.

    `usual` are values in place of the defaults; all others override them. Raises ConfigError that lists every fault.
    """
    content = _read(config) if config is not None else {}

    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            layers = [InitSettingsSource(settings_cls, init_kwargs=dict(layer)) for layer in (content, usual or {})]
            return init_settings, env_settings, *layers

    faults = [f"{name}: unknown setting" for name in _unknown()]
    try:
        settings = Layered(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults += [f"{_place(fault['loc'])}{_reason(fault)}" for fault in error.errors()]
    except SettingsError as error:
        faults.append(str(error))
    if faults:
        raise ConfigError("settings: " + "; ".join(faults), remedy="`watchkeeper config show` prints every setting by name")
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else document.plain(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"settings: {path} cannot be read: {error}", remedy="give a YAML or TOML file") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"settings: {path} holds no mapping of names to values", remedy="write `port: 8650`, one setting a line")
    return content


def _unknown() -> list[str]:
    names = [name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in _OTHERS]
    return sorted(name for name in names if name[len(PREFIX) :].lower().split("__")[0] not in Settings.model_fields)


def _place(path: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in path) + ": " if path else ""


def _reason(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown setting"
    return str(fault["msg"]).removeprefix("Value error, ")
