"""Monthly cost budgets."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_gcp import billing

from .alarms import mail_channels
from .project import Project

_LABEL = "modelyard-system"
_MOST_ADDRESSES = 5
"""The maximum number of notification channels per budget.

Source: https://docs.cloud.google.com/billing/docs/reference/budget/rest/v1/billingAccounts.budgets, 2026-11-27.
"""


class Budget(pulumi.ComponentResource):
    """A monthly budget for everything in the project that has the system's label.

    It sends mail at 80% and 100% of the limit, and when the month's forecast exceeds it, but doesn't stop anything.

    With `every_project`, it covers all projects of the billing account, for a system that uses several. The billing
    account defaults to the project's own, and its currency must be `currency`.
    """

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        billing_account: str = "",
        monthly: int,
        system: str,
        emails: Sequence[str],
        currency: str = "USD",
        every_project: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:Budget", name, None, project.options(opts))
        if not 0 < len(emails) <= _MOST_ADDRESSES:
            raise pulumi.RunError(f"{name}: a budget notifies 1 to {_MOST_ADDRESSES} addresses, not {len(emails)}")
        within = pulumi.ResourceOptions(parent=self, depends_on=list(project.ready))
        channels = mail_channels(f"{name}-budget", emails, project=project, opts=within)
        billing.Budget(
            name,
            billing.BudgetArgs(
                billing_account=billing_account or project.billing_account,
                display_name=name,
                amount=billing.BudgetAmountArgs(
                    specified_amount=billing.BudgetAmountSpecifiedAmountArgs(
                        currency_code=currency,
                        units=str(monthly),  # the API expects a string here
                    )
                ),
                budget_filter=billing.BudgetBudgetFilterArgs(
                    projects=None if every_project else [pulumi.Output.concat("projects/", project.number)],
                    labels={_LABEL: system},
                    calendar_period="MONTH",
                ),
                threshold_rules=[
                    billing.BudgetThresholdRuleArgs(threshold_percent=part, spend_basis=basis)
                    for basis, part in (("CURRENT_SPEND", 0.8), ("CURRENT_SPEND", 1.0), ("FORECASTED_SPEND", 1.0))
                ],
                all_updates_rule=billing.BudgetAllUpdatesRuleArgs(monitoring_notification_channels=channels),
            ),
            within,
        )
        self.register_outputs({})
