"""Tests that ranking metrics are means over queries and that a split keeps each query's rows together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.metrics.scores import Predictions, score
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.boosting import parameters_of
from modelyard_runtime.training.splits import split_rows
from modelyard_runtime.training.together import Keeper, trains_together
from modelyard_runtime.workload.records import Split, Step
from tests.runtime.described import record

TRUTH = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 0.0])
SAID = Predictions(np.array([3.0, 2.0, 5.0, 1.0, 7.0, 6.0]))
QUERIES = np.array([0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize(
    ("metric", "value"), [("ndcg", (1 / np.log2(3) + 1) / 2), ("map", 0.75), ("recall_at_10", 1.0)]
)
def test_metric_is_the_mean_over_queries_with_relevant_rows(metric: str, value: float) -> None:
    """The relevant row ranks second in the first query and first in the second. The third query has none."""
    assert score(metric, TRUTH, SAID, QUERIES) == pytest.approx(value)


def test_metrics_do_not_depend_on_row_order() -> None:
    order = np.random.default_rng(0).permutation(6)

    mixed = score("ndcg", TRUTH[order], Predictions(SAID.values[order]), QUERIES[order])

    assert mixed == pytest.approx(score("ndcg", TRUTH, SAID, QUERIES))


def test_ranking_metrics_need_queries() -> None:
    with pytest.raises(Refusal, match="needs the query of each row"):
        score("ndcg", TRUTH, SAID)


@pytest.mark.parametrize("by", ["random", "time"])
def test_a_split_keeps_queries_whole(by: str) -> None:
    """A fifth of the queries are held out. A split by time holds out the newest ones."""
    frame = pd.DataFrame({"__group": np.tile(np.arange(10), 3), "__time": np.tile(np.arange(10)[::-1], 3)})

    train, held_out = split_rows(frame, record(Split, {"fraction": 0.2, "by": by, "seed": 1}))

    assert not set(train["__group"]) & set(held_out["__group"])
    assert (len(train), len(held_out)) == (24, 6)
    assert by == "random" or set(held_out["__group"]) == {0, 1}
    assert train["__group"].is_monotonic_increasing


def test_only_boosted_trees_use_several_workers() -> None:
    def step(trainer: str, most: int) -> dict[str, Any]:
        return {"trainer": trainer, "workers": {"min": 1, "max": most}}

    assert [
        trains_together(record(Step, step(*arguments)))
        for arguments in (("xgboost", 2), ("xgboost", 1), ("scikit-learn", 2))
    ] == [
        True,
        False,
        False,
    ]


def test_the_newest_trees_are_kept() -> None:
    keeper = Keeper()
    assert keeper.rounds() == 0
    for rounds in range(1, 6):
        keeper.keep(rounds, str(rounds).encode())

    assert (keeper.rounds(), keeper.model(3)) == (5, b"3")
    with pytest.raises(KeyError):
        keeper.model(2)


def test_early_stopping_is_refused() -> None:
    import xgboost

    with pytest.raises(Refusal, match="early_stopping_rounds"):
        parameters_of("xgboost", "regression", xgboost.XGBRegressor(early_stopping_rounds=3), 0, 1)
