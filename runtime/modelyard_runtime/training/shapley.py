"""Estimates the Shapley values of any model from its predictions.

In several background rows, features are set to the values of the explained row one at a time, in a random order and in
the reverse order. A feature's contribution is the resulting change in the prediction. The contributions for a row add
up exactly to its prediction minus the mean prediction for the background.

Source: E. Štrumbelj and I. Kononenko, Explaining prediction models and individual predictions with feature
contributions, Knowledge and Information Systems 2014.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]

ANSWERS_A_ROW = 2000
"""The approximate number of predictions per explained row, which hundreds of features would exceed."""

_FEWEST, _MOST = 8, 100  # the number of background rows
_MOST_CELLS = 4_000_000  # the maximum number of cells per call of the model


def shapley(
    predict: Callable[[pd.DataFrame], Numbers], rows: pd.DataFrame, pool: pd.DataFrame, seed: int
) -> tuple[Numbers, Numbers]:
    """Return contributions by row, output and feature, and mean outputs for background rows sampled from `pool`.

    `predict` receives frames with the same columns as `rows` and `pool`, and returns an array with the outputs for each
    row.
    """
    import numpy as np
    import pandas as pd

    random, width = np.random.default_rng(seed), len(rows.columns)
    count = min(max(ANSWERS_A_ROW // (2 * width), _FEWEST), _MOST, len(pool))
    background = pool.iloc[random.permutation(len(pool))[:count]]
    base = predict(background)
    contributions = np.zeros((len(rows), base.shape[1], width))
    orders = [random.permutation(width) for _ in range(count)]
    walks = [(place, path) for place, order in enumerate(orders) for path in (order, order[::-1])]
    at_once = max(_MOST_CELLS // width**2, 1)
    for start in range(0, len(rows), at_once):
        part = rows.iloc[start : start + at_once]
        walks_at_once = max(at_once // len(part), 1)
        for first in range(0, len(walks), walks_at_once):
            batch = walks[first : first + walks_at_once]
            frames = [_walk(part, background.iloc[[place]], path) for place, path in batch]
            answers = predict(pd.concat(frames, ignore_index=True)).reshape(len(batch), width, len(part), -1)
            for (place, path), steps in zip(batch, answers, strict=True):
                gained = np.diff(steps, axis=0, prepend=np.broadcast_to(base[place], (1, *steps.shape[1:])))
                contributions[start : start + at_once, :, path] += gained.transpose(1, 2, 0)
    return contributions / len(walks), base.mean(axis=0)


def _walk(rows: pd.DataFrame, begin: pd.DataFrame, path: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return the rows after each step, using the explained row's values for visited features and `begin` otherwise."""
    import numpy as np
    import pandas as pd

    steps, columns = np.arange(len(path))[:, None], {}
    for step, index in enumerate(path):
        name = rows.columns[index]
        columns[name] = np.where(steps >= step, rows[name].to_numpy(), begin[name].to_numpy()).ravel()
    return pd.DataFrame(columns, columns=rows.columns)
