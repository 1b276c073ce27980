"""The sections of the settings, with their defaults. `watchkeeper.settings.settings` reads them."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    SerializerFunctionWrapHandler,
    WrapSerializer,
    model_validator,
)
from pydantic_settings import NoDecode

from alerts.destination.secret_file import FOLDERS
from alerts.guard import Allowed
from core import duration
from core.error import ConfigError
from core.principal import Role

_HIDDEN = "**********"
RESERVED = {"local": "everyone, where no token is asked for", "token": "the setting `token`"}
_PRIVATE = ("password", "secret", "token", "key.pem", "jaas")  # parts of names of librdkafka's options whose values are secrets


def _microseconds(value: object) -> int:
    if isinstance(value, str) and value.strip() in {"0", "0s", "0m", "0h", "0d"}:
        return 0
    try:
        return duration.parse(str(value))
    except ConfigError as error:
        raise ValueError(str(error)) from None


def _names(value: object) -> object:
    """A list, or a text with commas between the names, as in the environment."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _allowed(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Entries for the guard of notifications, each checked."""
    for entry in entries:
        try:
            Allowed.parse(entry)
        except ConfigError as error:
            raise ValueError(f"{error.message}; {error.remedy}") from None
    return entries


def _folders(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Folders of secrets: absolute paths below the root."""
    for entry in entries:
        if not PurePath(entry).is_absolute() or len(PurePath(entry).parts) < 2 or ".." in PurePath(entry).parts or "\0" in entry:
            raise ValueError(f"{entry!r} is no absolute path of a folder; write one such as {FOLDERS[0]}")
    return entries


def _redacted(url: object) -> object:
    """An address without the password that it may hold."""
    parts = urlsplit(str(url)) if url else None
    if parts is None or parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{_HIDDEN}@{parts.netloc.rpartition('@')[2]}"))


def _address(*schemes: str) -> AfterValidator:
    """An address with one of these schemes and a host."""

    def check(url: str) -> str:
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 - raises if it is no number
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"{_redacted(url)!r} is no address such as {schemes[0]}://host:port")
        return url

    return AfterValidator(check)


WebAddress = Annotated[str, _address("http", "https"), PlainSerializer(_redacted)]


def _as_written(options: object) -> object:
    """The options as texts, as they were written in the YAML file: librdkafka takes texts, and 0123 may be a password."""
    return {name: getattr(value, "written", value) for name, value in options.items()} if isinstance(options, dict) else options


def _hide(options: dict[str, Any], write: SerializerFunctionWrapHandler) -> Any:
    return write({name: _HIDDEN if any(part in name for part in _PRIVATE) else value for name, value in options.items()})


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
Duration = Annotated[int, BeforeValidator(_microseconds), PlainSerializer(lambda value: duration.text(value) if value else "0s")]
Options = Annotated[dict[str, str | int | float | bool], BeforeValidator(_as_written), WrapSerializer(_hide)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Section(BaseModel):
    """A section of the settings. Unknown names are refused, and values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class ServerSettings(Section):
    """A server whose password may be in the settings or in a file."""

    password: SecretStr | None = None
    password_file: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if fault := secret_fault("password", self.password, self.password_file):
            raise ValueError(fault)
        return self

    @property
    def secret(self) -> str | None:
        """The password, from the settings or its file; None if there is none."""
        return secret(self.password, self.password_file)


class TokenSettings(Section):
    """A token of `tokens`: the name of its principal, and what they may do."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    role: Role
    token: SecretStr | None = None
    token_file: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.name in RESERVED:
            raise ValueError(f"`{self.name}` is taken: it stands in the audit for {RESERVED[self.name]}; write another name")
        if fault := secret_fault("token", self.token, self.token_file):
            raise ValueError(fault)
        if self.token is None and self.token_file is None:
            raise ValueError("there is no token; set token or token_file")
        return self

    @property
    def secret(self) -> str:
        """The token, from the settings or its file."""
        return secret(self.token, self.token_file) or ""


class KafkaSettings(Section):
    """The brokers of the log. Without `bootstrap` the log is a table in the data folder. `options` are librdkafka's and come last."""

    bootstrap: Annotated[str, Field(min_length=1)] | None = None
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,100}$")] = ""
    partitions: int = Field(default=6, ge=1)
    replication: int = Field(default=1, ge=1)
    group_protocol: Literal["classic", "consumer"] = "classic"
    instance: str | None = None
    session: Duration = "45s"  # type: ignore[assignment]  # a text, as in a file: validated on the way
    options: Options = {}


class ClickHouseSettings(ServerSettings):
    """The server of the facts, over HTTP. Without `url` the engine runs in the process, in the data folder. `cluster` is where DDL goes ON CLUSTER."""

    url: WebAddress | None = None
    user: str = "default"
    database: Name = "watchkeeper"
    cluster: Name | None = None


class ControlSettings(ServerSettings):
    """The database of definitions and alerts. Without `url` it is a file in the data folder."""

    url: Annotated[str, _address("postgresql"), PlainSerializer(_redacted)] | None = None


class BatchSettings(Section):
    """When ingest cuts a batch: at so many bytes, or so many milliseconds after the batch before; later if writing takes long."""

    bytes: int = Field(default=32 * 2**20, ge=1)
    wait_ms: int = Field(default=100, ge=0)


class DeadLetterSettings(Section):
    """When a partition halts: more than `share` of its last `of` rows could not be used."""

    share: float = Field(default=0.9, gt=0, le=1)
    of: int = Field(default=1_000, ge=1)


class IngestSettings(Section):
    """Settings of ingest. After `silence` at the end of the log the watermark is the wall clock; else it is `lateness` behind the latest event.

    `memory` bounds the bytes that a process has read from all its partitions and not yet written, half of them for each topic. A record counts 200 bytes
    more than its body. The decoded columns of batches under way take memory besides.

    With `unknown_models: keep` events of models without a contract wait for one, for `unknown_for` after the log took them, and at most `unknown_rows` of a model in a partition of each
    topic, of 4 KiB on average. A contract is proposed after `propose_rows` predictions, or `propose_after` the first.
    """

    batch: BatchSettings = BatchSettings()
    memory: int = Field(default=256 * 2**20, ge=2**20)
    silence: Duration = "5s"  # type: ignore[assignment]
    lateness: Duration = "0s"  # type: ignore[assignment]
    dead_letters: DeadLetterSettings = DeadLetterSettings()
    unknown_models: Literal["refuse", "keep"] = "refuse"
    unknown_for: Duration = "7d"  # type: ignore[assignment]
    unknown_rows: int = Field(default=1_000_000, ge=1)
    propose_rows: int = Field(default=1_000, ge=1)
    propose_after: Duration = "1d"  # type: ignore[assignment]


class RetentionSettings(Section):
    """How long raw events are kept, counted from when the log took them; None keeps them for ever. Panes and readings stay."""

    events: Duration | None = None


class EvaluateSettings(Section):
    """Settings of evaluation: `debounce_ms` is how long changes are gathered between two evaluations, `threads` how many models are evaluated at a time."""

    debounce_ms: int = Field(default=200, ge=0)
    threads: int = Field(default=4, ge=1, le=64)


class AlertSettings(Section):
    """Settings of notifications. An episode whose window ended longer ago than `notify_horizon` is shown and not sent.

    `allow` are the networks, and hosts with their ports, inside the operator's network to which notifications may go. `secrets` are the folders
    in which the files of destinations' secrets are.
    """

    notify_horizon: Duration = "2d"  # type: ignore[assignment]
    allow: Annotated[Names, AfterValidator(_allowed)] = ()
    secrets: Annotated[Names, AfterValidator(_folders)] = FOLDERS


class HookSettings(Section):
    """Settings of retraining. Windows that ended longer ago than `horizon` ask for nothing. `budget` is how many runs of all models may begin in how long."""

    horizon: Duration = "7d"  # type: ignore[assignment]
    budget: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5} per [1-9][0-9]{0,5}[smhdw]$")] | None = None

    @property
    def rate(self) -> tuple[int, int] | None:
        """The budget: how many, and in how many microseconds."""
        if self.budget is None:
            return None
        many, _, period = self.budget.partition(" per ")
        return int(many), duration.parse(period)


def secret(value: SecretStr | None, file: Path | None) -> str | None:
    """A secret from the settings, or from its file."""
    if value is not None:
        return value.get_secret_value()
    return file.read_text(encoding="utf-8").strip() if file is not None else None


def secret_fault(name: str, value: SecretStr | None, file: Path | None) -> str | None:
    """What is wrong with a secret that may be in the settings or in a file."""
    if value is not None and file is not None:
        return f"{name} and {name}_file are both set; set one of them"
    if file is not None and not file.is_file():
        return f"{name}_file {file} is not a file"
    return f"the {name} is empty; write one, or set none" if secret(value, file) == "" else None
