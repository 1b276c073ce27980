"""The command that gives a model its reference, and with it its contract."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import msgspec
import pyarrow as pa

from core.clock import SystemClock
from core.contract import Contract
from core.name import Named, check
from detectors.summary.edition import EDITION
from monitors.reference.derive import column_roles, content, derive, summarise
from monitors.reference.facts import write_panes_again, write_reference
from monitors.reference.option import Options
from storage.control.store import ControlStore
from watchkeeper.change.context import Context
from watchkeeper.change.contract import complete, prepare
from watchkeeper.parquet import Parquet


class ReferenceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A Parquet file; `options` are those of `watchkeeper reference` in snake_case."""

    model: str
    parquet: bytes
    options: dict[str, str]


def give_reference(context: Context, given: ReferenceFile) -> Mapping[str, Any]:
    """Derive and save the contract, the reference and the default monitors, unless the same file was given last.

    If an earlier version summarised that file, it is summarised again under its contract.
    Returns model, version and result, and how the columns are used: rows, roles, features, tags, left_out, nan.
    """
    _known(context.stores.control, given.model)  # a bad name, then a bad option, is told before the file is read
    options = Options.of(given.options)
    return take_reference(context, given.model, Parquet(BytesIO(given.parquet), "the reference").read(), options)


def take_reference(context: Context, model: str, table: pa.Table, options: Options) -> Mapping[str, Any]:
    """As `give_reference`, of the rows of a table."""
    control = context.stores.control
    before = _known(control, model)
    contract, reference = derive(model, table, options, held=before)
    if before is not None:  # a file has no owner, description and runbook: these stay as they are
        contract = msgspec.structs.replace(contract, **before.words)
    prepare(context, contract)
    now, earlier = content(table, options)
    saved = control.save_contract(contract, content=now, earlier=earlier, reference=reference.to_bytes(), actor=context.actor)
    complete(context, saved)
    again = saved.summary < EDITION
    _write_facts(context, saved, table, options, again=again)
    if again:
        summarised, reference = summarise(saved, table, options)
        control.summarise_contract(summarised, reference=reference.to_bytes(), actor=context.actor)
    same = before is not None and before.version == saved.version
    result = "created" if before is None else "summarised again" if again else "unchanged" if same else "changed"
    return {"model": model, "version": saved.version, "result": result, **column_roles(table, options, saved)}


def _write_facts(context: Context, contract: Contract, table: pa.Table, options: Options, *, again: bool) -> None:
    """Write the facts of a contract's reference, unless they are there; then only its panes, if they are to be made `again`.

    They are missing if an earlier version gave the reference, or a command was interrupted.
    """
    stores, now = context.stores, SystemClock().now()
    if not len(stores.panes.slots(contract.of_reference)[0]):
        write_reference(stores.writer, stores.outcomes, contract, table, options, now)
    elif again:
        write_panes_again(stores.writer, contract, table, options, now)


def _known(control: ControlStore, model: str) -> Contract | None:
    """The current contract of a model. A new name is checked before anything is read or written."""
    before = control.contract(model) if _storable(model) else None
    if before is None:
        check(Named.MODEL, model)
    return before


def _storable(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)
