"""Diagnostics about metrics: E0435 to E0437, E0488, W0448, E0816 to E0819 and E0849."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span

_WHOLE = 100
_NEAR_ONE = 2
_SMALL = 10


def metric_unknown(span: Span, metric: str, known: Iterable[str], place: str) -> Diagnostic:
    """A metric is not built in, and none of your code could report it.

    Your own training function may report any metric. A built-in trainer reports only the metrics of its task.

    Wrong:

        models: {fraud: {validation: {gate: {metric: auc_rp, min: 0.8}}, …}}

    Right:

        models: {fraud: {validation: {gate: {metric: auc_pr, min: 0.8}}, …}}
    """
    return Diagnostic(
        "E0435",
        Severity.ERROR,
        f"unknown metric {quote(metric)} {place}",
        span,
        nearest(metric, known, "did you mean {}?") or f"choose one of {', '.join(known)}",
    )


def metric_of_other_task(span: Span, metric: str, task: str, fitting: Sequence[str]) -> Diagnostic:
    """A metric does not apply to the model's task.

    Wrong:

        models: {fraud: {task: binary-classification, validation: {gate: {metric: rmse, max: 0.2}}, …}}

    Right:

        models: {fraud: {task: binary-classification, validation: {gate: {metric: auc_pr, min: 0.8}}, …}}
    """
    return Diagnostic(
        "E0436",
        Severity.ERROR,
        f"metric {quote(metric)} does not apply to {task}",
        span,
        f"choose one of {', '.join(fitting)}" if fitting else "remove it: this task has no metrics",
    )


def goal_against_metric(span: Span, metric: str, goal: str) -> Diagnostic:
    """The goal is the opposite of what the metric needs, so the search looks for the worst model.

    Wrong:

        tuning: {objective: {metric: rmse, goal: maximize}, …}

    Right:

        tuning: {objective: {metric: rmse, goal: minimize}, …}
    """
    opposite = "minimize" if goal == "maximize" else "maximize"
    better = "smaller" if opposite == "minimize" else "larger"
    return Diagnostic(
        "E0437",
        Severity.ERROR,
        f"{better} values of {quote(metric)} are better, so this searches for the worst model",
        span,
        f"use `goal: {opposite}`",
    )


def bound_out_of_reach(span: Span, metric: str, bound: float) -> Diagnostic:
    """A metric can never reach this lower bound, so no model would be promoted, or a monitor would always alert.

    Rates, areas under curves and r2 are at most 1.

    Wrong:

        validation: {auc: {metric: auc_roc, min: 85}}

    Right:

        validation: {auc: {metric: auc_roc, min: 0.85}}
    """
    hint = f"write {bound / 100:g} for {bound:g}%" if _may_be_percentage(bound) else "use a value up to 1"
    return Diagnostic(
        "E0488",
        Severity.ERROR,
        f"{quote(metric)} is at most 1, so a bound of {bound:g} can never be reached",
        span,
        hint,
    )


def _may_be_percentage(bound: float) -> bool:
    """Return whether a bound may be a percentage rather than a typo near 1, such as 1.75 for 0.75."""
    is_near_one = bound <= _NEAR_ONE or (bound < _SMALL and not float(bound).is_integer())
    return bound <= _WHOLE and not is_near_one


def bound_in_wrong_direction(span: Span, metric: str, bound: str) -> Diagnostic:
    """A check's only bound passes bad models, or makes a monitor alert when all is well.

    Wrong:

        validation: {error: {metric: rmse, min: 0.2}}

    Right:

        validation: {error: {metric: rmse, max: 0.2}}
    """
    opposite = "max" if bound == "min" else "min"
    better = "smaller" if opposite == "max" else "larger"
    return Diagnostic(
        "W0448",
        Severity.WARNING,
        f"{better} values of {quote(metric)} are better, but the only bound is `{bound}`",
        span,
        f"did you mean `{opposite}`?",
    )


def bound_outside_range(span: Span, metric: str, field: str, bound: float, low: float, high: float) -> Diagnostic:
    """A bound is outside the metric's range, so the check always passes or always fails.

    Often the number was meant as a percentage: 5% is 0.05.

    Wrong:

        monitors: {errors: {type: performance, checks: {error_rate: {max: 5}}, …}}

    Right:

        monitors: {errors: {type: performance, checks: {error_rate: {max: 0.05}}, …}}
    """
    values = f"between {low:g} and {high:g}" if low > -inf and high < inf else f"at {'most' if high < inf else 'least'}"
    limit = "" if low > -inf and high < inf else f" {high if high < inf else low:g}"
    percentage = high <= 2 and 2 < bound <= _WHOLE
    return Diagnostic(
        "E0816",
        Severity.ERROR,
        f"{quote(metric)} is always {values}{limit}, so `{field}: {bound:g}` {_effect(field, bound < low)}",
        span,
        f"write {bound / 100:g} for {bound:g}%" if percentage else "choose a bound within this range",
    )


def _effect(field: str, below: bool) -> str:
    return "always fails" if (field == "max") == below else "always passes"


def bound_without_effect(span: Span, metric: str, field: str, bound: float) -> Diagnostic:
    """A check's only bound is the limit of the metric itself, so the check always passes.

    A gate with such a check never rejects a model, and a monitor never reports a breach.

    Wrong:

        validation: {auc: {metric: auc_roc, min: 0}}

    Right:

        validation: {auc: {metric: auc_roc, min: 0.8}}
    """
    return Diagnostic(
        "W0817",
        Severity.WARNING,
        f"{quote(metric)} is never {'below' if field == 'min' else 'above'} {bound:g}, so this check always passes",
        span,
        f"set a {'larger' if field == 'min' else 'smaller'} `{field}`",
    )


def bound_in_other_unit(span: Span, metric: str, bound: float, unit: str, better: str) -> Diagnostic:
    """A bound is possible for its metric, but seems to be in the wrong unit.

    Latencies are in milliseconds. Relative errors (mape, wape, smape) are fractions, not percentages.

    Wrong:

        monitors: {speed: {type: performance, checks: {p99_ms: {max: 0.2}}, …}}

    Right:

        monitors: {speed: {type: performance, checks: {p99_ms: {max: 200}}, …}}
    """
    return Diagnostic(
        "W0818",
        Severity.WARNING,
        f"{quote(metric)} is {unit}, so a bound of {bound:g} is unlikely",
        span,
        f"did you mean {better}?",
    )


def own_metric_compared(span: Span, metric: str, model: str, field: str, known: Sequence[str]) -> Diagnostic:
    """A gate compares a metric from your own code with the champion, or computes it on another dataset.

    Your code reports the metric once, for the model that it has trained. Only built-in metrics can be computed for the
    champion or on other data.

    Wrong:

        models: {claims: {validation: {better: {metric: f1_macro, versus: champion}}, …}}

    Right:

        models: {claims: {validation: {good: {metric: f1_macro, min: 0.7}, better: {metric: f1, versus: champion}}, …}}
    """
    return Diagnostic(
        "E0819",
        Severity.ERROR,
        f"the gate of model {quote(model)} cannot use `{field}` with {quote(metric)}, which only your code computes",
        span,
        f"use `min` or `max`, or choose one of {', '.join(known)}",
    )


def delta_out_of_reach(span: Span, metric: str, delta: float, width: float) -> Diagnostic:
    """A new version must beat the champion by more than the metric's whole range.

    The first version is promoted, but no later one ever is.

    Wrong:

        validation: {better: {metric: auc_pr, versus: champion, minDelta: 1}}

    Right:

        validation: {better: {metric: auc_pr, versus: champion, minDelta: 0.01}}
    """
    return Diagnostic(
        "E0849",
        Severity.ERROR,
        f"values of {quote(metric)} never differ by {width:g} or more, but `minDelta` is {delta:g}",
        span,
        f"write {delta / 100:g} for {delta:g}%" if delta <= _WHOLE else "choose a smaller `minDelta`",
    )
