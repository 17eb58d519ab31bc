"""Diagnostics about budgets."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def budget_exceeded(span: Span, budget: str, monthly: str) -> Diagnostic:
    """The machines that the system pays for in any case cost more than the budget allows.

    On your own cluster these are all machines that the system needs at its largest, since they have to exist; in a
    cloud, those that always run: endpoints at their smallest, and the cluster itself.
    `onExceed: block` makes it an error.

    Wrong:

        governance: {budget: {monthly: 500 USD, onExceed: block}, …}
        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi, price: 0.40 USD}], …}

    Right:

        governance: {budget: {monthly: 900 USD, onExceed: block}, …}
    """
    message = f"the budget is {budget} a month, but the system needs machines for {monthly}"
    return Diagnostic("E0513", Severity.ERROR, message, span, "reduce the numbers of replicas and workers")


def budget_would_be_exceeded(span: Span, budget: str, monthly: str) -> Diagnostic:
    """The machines that the system pays for in any case cost more than the budget allows, as for E0513.

    `onExceed: warn`, which is the default, makes it a warning.

    Wrong:

        governance: {budget: {monthly: 500 USD}, …}

    Right:

        governance: {budget: {monthly: 900 USD}, …}
    """
    message = f"the budget is {budget} a month, but the system needs machines for {monthly}"
    return Diagnostic("W0513", Severity.WARNING, message, span, "reduce the numbers of replicas and workers")


def budget_may_be_exceeded(span: Span, budget: str, sure: str, most: str) -> Diagnostic:
    """A cloud's machines would exceed the budget if the system ran at its largest all month.

    This counts endpoints with all their replicas, and runs that use their whole timeout with all their workers. The
    fixed part is within the budget, so this is a warning, whatever `onExceed` says; the budget alert in the cloud
    account fires if it comes that far.

    Wrong:

        governance: {budget: {monthly: 2000 USD}, …}
        inference: {scorer: {replicas: {min: 2, max: 60}, …}}

    Right:

        inference: {scorer: {replicas: {min: 2, max: 6}, …}}
    """
    return Diagnostic(
        "W0516",
        Severity.WARNING,
        f"the budget is {budget} a month; the system needs machines for {sure}, and for {most} if everything runs at "
        "its largest all month",
        span,
        "lower the limits of replicas and workers, or shorten the timeouts of runs",
    )


def budget_without_price(span: Span, target: str, reason: str) -> Diagnostic:
    """A budget can be checked only where the prices of the machines are known.

    For your own cluster, only you know them: declare the price of a machine-hour, in the currency of the budget.

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
