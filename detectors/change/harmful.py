"""Harmful change: a bet that the risk of a model has risen above what its reference allows, which may be read at the end of every window of the model's whole life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
from scipy.special import betaincinv, logsumexp, xlog1py, xlogy

from core import duration
from core.block import Floats, Ints
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Measure, Need
from core.span import Flags
from detectors.change import unit_loss
from detectors.change.loss import WRONG
from detectors.compare.difference import Of
from detectors.spec import Spec

BETS = np.array([0.1, 0.25, 0.5, 1.0, 2.0])  # the share of a bet that is put on a row, each half of what could be lost at most
MOST = 1e6  # of the limit, that is shown at most
NO_REFERENCE = "the reference has no labelled rows of it: write `params.risk`"
ANYTHING = "the reference has so few rows that any risk is possible: give it more, or write `params.risk`"

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]


class Harm:
    """The evidence of harmful change: labelled rows as they were known when they were due, which are read by `monitors.evaluation.harmful`."""


class HarmfulParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Params: `of`, the measure of whose rows the loss is. `wait`: how long labels take, after which a pane is read once and for all.

    `alpha`: how often a false alarm may ever be given in the life of all monitors of harmful change of the model. `tolerance`: how much more than in the reference the risk may be. `risk`: what it may be, in place of
    what the reference tells. `arl`: a mean time between false alarms, in place of `alpha` for the whole life.
    """

    of: str | dict[str, Any] = WRONG
    wait: str = "7d"
    tolerance: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.02
    alpha: Annotated[float, msgspec.Meta(gt=0, le=0.2)] = 0.05
    risk: Share | None = None
    arl: str | None = None

    @property
    def harmed(self) -> Of:
        """The measure of whose rows the loss is, with its params."""
        return msgspec.convert(self.of, Of) if isinstance(self.of, dict) else Of(self.of)


@dataclass(frozen=True)
class Usual:
    """What the reference tells of a risk: its mean `risk` in `n` rows, how much it varies between windows beyond chance (`between`, a standard deviation; NaN where fewer than two windows tell), and the highest risk that is no harm (`bound`, NaN where there is none)."""

    risk: float
    n: int
    between: float
    bound: float


def usual(losses: Floats, window: Ints, params: HarmfulParams, alpha: float) -> Usual:
    """What the reference's losses in [0, 1] (n,) tell, each in a window of the monitor's length. `alpha` is the monitor's share."""
    if params.risk is not None:
        return Usual(params.risk, 0, np.nan, params.risk)
    n = len(losses)
    if not n:
        return Usual(np.nan, 0, np.nan, np.nan)
    risk, between = float(np.sort(losses).mean()), between_windows(losses, window)
    apart = max(params.tolerance, 0.0 if np.isnan(between) else 2 * between)
    bound = max(upper(losses, alpha / 2), risk + apart)
    return Usual(risk, n, between, bound if bound < 1 else np.nan)


def upper(losses: Floats, alpha: float) -> float:
    """The upper bound of the mean of independent losses in [0, 1] (n,), n > 0, which is wrong with probability `alpha` at most.

    Of losses that are 0 or 1 that of Clopper and Pearson (1934); of others that of Chernoff and Hoeffding (1963): the largest m with n kl(mean, m) <= log(1 / alpha).
    """
    n, total = len(losses), float(np.sort(losses).sum())
    if np.isin(losses, (0.0, 1.0)).all():
        return 1.0 if total == n else float(betaincinv(total + 1, n - total, 1 - alpha))
    mean = total / n
    low, high = mean, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        apart = xlogy(mean, mean) + xlogy(1 - mean, 1 - mean) - xlogy(mean, middle) - xlog1py(1 - mean, -middle)
        low, high = (middle, high) if n * apart <= -np.log(alpha) else (low, middle)
    return float(high)


def between_windows(losses: Floats, window: Ints) -> float:
    """The standard deviation of the risk between windows beyond what chance makes of rows (DerSimonian and Laird 1986); NaN for fewer than two windows, or no more rows than windows."""
    order = np.lexsort((losses, window))
    losses, window = losses[order], window[order]
    _, place, n = np.unique(window, return_inverse=True, return_counts=True)
    many, rows = len(n), len(losses)
    if many < 2 or rows <= many:
        return float("nan")
    mean = np.bincount(place, losses) / n
    within = float(((losses - mean[place]) ** 2).sum() / (rows - many))
    q = float((n * (mean - losses.mean()) ** 2).sum())
    return float(np.sqrt(max(0.0, (q - (many - 1) * within) / (rows - (n**2).sum() / rows))))


def stakes(bound: Floats) -> Floats:
    """The bets against bounds (...): (..., bets). None can lose more than half of what is put on a row."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.minimum(BETS, 0.5 / np.asarray(bound)[..., None]))


def gain(loss: Floats, bound: Floats) -> Floats:
    """The logarithm of what each bet on a row of a loss makes of 1: log(1 + stake (loss - bound)); (..., bets) for arrays (...) that broadcast."""
    loss, bound = np.broadcast_arrays(loss, bound)
    return np.asarray(np.log1p(stakes(bound) * (loss - bound)[..., None]))


@dataclass(frozen=True)
class Bets:
    """What bets over windows (..., windows) are worth, as a logarithm: at the end of each window, and the window with which they began, or began anew (`first`); NaN where there is no bound."""

    worth: Floats
    first: Ints


def play(gains: Floats, there: Flags, limit: float | None = None) -> Bets:
    """Bet over windows from the first on: `gains` (..., windows, bets) are the sums of what their rows gain, -inf where rows are gone; `there` (..., windows) says which have rows.

    A bet that starts with window k = 1, 2 and so on is 1 before it. Without `limit` its part is 1 / (k (k + 1)), which add up to 1: the mean of all is 1 at most on average while no window's risk is above the bound,
    so it ever reaches 1 / alpha with probability alpha at most (Ville 1939; Waudby-Smith and Ramdas 2024; Podkopaev and Ramdas 2022). With `limit` each start has the part 1, and they begin anew when they are worth it:
    the mean number of windows with rows until then is `limit` at least (Shiryaev and Roberts; Shin, Ramdas and Rinaldo 2024).
    """
    worth, first = np.full(there.shape, np.nan), np.zeros(there.shape, np.int64)
    held, since = np.full((*there.shape[:-1], gains.shape[-1]), -np.inf), np.zeros(there.shape[:-1], np.int64)
    for at in range(there.shape[-1]):
        part = np.where(there[..., at], 0.0 if limit is not None else -np.log((at + 1.0) * (at + 2.0)), -np.inf)
        held = np.logaddexp(held, part[..., None]) + gains[..., at, :]
        worth[..., at], first[..., at] = logsumexp(held, axis=-1) - np.log(gains.shape[-1]), since
        since = np.where(np.isneginf(gains[..., at, :]).all(axis=-1), at + 1, since)
        if limit is not None:
            over = worth[..., at] >= np.log(limit)
            held[over], since = -np.inf, np.where(over, at + 1, since)
    return Bets(worth, first)


def started(gains: Floats, there: Flags) -> int:
    """The window with which the change most likely began, of windows (n, bets) until the one in which it is found: the start from which bets are worth most, among windows with rows (n,)."""
    after = np.cumsum(gains[::-1], axis=0)[::-1]
    return int(np.argmax(np.where(there, logsumexp(after, axis=-1), -np.inf)))


def harms(measure: Spec[Any, Any] | None) -> bool:
    """Whether a measure is that of harmful change."""
    return measure is not None and measure.evidence is Harm


def _settle(params: HarmfulParams, contract: Contract) -> HarmfulParams:
    lengths = {name: duration.text(duration.parse(text)) for name in ("wait", "arl") if (text := getattr(params, name)) is not None}
    try:
        of = params.harmed
    except msgspec.ValidationError as error:
        raise ConfigError(f"`params.of`: {error}", remedy=f"write `of: {WRONG}`") from None
    unit_loss.checked(of, contract)
    return msgspec.structs.replace(params, **lengths)


SPEC: Spec[Any, HarmfulParams] = Spec(
    about=Measure(
        name="change.harmful",
        title="Harmful change",
        formula="what bets against the usual risk are worth, over 2 / alpha",
        unit="of its limit",
        better=-1,
        compares=True,
        tasks=(Task.BINARY, Task.MULTICLASS),
        requires=(Need.LABELS,),
        own_limit=1.0,
    ),
    evidence=Harm,
    no_value=NO_REFERENCE,
    params=HarmfulParams,
    settle=_settle,
    wait=lambda params: duration.parse(params.wait),
    sequential=True,
)
