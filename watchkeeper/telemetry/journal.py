"""The log lines of a process, as text for people or JSON for programs, with the fields that say what they are about."""

from __future__ import annotations

import faulthandler
import json
import logging
import signal
import sys
from typing import Any, Literal

from core import moment

# The fields that a log record may have besides its message (`extra=`): the batch's token, the model, the position in the log.
FIELDS = ("token", "model", "topic", "partition", "rows", "seconds")
_CHATTY = {
    "httpx": logging.WARNING,
    "alembic": logging.WARNING,
    "faust": logging.ERROR,
    "mode": logging.ERROR,
    "aiokafka": logging.CRITICAL,  # it repeats the same line ten times a second while a broker is away; we log that once ourselves
}


class TextFormatter(logging.Formatter):
    """Time, level, logger, message, and the fields as `key=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s%(fields)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback follows it."""
        record.fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        return super().format(record)


class JsonFormatter(logging.Formatter):
    """One object a line; a traceback is in it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = {
            "at": moment.text(int(record.created * moment.SECOND)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str)


class RateLimitFilter(logging.Filter):
    """Limits how often librdkafka logs a failure: while a broker is away it does so twenty times a second."""

    def __init__(self, seconds: float = 30.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        if not record.getMessage().startswith("FAIL ["):
            return True
        fresh = record.created - self._told.get(record.name, 0.0) >= self._seconds
        if fresh:
            self._told[record.name] = record.created
        return fresh


def configure_logging(level: str, form: Literal["text", "json"]) -> None:
    """Write log records from `level` on to stderr, and fewer of libraries that log much.

    The stack of each thread is written after a crash in a C library, and whenever the process gets SIGQUIT.
    """
    faulthandler.enable()
    faulthandler.register(signal.SIGQUIT)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(RateLimitFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name, least in _CHATTY.items():
        logging.getLogger(name).setLevel(least)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
