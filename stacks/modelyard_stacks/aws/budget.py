"""Monthly cost budgets."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import budgets

from .account import Account

_MOST_ADDRESSES = 10
"""The maximum number of addresses per notification.

Source:
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_NotificationWithSubscribers.html,
2026-11-24.
"""


class Budget(pulumi.ComponentResource):
    """A monthly budget for all resources with the system's tag.

    It sends mail at 80% and 100% of the limit, and when the month's forecast exceeds the limit. AWS only counts by this
    tag once `modelyard:system` has been activated for cost allocation. The paying account can do that (Billing, Cost
    allocation tags) one day after the first resource was tagged.
    """

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        monthly_usd: int,
        system: str,
        emails: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:Budget", name, None, account.options(opts))
        if not 0 < len(emails) <= _MOST_ADDRESSES:
            raise pulumi.RunError(f"{name}: a budget notifies 1 to {_MOST_ADDRESSES} addresses, not {len(emails)}")
        budgets.Budget(
            name,
            budgets.BudgetArgs(
                budget_type="COST",
                time_unit="MONTHLY",
                limit_amount=str(monthly_usd),  # the API expects a string here
                limit_unit="USD",
                cost_filters=[
                    # https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create-filters.html
                    budgets.BudgetCostFilterArgs(name="TagKeyValue", values=[f"user:modelyard:system${system}"])
                ],
                notifications=[
                    _notification(kind, percent, emails)
                    for kind, percent in (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
                ],
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _notification(kind: str, percent: int, emails: Sequence[str]) -> budgets.BudgetNotificationArgs:
    return budgets.BudgetNotificationArgs(
        notification_type=kind,
        comparison_operator="GREATER_THAN",
        threshold=percent,
        threshold_type="PERCENTAGE",
        subscriber_email_addresses=list(emails),
    )
