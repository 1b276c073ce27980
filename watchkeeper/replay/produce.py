"""Sends a recording directly to Kafka, with the checks, keys and order of the API."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from core.clock import Clock
from core.contract import Contract
from core.error import ConfigError, Retryable
from ingest.decode.decoded import LISTED, Decoded
from ingest.decode.label import decode_labels
from ingest.decode.prediction import decode_predictions
from ingest.kafka.connection import Connection
from ingest.kafka.producer import Publisher
from ingest.kafka.topics import missing
from ingest.record import TOPICS, Topic
from watchkeeper.settings.section import KafkaSettings
from watchkeeper.settings.settings import PREFIX

PATIENCE = 60.0  # seconds for which a body is sent again


class _Environment(BaseSettings):
    """The section `kafka` of the settings; a sender needs no other."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="ignore", frozen=True)

    kafka: KafkaSettings = KafkaSettings()


def connection(bootstrap: str | None) -> Connection:
    """The connection to the brokers at `bootstrap`, else to those of the environment, with its prefix and options. Raises ConfigError if there are none."""
    given: dict[str, Any] = {"kafka": {"bootstrap": bootstrap}} if bootstrap else {}
    try:
        kafka = _Environment(**given).kafka
    except (ValidationError, SettingsError) as error:
        raise ConfigError(f"settings: {error}", remedy="correct WATCHKEEPER_KAFKA__* in the environment") from None
    if kafka.bootstrap is None:
        raise ConfigError(
            "--to kafka needs the brokers' address", remedy="add `--bootstrap HOST:PORT`, or set WATCHKEEPER_KAFKA__BOOTSTRAP"
        )
    return Connection(bootstrap=kafka.bootstrap, prefix=kafka.prefix, options=kafka.options)


class Brokers:
    """The topics of a deployment, as a target for the events of one model.

    Raises ConfigError if the topics are not there, Retryable if the brokers do not answer.
    """

    def __init__(self, connection: Connection, contract: Contract, clock: Clock, *, patience: float = PATIENCE) -> None:
        if absent := missing(connection, TOPICS):
            raise ConfigError(
                f"there is no topic {', '.join(absent)} on {connection.bootstrap}",
                remedy="`watchkeeper migrate` creates them; is kafka.prefix the server's?",
            )
        self._contracts = {contract.model: contract}.get
        self._clock, self._patience = clock, patience
        self._publisher = Publisher(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._publisher.close()

    def send(self, kind: str, body: bytes) -> dict[str, Any]:
        """Send a body of NDJSON, `kind` "predictions" or "labels". When all in-sync replicas have it, returns what the API would answer.

        Raises Retryable if that does not succeed within `patience`.
        """
        topic: Topic = "predictions" if kind == "predictions" else "labels"
        now = self._clock.now()
        decoded: Decoded[Any] = (decode_predictions if topic == "predictions" else decode_labels)(body, "ndjson", self._contracts, now)
        until = time.monotonic() + self._patience
        while True:
            try:
                self._publisher.append(topic, body, "ndjson", decoded, now).result()
                break
            except Retryable as error:
                if time.monotonic() + error.after > until:
                    raise
                time.sleep(error.after)
        listed = {"errors": decoded.rejects, "cells": decoded.cells}
        faults = {name: [fault._asdict() for fault in found[:LISTED]] for name, found in listed.items()}
        return {"accepted": decoded.accepted, "rejected": len(decoded.rejects), **faults}
