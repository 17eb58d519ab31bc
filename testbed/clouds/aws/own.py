"""Calls handled by the stand-in itself, since moto doesn't implement them or drops part of their input."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.clouds.aws import access, clusters, own_nodes
from testbed.clouds.aws.api import Api, Own
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

_ARNS = {"addons": "addonArn", "entries": "accessEntryArn", "associations": "associationArn"}


def _tag(api: Api, request: Values) -> Values:
    """Tag any EKS resource by its ARN."""
    with api.store.open() as everything:
        for kind, name in _ARNS.items():
            for thing in everything.get(kind, {}).values():
                if thing.get(name) == request["resourceArn"]:
                    thing["tags"] = {**thing.get("tags", {}), **request["tags"]}
                    return {}
    return api.moto("eks", "tag_resource", request)


def _untag(api: Api, request: Values) -> Values:
    with api.store.open() as everything:
        for kind, name in _ARNS.items():
            for thing in everything.get(kind, {}).values():
                if thing.get(name) == request["resourceArn"]:
                    thing["tags"] = {k: v for k, v in thing.get("tags", {}).items() if k not in request["tagKeys"]}
                    return {}
    return api.moto("eks", "untag_resource", request)


def _update_budget(api: Api, request: Values) -> Values:
    """Recreate the budget with its notifications, as moto can't update budgets."""
    account, budget = request["AccountId"], request["NewBudget"]
    identity = {"AccountId": account, "BudgetName": budget["BudgetName"]}
    notifications = api.moto("budgets", "describe_notifications_for_budget", identity)["Notifications"]
    api.moto("budgets", "delete_budget", identity)
    api.moto("budgets", "create_budget", {"AccountId": account, "Budget": budget})
    for notification in notifications:
        subscribers = api.store.get("subscribers", _notified(budget["BudgetName"], notification)) or {}
        api.moto("budgets", "create_notification", {**identity, "Notification": notification, **subscribers})
    return {}


def _notified(budget: str, notification: Values) -> str:
    names = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return "|".join((budget, *(str(notification.get(name)) for name in names)))


def _create_budget(api: Api, request: Values) -> Values:
    """Store the subscribers of notifications, which moto does not return."""
    for each in request.get("NotificationsWithSubscribers", ()):
        key = _notified(request["Budget"]["BudgetName"], each["Notification"])
        api.store.put("subscribers", key, {"Subscribers": each["Subscribers"]})
    return api.moto("budgets", "create_budget", request)


def _create_notification(api: Api, request: Values) -> Values:
    key = _notified(request["BudgetName"], request["Notification"])
    api.store.put("subscribers", key, {"Subscribers": request["Subscribers"]})
    return api.moto("budgets", "create_notification", request)


def _delete_instance(api: Api, request: Values) -> Values:
    """Reject a deletion that doesn't name a new final snapshot, as RDS does, whereas moto accepts any deletion.

    Source: botocore 1.44.8, rds DeleteDBInstance, read 2026-11-24.
    """
    snapshot = request.get("FinalDBSnapshotIdentifier")
    if not request.get("SkipFinalSnapshot") and not snapshot:
        raise Refused(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )
    return api.moto("rds", "delete_db_instance", request)


def _caller(api: Api, request: Values) -> Values:
    """Return a role session as the caller identity, like in real deployments. moto would return an unknown user."""
    account = api.moto("sts", "get_caller_identity", request)["Account"]
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
