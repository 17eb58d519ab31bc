"""Monthly cost budgets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pulumi
from pulumi_azure_native import consumption

from .group import ResourceGroup

_MOST_ADDRESSES = 50
"""Source: https://learn.microsoft.com/en-us/rest/api/consumption/budgets/create-or-update, 2026-11-27."""

_THRESHOLDS = (("spent80", "Actual", 80), ("spent", "Actual", 100), ("forecast", "Forecasted", 100))


class Budget(pulumi.ComponentResource):
    """A monthly budget for everything in the system's resource groups.

    It sends mail at 80% and 100% of the limit, and when the month's forecast exceeds it, but doesn't stop anything.

    It covers the resource group, the group of its nodes, and the other `groups` in the same subscription. It uses the
    subscription's currency, which the program can't choose.
    """

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        monthly: int,
        emails: Sequence[str],
        groups: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not 0 < len(emails) <= _MOST_ADDRESSES:
            raise pulumi.RunError(f"{name}: a budget notifies 1 to {_MOST_ADDRESSES} addresses, not {len(emails)}")
        super().__init__("modelyard:azure:Budget", name, None, group.options(opts))
        consumption.Budget(
            name,
            consumption.BudgetArgs(
                scope=f"/subscriptions/{group.subscription}",
                amount=monthly,
                category="Cost",
                time_grain="Monthly",
                time_period=consumption.BudgetTimePeriodArgs(start_date=_this_month()),
                filter=consumption.BudgetFilterArgs(
                    dimensions=consumption.BudgetComparisonExpressionArgs(
                        name="ResourceGroupName",
                        operator="In",
                        values=list(dict.fromkeys([group.group_name, group.node_group_name, *groups])),
                    )
                ),
                notifications={
                    title: consumption.NotificationArgs(
                        enabled=True,
                        operator="GreaterThanOrEqualTo",
                        threshold=percent,
                        threshold_type=kind,
                        contact_emails=list(emails),
                    )
                    for title, kind, percent in _THRESHOLDS
                },
            ),
            # keep the month in which the budget was created; a new value would be a change every month
            pulumi.ResourceOptions(parent=self, ignore_changes=["timePeriod"]),
        )
        self.register_outputs({})


def _this_month() -> str:
    """Return the first day of this month. A new budget can't start earlier, nor in the middle of a month."""
    now = datetime.now(UTC)
    return f"{now.year}-{now.month:02}-01T00:00:00Z"
