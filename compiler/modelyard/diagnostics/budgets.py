"""Diagnostics about budgets."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def budget_exceeded(span: Span, budget: str, monthly: str) -> Diagnostic:
    """The machines that have to be paid for cost more than the budget allows.

    On a cluster of your own those are all that are needed when everything runs at its largest, since they have to be
    there; in a cloud those that never go away: endpoints at their smallest, and what the cluster itself takes.
    `onExceed: block` makes it an error.

    Wrong:

        governance: {budget: {monthly: 500 USD, onExceed: block}, …}
        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi, price: 0.40 USD}], …}

    Right:

        governance: {budget: {monthly: 900 USD, onExceed: block}, …}
    """
    message = f"the budget is {budget} a month, and the system needs machines for {monthly}"
    return Diagnostic("E0513", Severity.ERROR, message, span, "lower the numbers of replicas and workers")


def budget_would_be_exceeded(span: Span, budget: str, monthly: str) -> Diagnostic:
    """The machines that have to be paid for cost more than the budget allows, as for E0513.

    `onExceed: warn`, which is the default, makes it a warning.

    Wrong:

        governance: {budget: {monthly: 500 USD}, …}

    Right:

        governance: {budget: {monthly: 900 USD}, …}
    """
    message = f"the budget is {budget} a month, and the system needs machines for {monthly}"
    return Diagnostic("W0513", Severity.WARNING, message, span, "lower the numbers of replicas and workers")


def budget_may_be_exceeded(span: Span, budget: str, sure: str, most: str) -> Diagnostic:
    """A cloud's machines cost more than the budget allows if the system is at its largest all month.

    Counted are endpoints with all their replicas, and runs that take all of their time with all of their workers. What
    is paid for in any case lies within the budget, so this is a warning, whatever `onExceed` says; the budget that is
    made in the account tells when it comes so far.

    Wrong:

        governance: {budget: {monthly: 2000 USD}, …}
        inference: {scorer: {replicas: {min: 2, max: 60}, …}}

    Right:

        inference: {scorer: {replicas: {min: 2, max: 6}, …}}
    """
    return Diagnostic(
        "W0516",
        Severity.WARNING,
        f"the budget is {budget} a month; the system needs machines for {sure}, and for {most} if all of it is at its "
        "largest all the time",
        span,
        "lower the largest numbers of replicas and workers, or the timeouts of runs",
    )


def budget_without_price(span: Span, target: str, why: str) -> Diagnostic:
    """A budget can be kept only where it is known what the machines cost.

    On a cluster of your own nobody else knows it: say what one machine-hour costs, in the currency of the budget.

    Wrong:

        governance: {budget: {monthly: 900 USD}, …}
        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi}], …}

    Right:

        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi, price: 0.40 USD}], …}
    """
    return Diagnostic(
        "E0514",
        Severity.ERROR,
        f"the budget cannot be kept on target {quote(target)}: {why}",
        span,
        "declare `capacity[].price`, or remove `governance.budget`",
    )
