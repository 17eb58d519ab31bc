"""scikit-learn's histogram boosting on one worker, grown in parts: each continues the one before.

The parts make no difference to the model. Each costs a new binning of the rows and a prediction for all of them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from modelyard_runtime.training.shares import Progress, own_rows

_TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


def grow_histograms(config: dict[str, Any]) -> bytes:
    """What runs on the one worker."""
    import skops.io

    rows, target, _, _ = own_rows(config)
    model, total, progress = config["model"], config["rounds"], Progress.of(config)
    if progress.grown:
        model = read_histograms(progress.grown)
    for part in progress.parts(total, joined=True):
        done = progress.done + part
        model.set_params(max_iter=done, warm_start=True)
        model.fit(rows, target)
        ended = model.n_iter_ < done  # it stopped by itself, and one round more would be one too many
        if ended or done == total:
            model.set_params(max_iter=total, warm_start=False)
        progress.moved(total if ended else done, total, partial(skops.io.dumps, model))
        if ended:
            break
    written: bytes = skops.io.dumps(model)
    return written


def read_histograms(grown: bytes) -> Any:
    """The estimator from its bytes, which hold data alone."""
    import skops.io

    return skops.io.loads(grown, trusted=_TRUSTED)
