"""Calls that the stand-in handles because moto does not implement them or drops part of their input."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.clouds.aws import access, clusters, own_nodes
from testbed.clouds.aws.api import Api, Own
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

_ARNS = {"addons": "addonArn", "entries": "accessEntryArn", "associations": "associationArn"}


def _tag(api: Api, wanted: Values) -> Values:
    """Tag any EKS resource by its ARN."""
    with api.store.open() as everything:
        for kind, name in _ARNS.items():
            for thing in everything.get(kind, {}).values():
                if thing.get(name) == wanted["resourceArn"]:
                    thing["tags"] = {**thing.get("tags", {}), **wanted["tags"]}
                    return {}
    return api.moto("eks", "tag_resource", wanted)


def _untag(api: Api, wanted: Values) -> Values:
    with api.store.open() as everything:
        for kind, name in _ARNS.items():
            for thing in everything.get(kind, {}).values():
                if thing.get(name) == wanted["resourceArn"]:
                    thing["tags"] = {k: v for k, v in thing.get("tags", {}).items() if k not in wanted["tagKeys"]}
                    return {}
    return api.moto("eks", "untag_resource", wanted)


def _update_budget(api: Api, wanted: Values) -> Values:
    """Recreate the budget with its notifications, because moto cannot update budgets."""
    account, budget = wanted["AccountId"], wanted["NewBudget"]
    named = {"AccountId": account, "BudgetName": budget["BudgetName"]}
    notifications = api.moto("budgets", "describe_notifications_for_budget", named)["Notifications"]
    api.moto("budgets", "delete_budget", named)
    api.moto("budgets", "create_budget", {"AccountId": account, "Budget": budget})
    for notification in notifications:
        kept = api.store.get("subscribers", _notified(budget["BudgetName"], notification)) or {}
        api.moto("budgets", "create_notification", {**named, "Notification": notification, **kept})
    return {}


def _notified(budget: str, notification: Values) -> str:
    names = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return "|".join((budget, *(str(notification.get(name)) for name in names)))


def _create_budget(api: Api, wanted: Values) -> Values:
    """Store the subscribers of notifications, which moto does not return."""
    for each in wanted.get("NotificationsWithSubscribers", ()):
        key = _notified(wanted["Budget"]["BudgetName"], each["Notification"])
        api.store.put("subscribers", key, {"Subscribers": each["Subscribers"]})
    return api.moto("budgets", "create_budget", wanted)


def _create_notification(api: Api, wanted: Values) -> Values:
    key = _notified(wanted["BudgetName"], wanted["Notification"])
    api.store.put("subscribers", key, {"Subscribers": wanted["Subscribers"]})
    return api.moto("budgets", "create_notification", wanted)


def _delete_instance(api: Api, wanted: Values) -> Values:
    """Refuse a deletion without a name for a new final snapshot, as RDS does. moto accepts any deletion.

    Source: botocore 1.44.8, rds DeleteDBInstance, read 2026-11-24.
    """
    snapshot = wanted.get("FinalDBSnapshotIdentifier")
    if not wanted.get("SkipFinalSnapshot") and not snapshot:
        raise Refused(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )
    return api.moto("rds", "delete_db_instance", wanted)


def _caller(api: Api, wanted: Values) -> Values:
    """Return a role session, as deployments have. moto returns a user that does not exist."""
    account = api.moto("sts", "get_caller_identity", wanted)["Account"]
    return {
        "Account": account,
        "Arn": f"arn:aws:sts::{account}:assumed-role/deployer/pulumi",
        "UserId": "AROALOOPBACKDEPLOYER:pulumi",
    }


OWN: Mapping[tuple[str, str], Own] = {
    **clusters.OWN,
    **own_nodes.OWN,
    **access.OWN,
    ("sts", "get_caller_identity"): _caller,
    ("eks", "tag_resource"): _tag,
    ("eks", "untag_resource"): _untag,
    ("budgets", "create_budget"): _create_budget,
    ("budgets", "create_notification"): _create_notification,
    ("budgets", "update_budget"): _update_budget,
    ("rds", "delete_db_instance"): _delete_instance,
}
