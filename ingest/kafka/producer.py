"""Sends events, ticks and dead letters to Kafka, and reports when all in-sync replicas have them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from core.error import Retryable
from ingest.dead_letter import DeadLetter
from ingest.decode.decoded import Decoded
from ingest.decode.payload import Kind, PayloadError
from ingest.kafka.client import opened
from ingest.kafka.connection import Connection
from ingest.kafka.delivery import DeliveryReport
from ingest.kafka.message import Outgoing, messages
from ingest.kafka.topics import LARGEST
from ingest.record import TOPICS, Topic

_log = logging.getLogger(__name__)

_MOST_WAITING = 256 << 20  # bytes that are not acknowledged before appends are refused
_POLL = 0.1  # seconds
_OVERHEAD = 64 << 10  # bytes of a message beside its value, with room

Headers = list[tuple[str, str | bytes | None]]


class Publisher:
    """A producer that many threads share. `most` bounds what waits for acknowledgement, in bytes."""

    def __init__(self, connection: Connection, *, most: int = _MOST_WAITING) -> None:
        self._connection, self._most = connection, most
        self._names: Mapping[Topic, str] = {topic: connection.topic(topic) for topic in TOPICS}
        self._ticks, self._letters = connection.topic("ticks"), connection.topic("dead-letters")
        self._waiting = 0
        self._lock = threading.Lock()
        self._done_with = False  # whether the client cannot go on
        self.problem: str | None = None  # why the last delivery failed, if it did
        self._producer = self._open()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="kafka-producer", daemon=True)
        self._thread.start()

    def append(self, topic: Topic, body: bytes, kind: Kind, decoded: Decoded[Any], now: int) -> Future[None]:
        """Send the accepted rows of a request, a message each; the future is done when all are acknowledged, and raises Retryable if one is not.

        `now` is not used: the brokers stamp each message. Raises Retryable if too much waits, and PayloadError for an event that is
        larger than a message may be; in both cases nothing was sent.
        """
        return self.send(topic, list(messages(body, kind, decoded)))

    def send(self, topic: Topic, outgoing: Sequence[Outgoing]) -> Future[None]:
        """Send messages in their order; as `append`."""
        sizes = [len(message.value) for message in outgoing]
        if sizes and max(sizes) > LARGEST:
            row = outgoing[sizes.index(max(sizes))].row
            raise PayloadError(f"the event in row {row} is larger than the {LARGEST >> 20} MiB of a message; nothing was sent", status=413)
        size = sum(sizes)
        with self._lock:
            if self._waiting and self._waiting + size > self._most:
                raise Retryable("the Kafka brokers cannot keep up; send again later", after=1.0)
            self._waiting += size
        delivery = DeliveryReport(len(outgoing), partial(self._acknowledged, size))
        name, produce, sent = self._names[topic], self._producer.produce, 0
        try:
            for _, key, value in outgoing:
                produce(name, value, key, on_delivery=delivery)
                sent += 1
        except (BufferError, KafkaException) as error:
            for _ in outgoing[sent:]:
                delivery(_error(error))
        return delivery.future

    def tick(self, model: str, payload: bytes) -> None:
        """Send a tick: there may be something to do for the owner of a model. It is not waited for, and may get lost."""
        try:
            self._producer.produce(self._ticks, payload, model.encode(errors="surrogatepass"))
        except (BufferError, KafkaException) as error:
            _log.debug("a tick of %s was not sent: %s", model, error)

    def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Send dead letters and wait until all are acknowledged; Retryable if one is not. A value that is too large for the topic is left out."""
        sent = [(letter, self._letter(letter, letter.body)) for letter in letters]
        refused = []
        for letter, delivery in sent:
            try:
                delivery.future.result()
            except Retryable:
                if delivery.error is None or delivery.error.code() != KafkaError.MSG_SIZE_TOO_LARGE:
                    raise
                refused.append(self._letter(letter, None))
        for delivery in refused:
            delivery.future.result()

    def close(self, seconds: float = 5.0) -> None:
        """Finish what is under way, at most so long."""
        self._producer.flush(seconds)
        self._stop.set()
        self._thread.join()
        self._producer.purge()
        self._producer.flush(1.0)

    def _letter(self, letter: DeadLetter, body: bytes | None) -> DeliveryReport:
        delivery = DeliveryReport(1, partial(self._acknowledged, 0))
        headers: Headers = [*letter.headers(), *([("omitted", f"{len(letter.body)} bytes")] if body is None else [])]
        try:
            self._producer.produce(self._letters, body, letter.key(), on_delivery=delivery, headers=headers)
        except (BufferError, KafkaException) as error:
            delivery(_error(error))
        return delivery

    def _open(self) -> Producer:
        settings = {
            **self._connection.producer(),
            "message.max.bytes": 2 * LARGEST + _OVERHEAD,
            "queue.buffering.max.messages": 0,  # bytes are counted here
            "queue.buffering.max.kbytes": (2 * self._most + (128 << 20)) >> 10,
            "error_cb": self._on_error,
            **self._connection.options,
        }
        return opened(Producer, settings, logger=_log)

    def _serve(self) -> None:
        while not self._stop.is_set():
            self._producer.poll(_POLL)
            if self._done_with:
                _log.warning("the Kafka producer cannot go on (%s); another takes its place", self.problem)
                old, self._producer, self._done_with = self._producer, self._open(), False
                old.purge()
                old.flush(1.0)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001 - its public name
            self._done_with = True

    def _acknowledged(self, size: int, error: KafkaError | None) -> Retryable | None:
        """Some messages are acknowledged, or will never be."""
        with self._lock:
            self._waiting -= size
        if error is None:
            self.problem = None
            return None
        self._on_error(error)
        self.problem = f"not all in-sync replicas have what was sent: {error.str()}; are the brokers at {self._connection.bootstrap} up?"
        return Retryable(f"{self.problem} Sending again is safe", after=5.0)


def _error(raised: BufferError | KafkaException) -> KafkaError:
    """The client's error object."""
    if isinstance(raised, KafkaException):
        return KafkaError(raised.args[0].code(), raised.args[0].str(), raised.args[0].fatal())
    return KafkaError(KafkaError._QUEUE_FULL)  # noqa: SLF001 - its public name
