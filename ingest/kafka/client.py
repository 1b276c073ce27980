"""Makes the clients of librdkafka, and says which settings are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException

from core.error import ConfigError

C = TypeVar("C")


def opened(kind: Callable[..., C], settings: Mapping[str, Any], **given: Any) -> C:
    """A client of this kind. Raises ConfigError if it does not know a setting, or cannot use its value: no later attempt can succeed."""
    try:
        return kind({**settings}, **given)
    except KafkaException as error:
        if error.args[0].code() != KafkaError._INVALID_ARG:  # noqa: SLF001 - its public name
            raise
        raise ConfigError(f"librdkafka refuses a setting: {error.args[0].str().strip()}", remedy="correct kafka.options") from None
