"""What the API and the pages ask of the whole behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Literal

import msgspec
import pyarrow as pa

from alerts.destination.document import destination_from
from core.contract import Contract
from core.episode import Episode
from core.error import ConfigError, Retryable
from core.monitor import Monitor
from core.name import Named, check
from core.reading import Query
from dashboard.seam import ModelRow, Pipeline
from detectors.catalogue import MEASURES
from ingest.decode.payload import Kind
from monitors.declared import content as content_of
from monitors.default import defaults
from monitors.grammar import parse
from monitors.option import Options
from monitors.reference import content, derive, told
from storage.facts.view import show
from watchkeeper.api.seam import AnyDecoded, Overloaded, Topic
from watchkeeper.parquet import Parquet
from watchkeeper.reader import Reader
from watchkeeper.spine import Spine


class Services:
    """The API's services: questions go to the reader, changes to the stores, and the owners are called."""

    def __init__(self, spine: Spine) -> None:
        self._spine, self._control = spine, spine.stores.control
        self.reader = Reader(spine)

    def contract(self, model: str) -> Contract | None:
        """The newest contract of a model."""
        return self._control.contract(model)

    async def append(self, topic: Topic, body: bytes, kind: Kind, decoded: AnyDecoded, now: int) -> None:
        """Append to the log; returns when that is durable."""
        try:
            future = await asyncio.to_thread(self._spine.append, topic, body, kind, decoded, now)  # to Kafka it goes row by row
        except Retryable as error:
            raise Overloaded(str(error), after=error.after) from error
        await asyncio.wrap_future(future)
        self._spine.appended()

    def readings(self, query: Query) -> tuple[pa.Table, str | None]:
        """A page of readings."""
        return self.reader.page(query)

    def models(self) -> Sequence[Mapping[str, Any]]:
        """A row a model."""
        return self.reader.models()

    def model(self, name: str) -> Mapping[str, Any] | None:
        """One model's row."""
        contract = self.contract(name)
        return None if contract is None else self.reader.model(contract)

    def monitors(self, model: str | None) -> Sequence[Monitor]:
        """Monitors by model and name."""
        return self.reader.monitors(model)

    def episodes(
        self, state: Literal["open", "closed"] | None, model: str | None, limit: int, after: str | None, *, monitor: str | None
    ) -> tuple[list[Episode], str | None]:
        """Episodes, and the next cursor."""
        return self.reader.episodes(state, model, limit, after, monitor=monitor)

    def episode(self, name: str) -> Episode | None:
        """One episode."""
        return self.reader.episode(name)

    def save_reference(self, model: str, parquet: bytes, options: Mapping[str, str]) -> Mapping[str, Any]:
        """Derive the contract and the default monitors from a Parquet file, unless it is what was given last, and tell what its columns are."""
        before = self._known(model)
        given = Options.of(options)
        table = Parquet(BytesIO(parquet), "the reference").read()
        contract, reference = derive(model, table, given, held=before)
        self._show(contract)
        saved = self._control.save_contract(contract, content=content(table, given), reference=reference.to_bytes())
        self._default(saved)
        result = "created" if before is None else "unchanged" if before.version == saved.version else "changed"
        return {"model": model, "version": saved.version, "result": result, **told(table, given, saved)}

    def apply(self, text: str, *, dry_run: bool, replace: bool = False) -> Sequence[Mapping[str, Any]]:
        """Apply definitions, all or none: contracts, then monitors and destinations. A declaration takes a reference away with `replace` only."""
        there = {("monitor", monitor.model, monitor.name) for monitor in self._control.monitors()}
        there |= {("destination", "", destination.name) for destination in self._control.destinations()}
        found = parse(text, contract=self.contract, there=there)
        destinations = [destination_from(dict(document)) for document in found.destinations]
        results = [self._declaration(contract, replace=replace) for contract in found.contracts]
        if not dry_run:
            for contract, result in zip(found.contracts, results, strict=True):
                self._declare(contract, result)
        answers: list[Mapping[str, Any]] = [
            {"kind": "contract", "model": contract.model, "name": contract.model, "result": result}
            for contract, result in zip(found.contracts, results, strict=True)
        ]
        for model, name, result in self._control.apply_monitors(found.monitors, dry_run=dry_run):
            answers.append({"kind": "monitor", "model": model, "name": name, "result": result})
        for _, name, result in self._control.apply_destinations(destinations, dry_run=dry_run):
            answers.append({"kind": "destination", "model": None, "name": name, "result": result})
        self._spine.call()
        return answers

    def status(self) -> Mapping[str, Any]:
        """How far everything is."""
        return self._spine.status()

    def ready(self) -> Sequence[str]:
        """What keeps this process from serving."""
        return self._spine.obstacles()

    def version_tag(self) -> str:
        """Changes with every append, write, definition and reading."""
        return self._spine.tag()

    def _declaration(self, contract: Contract, *, replace: bool) -> str:
        """What a declared contract would bring: created, changed, or unchanged where it is what was declared last, whatever reference came after it.

        ConfigError where it would take a reference away, unless that is wanted.
        """
        before, declared = self.contract(contract.model), self._control.declared(contract.model)
        if before is None:
            return "created"
        if declared is not None and declared == msgspec.structs.replace(contract, version=declared.version):
            return "unchanged"
        derived = declared is None or declared.version != before.version
        if derived and not replace:
            raise ConfigError(
                f"`{contract.model}` has a reference (contract version {before.version}), and this declaration is not the one that was applied last:"
                " the reference would go, and with it what drift and performance are compared with",
                remedy="leave the contract out of the file, or apply it with --replace (`replace=true`) and give the reference again",
            )
        return "changed"

    def _declare(self, contract: Contract, result: str) -> None:
        if result == "unchanged":
            return
        self._show(contract)
        self._default(self._control.save_contract(contract, content=content_of(contract), reference=None))

    def _known(self, model: str) -> Contract | None:
        """The contract that a model has. A name that is new is checked before anything is read or written."""
        before = self._control.contract(model) if _storable(model) else None
        if before is None:
            check(Named.MODEL, model)
        return before

    def _show(self, contract: Contract) -> None:
        """Make a model's view as it will be with a contract: if the store takes it not, nothing has been written."""
        before = self._versions(contract.model)
        following = msgspec.structs.replace(contract, version=len(before) + 1)
        show(self._spine.stores.engine, [*before, following])

    def _versions(self, model: str) -> list[Contract]:
        newest = self._control.contract(model)
        found = [self._control.contract_version(model, version + 1) for version in range(newest.version if newest else 0)]
        return [held for held in found if held is not None]

    def _default(self, contract: Contract) -> None:
        """Give a model its view and its default monitors, and renew them with its contract; monitors that a person has changed stay."""
        before = self._control.contract_version(contract.model, contract.version - 1)
        given = {monitor.name: monitor for monitor in defaults(before)} if before else {}
        there = {monitor.name: msgspec.structs.replace(monitor, revision=1) for monitor in self._control.monitors(contract.model)}
        untouched = [monitor for monitor in defaults(contract) if there.get(monitor.name) in (None, given.get(monitor.name))]
        self._control.apply_monitors(untouched)
        show(self._spine.stores.engine, self._versions(contract.model))
        self._spine.call()


def _storable(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


_LETTERS = 100  # kinds of dead letters on a page


class Pages:
    """The reader of the pages, in the shapes that they declare."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.contract, self.monitors, self.readings = reader.contract, reader.monitors, reader.readings
        self.segments, self.traffic, self.episode = reader.segments, reader.traffic, reader.episode
        self.transitions, self.status = reader.transitions, reader.status
        self.outside, self.referenced = reader.outside, reader.referenced
        self.measures = MEASURES
        self.recent, self.open_levels, self.pulse = reader.recent, reader.open_levels, reader.pulse

    def pipeline(self) -> Pipeline:
        """How events flow."""
        return Pipeline(*self._reader.flow(_LETTERS))

    def models(self) -> list[ModelRow]:
        """Every model."""
        return [_row(row) for row in self._reader.models()]

    def model(self, name: str) -> ModelRow | None:
        """One model."""
        contract = self._reader.contract(name)
        return None if contract is None else _row(self._reader.rows([contract])[0])

    def histogram(self, model: str, column: str, segment: str, start: int, end: int) -> tuple[list[int], list[int]]:
        """Counts by bin; nothing where nothing is known."""
        try:
            return self._reader.histogram(model, column, segment, start, end)
        except ConfigError:
            return [], []

    def episodes(self, state: str | None, model: str | None, limit: int) -> list[Episode]:
        """Episodes, newest first."""
        return self.history(state, model, None, limit, None)[0]

    def history(
        self, state: str | None, model: str | None, monitor: str | None, limit: int, after: str | None
    ) -> tuple[list[Episode], str | None]:
        """A page of episodes, and the next cursor."""
        wanted: Literal["open", "closed"] | None = "open" if state == "open" else "closed" if state == "closed" else None
        return self._reader.episodes(wanted, model, limit, after, monitor=monitor)


def _row(row: Mapping[str, Any]) -> ModelRow:
    return ModelRow(**{name: row["labelled" if name == "labels" else name] for name in ModelRow.__dataclass_fields__})
