"""Diagnostics about budgets."""

from __future__ import annotations

from typing import Final

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span

_HINT: Final = "see the breakdown in `modelyard cost`, and reduce replicas, workers or redundancy"


def budget_exceeded(span: Span, budget: str, floor: str, note: str = "") -> Diagnostic:
    """The system costs more than its budget even if nothing is used.

    On your own cluster, this counts every machine that the system needs at its maximum size, because it has to exist
    anyway. In a cloud, it counts everything that always runs: the control plane, nodes and disks at their minimum,
    databases, gateways, private endpoints, load balancers and keys. `onExceed: block` makes this an error. The message
    says how many prices are unknown or estimated from another region.

    Wrong:

        governance: {budget: {monthly: 500 USD, onExceed: block}, …}
        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi, price: 0.40 USD}], …}

    Right:

        governance: {budget: {monthly: 900 USD, onExceed: block}, …}
    """
    message = f"the budget is {budget} a month, but the system costs {floor} even if nothing is used{note}"
    return Diagnostic("E0513", Severity.ERROR, message, span, _HINT)


def budget_would_be_exceeded(span: Span, budget: str, floor: str, note: str = "") -> Diagnostic:
    """The system costs more than its budget even if nothing is used, as in E0513.

    `onExceed: warn`, the default, makes this a warning.

    Wrong:

        governance: {budget: {monthly: 500 USD}, …}

    Right:

        governance: {budget: {monthly: 900 USD}, …}
    """
    message = f"the budget is {budget} a month, but the system costs {floor} even if nothing is used{note}"
    return Diagnostic("W0513", Severity.WARNING, message, span, _HINT)


def budget_expected_to_be_exceeded(span: Span, budget: str, floor: str, expected: str, note: str = "") -> Diagnostic:
    """The system is expected to cost more than its budget.

    Without a usage file, endpoints are assumed to run at twice their minimum, runs to take a quarter of their timeout,
    and monitors to start each pipeline once a month. `modelyard cost --usage FILE` replaces these assumptions. The
    fixed costs are within the budget, so this is a warning regardless of `onExceed`.

    Wrong:

        governance: {budget: {monthly: 2000 USD}, …}
        inference: {scorer: {replicas: {min: 6, max: 60}, …}}

    Right:

        inference: {scorer: {replicas: {min: 2, max: 60}, …}}
    """
    message = (
        f"the budget is {budget} a month; the system costs {floor} even if nothing is used, and is expected to cost"
        f" {expected}{note}"
    )
    return Diagnostic("W0530", Severity.WARNING, message, span, _HINT)


def budget_may_be_exceeded(
    span: Span, budget: str, expected: str, ceiling: str, assumed: str, note: str = ""
) -> Diagnostic:
    """The system could cost more than its budget in a month at its maximum size.

    This counts endpoints with all their replicas, runs that use their full timeout with all retries and workers, runs
    that monitors start as often as their cooldown allows, and the most expensive alternative of each class at on-demand
    prices. The message names this alternative for the most expensive component. The expected costs are within the
    budget, so this is a warning regardless of `onExceed`. If spending reaches the budget, the budget alert in the cloud
    account fires. Traffic, logs and stored data have no bound in a spec.

    Wrong:

        governance: {budget: {monthly: 2000 USD}, …}
        inference: {scorer: {replicas: {min: 2, max: 60}, …}}

    Right:

        inference: {scorer: {replicas: {min: 2, max: 6}, …}}
    """
    assumption = f"; {assumed}" if assumed else ""
    return Diagnostic(
        "W0516",
        Severity.WARNING,
        f"the budget is {budget} a month; the system is expected to cost {expected}, and up to {ceiling} if everything"
        f" runs at maximum size all month{note}{assumption}",
        span,
        "lower the maximum replicas and workers, shorten timeouts, or lengthen cooldowns; see `modelyard cost`",
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
