"""What an effective retraining changes: its episodes end, and the verified windows of the new version become the reference, if the hook says so."""

from __future__ import annotations

import logging

from alerts import retire
from alerts.retrain.verify import helped
from core import moment
from core.document_name import OWNER
from core.episode import Cause
from core.error import ConfigError, Missing
from core.hook import Baseline, Hook, Verify
from core.retrain import Retrain
from watchkeeper.change.context import Context
from watchkeeper.change.production import ProductionReference, refer_to_production
from watchkeeper.stores import Stores

_LOG = logging.getLogger(__name__)
ACTOR = "retraining"


class Outcome:
    """Makes the changes, in the name of `retraining`. Made again they change nothing."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def effective(self, request: Retrain, hook: Hook) -> str:
        """Make them. Returns a sentence about the reference; "" where the hook keeps it."""
        said = self._refer(request, hook.verify) if hook.baseline_after is Baseline.EFFECTIVE and hook.verify is not None else ""
        self._resolve(request)
        return said

    def _resolve(self, request: Retrain) -> None:
        """End the episodes of the request that are open. Their rules are judged by later windows alone."""
        control, address = self._stores.control, self._stores.settings.public
        with control.retiring(ACTOR) as change:
            change.hold(OWNER + request.model)
            open_ = [one for one in change.episodes(request.episodes) if one.ended_at is None]
            rules = {name: change.rules(request.model, name) for name in {one.monitor for one in open_}}
            for one in open_:
                reason = f"version {request.version} helped ({request.id})"
                retire.resolve(one, reason, change, change.now, address, Cause.RETRAINED, rules[one.monitor])

    def _refer(self, request: Retrain, verify: Verify) -> str:
        good = helped(request.verified, verify.windows)
        if not good:
            return "the reference is kept: no window was good"
        start, end = good[0].start, good[-1].end
        span = f"version {request.version} from {moment.text(start)} to {moment.text(end)}"
        given = ProductionReference(model=request.model, start=start, end=end, version=request.version)
        try:
            refer_to_production(Context(self._stores, ACTOR), given)
        except (ConfigError, Missing) as error:
            _LOG.warning("the reference of %s is kept: %s", request.model, error)
            return f"the reference is kept: {error}"
        return f"the reference is {span} now"
