"""Trains scikit-learn's histogram boosting on one worker in parts, each continuing the previous one.

Splitting the training into parts doesn't change the model. Each part bins the rows again and predicts all of them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from modelyard_runtime.training.shares import Progress, own_rows

_TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


def grow_histograms(config: dict[str, Any]) -> bytes:
    """Train the model on a single worker."""
    import skops.io

    rows, target, _, _ = own_rows(config)
    model, total, progress = config["model"], config["rounds"], Progress.of(config)
    if progress.grown:
        model = read_histograms(progress.grown)
    for part in progress.parts(total, joined=True):
        rounds_done = progress.done + part
        model.set_params(max_iter=rounds_done, warm_start=True)
        model.fit(rows, target)
        ended = model.n_iter_ < rounds_done  # training stopped early, so another round would be too many
        if ended or rounds_done == total:
            model.set_params(max_iter=total, warm_start=False)
        progress.moved(total if ended else rounds_done, total, partial(skops.io.dumps, model))
        if ended:
            break
    content: bytes = skops.io.dumps(model)
    return content


def read_histograms(grown: bytes) -> Any:
    """Restore the estimator from its bytes, which contain only data."""
    import skops.io

    return skops.io.loads(grown, trusted=_TRUSTED)
