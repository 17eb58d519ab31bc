"""Ranking metrics, computed per query and averaged over all queries with a relevant row.

Queries without a relevant row are skipped, since every order is equally good. Rows with equal scores in a query have no
order. For these, cumulative gain, recall and precision use the mean over all orders, as in scikit-learn's `ndcg_score`.
Average precision uses the rank of the last tied row, as in `label_ranking_average_precision_score`. Metrics therefore
never depend on the order in which rows are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]
    Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lists:
    """Rows grouped by query, highest score first. `starts` is the index of each query's first row."""

    relevance: Numbers
    scores: Numbers
    groups: Places
    starts: Places

    @classmethod
    def of(cls, truth: Numbers, scores: Numbers, groups: Places) -> Lists:
        """Sort rows by query and score, dropping queries without a relevant row and rows without a query."""
        import numpy as np

        relevant = np.unique(groups[(truth > 0) & (groups >= 0)])
        mask = np.isin(groups, relevant)
        truth, scores, groups = truth[mask], scores[mask], groups[mask]
        order = np.lexsort((-scores, groups))
        ordered = groups[order]
        return cls(truth[order], scores[order], ordered, np.flatnonzero(np.diff(ordered, prepend=-1)))

    def places(self) -> Places:
        """Return the position of each row in its query, counted from 0."""
        import numpy as np

        sizes = np.diff(self.starts, append=len(self.groups))
        positions: Places = np.arange(len(self.groups)) - np.repeat(self.starts, sizes)
        return positions

    def sums(self, values: Numbers) -> Numbers:
        """Return the sum of the values in each query."""
        import numpy as np

        totals: Numbers = np.add.reduceat(values, self.starts)
        return totals

    def ties(self) -> Places:
        """Return the index of the first row in each run of equal scores within a query."""
        import numpy as np

        changes = np.diff(self.groups, prepend=-1).astype(bool) | (np.diff(self.scores, prepend=np.nan) != 0)
        return np.flatnonzero(changes)

    def expected(self, values: Numbers) -> Numbers:
        """Replace each value with the mean over rows with the same query and score."""
        return _mean_of_runs(values, self.ties())


def mean_of_queries(metric: str, at: int, truth: Numbers, scores: Numbers, groups: Places) -> float:
    """Average a metric over all queries with a relevant row. Raises Refusal if there are none."""
    import numpy as np

    if not np.isfinite(scores).all():
        return float("nan")
    lists = Lists.of(truth, scores, groups)
    if not len(lists.groups):
        raise Refusal("it needs at least one query with a relevant row")
    return float(RANK_METRICS[metric](lists, at or len(lists.groups)).mean())


def expected_hits(hits: Numbers, scores: Numbers) -> Numbers:
    """Return the share of hits among rows with the same score, given rows sorted by score."""
    import numpy as np

    return _mean_of_runs(hits, np.flatnonzero(np.diff(scores, prepend=np.nan) != 0))


def _mean_of_runs(values: Numbers, starts: Places) -> Numbers:
    import numpy as np

    sizes = np.diff(starts, append=len(values))
    means: Numbers = np.repeat(np.add.reduceat(values, starts) / sizes, sizes)
    return means


def _ndcg(lists: Lists, first: int) -> Numbers:
    import numpy as np

    places = lists.places()
    discount = np.where(places < first, 1 / np.log2(places + 2), 0.0)
    ideal = lists.relevance[np.lexsort((-lists.relevance, lists.groups))]
    return lists.sums(lists.expected(lists.relevance) * discount) / lists.sums(ideal * discount)


def _average_precision(lists: Lists, _first: int) -> Numbers:
    hits = (lists.relevance > 0).astype(float)
    ranks, hits_so_far = _to_end_of_ties(lists, hits)
    return lists.sums(hits * hits_so_far / ranks) / lists.sums(hits)


def _reciprocal_rank(lists: Lists, _first: int) -> Numbers:
    """Compute the reciprocal rank, placing relevant rows last among equal scores."""
    import numpy as np

    hits = (lists.relevance > 0).astype(float)
    starts = lists.ties()
    sizes, relevant = np.diff(starts, append=len(hits)), np.add.reduceat(hits, starts)
    first = np.where(relevant > 0, 1 / (lists.places()[starts] + sizes - relevant + 1), 0.0)
    best: Numbers = np.maximum.reduceat(np.repeat(first, sizes), lists.starts)
    return best


def _recall(lists: Lists, first: int) -> Numbers:
    hits = (lists.relevance > 0).astype(float)
    return lists.sums(lists.expected(hits) * (lists.places() < first)) / lists.sums(hits)


def _precision(lists: Lists, first: int) -> Numbers:
    hits = (lists.relevance > 0).astype(float)
    return lists.sums(lists.expected(hits) * (lists.places() < first)) / first


def _to_end_of_ties(lists: Lists, hits: Numbers) -> tuple[Places, Numbers]:
    """For each row, return the rank of the last row with the same score and the query's hits up to that rank."""
    import numpy as np

    starts = lists.ties()
    sizes = np.diff(starts, append=len(hits))
    last = np.repeat(starts + sizes - 1, sizes)
    hits_so_far = np.cumsum(hits)
    before = np.repeat(hits_so_far[lists.starts] - hits[lists.starts], np.diff(lists.starts, append=len(hits)))
    return lists.places()[last] + 1, hits_so_far[last] - before


RANK_METRICS: Mapping[str, Callable[[Lists, int], Numbers]] = {
    "ndcg": _ndcg,
    "ndcg_at_K": _ndcg,
    "map": _average_precision,
    "mrr": _reciprocal_rank,
    "recall_at_K": _recall,
    "precision_at_K": _precision,
}
