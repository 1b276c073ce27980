"""Mean errors of a regression in units of its target: bias, mean absolute error, mean squared error and its root."""

from __future__ import annotations

import numpy as np

from core.measure import Judged
from detectors.performance.losses import mean_loss, regression

MAE = mean_loss(regression("mae", "Mean absolute error", "sum |prediction - label| / n", brief="MAE", usual=True), "absolute")
RMSE = mean_loss(
    regression("rmse", "Root mean squared error", "sqrt(sum (prediction - label)^2 / n)", brief="RMSE", usual=True), "square", np.sqrt
)
MSE = mean_loss(
    regression("mse", "Mean squared error", "sum (prediction - label)^2 / n", brief="MSE", unit="target units squared"), "square"
)
BIAS = mean_loss(
    regression("bias", "Bias", "sum (prediction - label) / n", judged=Judged.WORSE, signed=True),
    "error",
)
SPECS = (MAE, RMSE, MSE, BIAS)
