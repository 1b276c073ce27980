"""The control store: definitions, ownership and alerts in one relational database."""

from __future__ import annotations

from storage.control.audit import Audits
from storage.control.cursor import Cursors
from storage.control.definition import Definitions
from storage.control.delivery import Deliveries
from storage.control.episode import Episodes
from storage.control.history import Histories
from storage.control.hook import Hooks
from storage.control.noise import Noises
from storage.control.outbox import Outbox
from storage.control.policy import Policies
from storage.control.rebuild import Rebuilds
from storage.control.retire import Retirements
from storage.control.retrain import Retrains
from storage.control.right import Rights
from storage.control.signing import Signing


class ControlStore(
    Policies,
    Hooks,
    Retrains,
    Retirements,
    Definitions,
    Cursors,
    Episodes,
    Histories,
    Noises,
    Outbox,
    Deliveries,
    Audits,
    Rebuilds,
    Rights,
    Signing,
):
    """Threads share one store. Call `migrate()` before anything else, and `close()` at the end."""
