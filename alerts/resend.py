"""Tells once more of open episodes, where the receiver forgets what nobody repeats."""

from __future__ import annotations

import logging

from alerts.destination.kind import kind
from alerts.destination.message import Transport, Unsent
from alerts.destination.secret_file import SecretFiles
from alerts.guard import Refused
from alerts.ports import OutboxStore
from core import moment

AGAIN = moment.MINUTE  # how often
_ENDED = 5 * moment.MINUTE  # for so long an end is repeated, in case it was overtaken by a repetition of the beginning
_MOST = 500  # in one message
_LOG = logging.getLogger(__name__)


def repeat(store: OutboxStore, wire: Transport, files: SecretFiles, now: int) -> None:
    """Send again what each such destination took last of every episode. Several processes may do so at the same time: repeating changes nothing.

    A failure is logged, and mended by the next repetition; it says nothing of any notification.
    """
    for destination in store.destinations():
        of = kind(destination.kind)
        if of.again is None or not destination.enabled:
            continue
        standing = store.standing(destination.name, now - _ENDED)
        try:
            for start in range(0, len(standing), _MOST):
                answer = of.send(wire, of.again(files.opened(destination.settings), standing[start : start + _MOST], now))
                if not 200 <= answer.status < 300:
                    _LOG.warning("what is open cannot be told to %s again: answered %s", destination.name, answer.status)
        except (Unsent, Refused) as error:
            _LOG.warning("what is open cannot be told to %s again: %s", destination.name, error)
        except Exception:  # one that a kind cannot say must not keep the other destinations from being told
            _LOG.exception("what is open cannot be told to %s again", destination.name)
