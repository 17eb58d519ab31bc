"""What is told about metrics: E0435 to E0437, E0488 and W0448."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span

_WHOLE = 100


def metric_unknown(span: Span, metric: str, known: Iterable[str], where: str) -> Diagnostic:
    """A metric is named that is not built in, and no code of yours could report it.

    A training function of yours may report any metric; a built-in trainer reports those of its task.

    Wrong:

        models: {fraud: {validation: {gate: {metric: auc_rp, min: 0.8}}, …}}

    Right:

        models: {fraud: {validation: {gate: {metric: auc_pr, min: 0.8}}, …}}
    """
    return Diagnostic(
        "E0435",
        Severity.ERROR,
        f"nothing reports the metric {quote(metric)} {where}",
        span,
        nearest(metric, known, "did you mean {}?") or f"choose one of {', '.join(known)}",
    )


def metric_of_other_task(span: Span, metric: str, task: str, fitting: Sequence[str]) -> Diagnostic:
    """A metric is named that has no meaning for the model's task.

    Wrong:

        models: {fraud: {task: binary-classification, validation: {gate: {metric: rmse, max: 0.2}}, …}}

    Right:

        models: {fraud: {task: binary-classification, validation: {gate: {metric: auc_pr, min: 0.8}}, …}}
    """
    return Diagnostic(
        "E0436",
        Severity.ERROR,
        f"{quote(metric)} has no meaning for {task}",
        span,
        f"choose one of {', '.join(fitting)}",
    )


def goal_against_metric(span: Span, metric: str, goal: str) -> Diagnostic:
    """The search looks for the worst model.

    Wrong:

        tuning: {objective: {metric: rmse, goal: maximize}, …}

    Right:

        tuning: {objective: {metric: rmse, goal: minimize}, …}
    """
    other = "minimize" if goal == "maximize" else "maximize"
    better = "smaller" if other == "minimize" else "larger"
    return Diagnostic(
        "E0437", Severity.ERROR, f"{quote(metric)} is better when it is {better}", span, f"write goal: {other}"
    )


def bound_out_of_reach(span: Span, metric: str, bound: float) -> Diagnostic:
    """A lower bound that the metric never reaches: no model would ever be promoted, and a monitor would never be quiet.

    Shares, areas under curves and r2 are 1 at most.

    Wrong:

        validation: {auc: {metric: auc_roc, min: 85}}

    Right:

        validation: {auc: {metric: auc_roc, min: 0.85}}
    """
    hint = f"write {bound / 100:g} for {bound:g}%" if bound <= _WHOLE else "write a number below 1"
    return Diagnostic("E0488", Severity.ERROR, f"{quote(metric)} is 1 at most, never {bound:g}", span, hint)


def bound_in_wrong_direction(span: Span, metric: str, bound: str) -> Diagnostic:
    """The only bound of a check passes models for being bad, or has a monitor raise alarm because all is well.

    Wrong:

        validation: {error: {metric: rmse, min: 0.2}}

    Right:

        validation: {error: {metric: rmse, max: 0.2}}
    """
    other = "max" if bound == "min" else "min"
    better = "smaller" if other == "max" else "larger"
    return Diagnostic(
        "W0448",
        Severity.WARNING,
        f"{quote(metric)} is better when it is {better}, and its only bound is {bound}",
        span,
        f"did you mean {other}?",
    )
