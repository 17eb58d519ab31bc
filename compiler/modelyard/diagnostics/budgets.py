"""Diagnostics about budgets."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def budget_exceeded(span: Span, budget: str, monthly: str) -> Diagnostic:
    """The system's fixed machine costs exceed the budget.

    On your own cluster, every machine that the system needs at its maximum size counts, because it has to exist anyway.
    In a cloud, only the machines that always run count: the cluster itself, and endpoints at their minimum size.
    `onExceed: block` makes this an error.

    Wrong:

        governance: {budget: {monthly: 500 USD, onExceed: block}, …}
        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi, price: 0.40 USD}], …}

    Right:

        governance: {budget: {monthly: 900 USD, onExceed: block}, …}
    """
    message = f"the budget is {budget} a month, but the system's machines cost {monthly}"
    return Diagnostic("E0513", Severity.ERROR, message, span, "reduce the number of replicas and workers")


def budget_would_be_exceeded(span: Span, budget: str, monthly: str) -> Diagnostic:
    """The system's fixed machine costs exceed the budget, as in E0513.

    `onExceed: warn`, the default, makes this a warning.

    Wrong:

        governance: {budget: {monthly: 500 USD}, …}

    Right:

        governance: {budget: {monthly: 900 USD}, …}
    """
    message = f"the budget is {budget} a month, but the system's machines cost {monthly}"
    return Diagnostic("W0513", Severity.WARNING, message, span, "reduce the number of replicas and workers")


def budget_may_be_exceeded(span: Span, budget: str, sure: str, most: str) -> Diagnostic:
    """Cloud machines would exceed the budget if the system ran at its maximum size all month.

    This counts endpoints with all their replicas, and runs that use their full timeout with all their workers. The
    fixed costs are within the budget, so this is a warning regardless of `onExceed`. If spending reaches the budget,
    the budget alert in the cloud account fires.

    Wrong:

        governance: {budget: {monthly: 2000 USD}, …}
        inference: {scorer: {replicas: {min: 2, max: 60}, …}}

    Right:

        inference: {scorer: {replicas: {min: 2, max: 6}, …}}
    """
    return Diagnostic(
        "W0516",
        Severity.WARNING,
        f"the budget is {budget} a month; machines cost at least {sure}, and {most} if everything runs at maximum size"
        " all month",
        span,
        "lower the maximum replicas and workers, or shorten the run timeouts",
    )


def budget_without_price(span: Span, target: str, reason: str) -> Diagnostic:
    """A budget can be checked only if machine prices are known.

    For your own cluster, declare the price per machine-hour in the budget's currency.

    Wrong:

        governance: {budget: {monthly: 900 USD}, …}
        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi}], …}

    Right:

        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi, price: 0.40 USD}], …}
    """
    return Diagnostic(
        "E0514",
        Severity.ERROR,
        f"the budget cannot be checked on target {quote(target)}: {reason}",
        span,
        "declare `capacity[].price`, or remove `governance.budget`",
    )
