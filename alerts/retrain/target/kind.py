"""The interface of a kind of target, which runs a retraining, and the kinds that there are. A new kind is a file in this folder, and its name in `KINDS`."""

from __future__ import annotations

from alerts.retrain.target import airflow, argo, github, jenkins, kubeflow, prefect, sagemaker, webhook
from alerts.retrain.target.message import Target
from core.error import ConfigError

KINDS: tuple[Target, ...] = tuple(one.KIND for one in (webhook, airflow, kubeflow, github, argo, jenkins, prefect, sagemaker))
_BY_NAME = {kind.name: kind for kind in KINDS}


def target(name: object) -> Target:
    """The kind called `name`; ConfigError if there is none."""
    if isinstance(name, str) and name in _BY_NAME:
        return _BY_NAME[name]
    raise ConfigError(f"there is no `kind` {name!r}", remedy="available: " + ", ".join(_BY_NAME))
