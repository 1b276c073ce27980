"""Removes the facts of deleted models, also after interruptions."""

from __future__ import annotations

import logging
import threading

from core.error import WatchkeeperError
from storage.facts.purge import purge
from watchkeeper.stores import Stores

_log = logging.getLogger(__name__)
_ALONE = threading.Lock()  # for threads of this process; between processes the store does this
_PAUSE = 10.0  # seconds between two attempts


def remove(stores: Stores, model: str) -> None:
    """Remove the facts of a model, if that is still to be done. Only one process at a time does so, and none removes facts of a model that was made again."""
    with _ALONE, stores.control.alone():
        if model in stores.control.purges():
            purge(stores.engine, model, [one.of_reference.model for one in stores.control.contract_versions(model)])
            stores.control.purged(model)


class Resume:
    """Finishes, in a thread, the purges that a command or an earlier process began."""

    def __init__(self, stores: Stores) -> None:
        self._stores, self._stop = stores, threading.Event()
        self._thread = threading.Thread(target=self._run, name="purge", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the table under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(30.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                models = self._stores.control.purges()
                for model in models:
                    _log.info("the facts of the deleted model %s are removed", model, extra={"model": model})
                    remove(self._stores, model)
            except WatchkeeperError as error:
                _log.warning("the facts of deleted models are removed later: %s", error)
            self._stop.wait(_PAUSE)
