"""Log groups, alarms and budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record
from testbed.clouds.aws.rules import key_lets_logs_in, retention
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values, lower, picked, same, tag_list, tag_map


def _create_log(api: Api, values: Values) -> str:
    api.call(
        "logs",
        "create_log_group",
        logGroupName=values["name"],
        kmsKeyId=values.get("kmsKeyId"),
        tags=values["tagsAll"] or None,
    )
    if values.get("retentionInDays"):
        api.call("logs", "put_retention_policy", logGroupName=values["name"], retentionInDays=values["retentionInDays"])
    return str(values["name"])


def _update_log(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    if values.get("retentionInDays"):
        api.call("logs", "put_retention_policy", logGroupName=resource_id, retentionInDays=values["retentionInDays"])
    else:
        api.call("logs", "delete_retention_policy", logGroupName=resource_id)
    if values.get("kmsKeyId") != olds.get("kmsKeyId"):
        if values.get("kmsKeyId"):
            api.call("logs", "associate_kms_key", logGroupName=resource_id, kmsKeyId=values["kmsKeyId"])
        else:
            api.call("logs", "disassociate_kms_key", logGroupName=resource_id)


def _read_log(api: Api, resource_id: str, values: Values) -> Values | None:
    for group in api.call("logs", "describe_log_groups", logGroupNamePrefix=resource_id)["logGroups"]:
        if group["logGroupName"] == resource_id:
            arn = str(group["arn"]).removesuffix(":*")
            return {
                "arn": arn,
                "name": resource_id,
                "retentionInDays": group.get("retentionInDays", 0),
                "kmsKeyId": group.get("kmsKeyId"),
                "tagsAll": dict(api.call("logs", "list_tags_for_resource", resourceArn=arn)["tags"]),
            }
    return None


def _delete_log(api: Api, resource_id: str, values: Values) -> None:
    if not values.get("skipDestroy"):
        api.call("logs", "delete_log_group", logGroupName=resource_id)


def _tag_log(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    arn = api.arn("logs", f"log-group:{resource_id}")
    if gone:
        api.call("logs", "untag_resource", resourceArn=arn, tagKeys=gone)
    api.call("logs", "tag_resource", resourceArn=arn, tags=dict(tags))


_ALARM = (
    *("alarmDescription", "comparisonOperator", "datapointsToAlarm", "evaluationPeriods", "metricName", "namespace"),
    *("period", "statistic", "extendedStatistic", "threshold", "treatMissingData", "unit"),
)
_ACTIONS = {
    "alarmActions": "AlarmActions",
    "okActions": "OKActions",
    "insufficientDataActions": "InsufficientDataActions",
}


def _put_alarm(api: Api, values: Values) -> str:
    if missing := [name for name in ("metricName", "namespace") if not values.get(name)]:
        # botocore 1.44.8, cloudwatch PutMetricAlarm, read 2026-11-24
        raise Refused("ValidationError", f"an alarm of one metric needs {', '.join(missing)}")
    if values.get("datapointsToAlarm", 0) > values["evaluationPeriods"]:
        # botocore 1.44.8, cloudwatch PutMetricAlarm, read 2026-11-24
        raise Refused("ValidationError", "DatapointsToAlarm is greater than EvaluationPeriods")
    api.call(
        "cloudwatch",
        "put_metric_alarm",
        AlarmName=values["name"],
        ActionsEnabled=values.get("actionsEnabled", True),
        **picked(values, *_ALARM),
        **{parameter: values[name] for name, parameter in _ACTIONS.items() if values.get(name)},
        Dimensions=[{"Name": name, "Value": value} for name, value in (values.get("dimensions") or {}).items()],
        Tags=tag_list(values["tagsAll"]),
    )
    return str(values["name"])


def _update_alarm(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    _put_alarm(api, values)


def _read_alarm(api: Api, resource_id: str, values: Values) -> Values | None:
    alarms = api.call("cloudwatch", "describe_alarms", AlarmNames=[resource_id])["MetricAlarms"]
    if not alarms:
        return None
    alarm = lower(alarms[0])
    tags = api.call("cloudwatch", "list_tags_for_resource", ResourceARN=alarm["alarmArn"])["Tags"]
    return {
        **{name: alarm[name] for name in (*_ALARM, "actionsEnabled") if name in alarm},
        **{name: alarms[0].get(parameter, []) for name, parameter in _ACTIONS.items()},
        "arn": alarm["alarmArn"],
        "name": alarm["alarmName"],
        "dimensions": {each["name"]: each["value"] for each in alarm.get("dimensions", ())},
        "tagsAll": tag_map(tags),
    }


def _delete_alarm(api: Api, resource_id: str, values: Values) -> None:
    api.call("cloudwatch", "delete_alarms", AlarmNames=[resource_id])


def _tag_alarm(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    arn = api.arn("cloudwatch", f"alarm:{resource_id}")
    if gone:
        api.call("cloudwatch", "untag_resource", ResourceARN=arn, TagKeys=gone)
    api.call("cloudwatch", "tag_resource", ResourceARN=arn, Tags=tag_list(tags))


def _budget(values: Values) -> Values:
    filters = {each["name"]: each["values"] for each in values.get("costFilters") or ()}
    return {
        "BudgetName": values["name"],
        "BudgetType": values["budgetType"],
        "TimeUnit": values["timeUnit"],
        "BudgetLimit": {"Amount": values["limitAmount"], "Unit": values["limitUnit"]},
        "CostFilters": filters,
    }


def _notifications(values: Values) -> list[tuple[Values, list[Values]]]:
    """Return each notification of a budget with its subscribers."""
    pairs: list[tuple[Values, list[Values]]] = []
    for each in values.get("notifications") or ():
        notification = picked(each, "notificationType", "comparisonOperator", "threshold", "thresholdType")
        notification["Threshold"] = float(each["threshold"])
        mails = [("EMAIL", address) for address in each.get("subscriberEmailAddresses") or ()]
        topics = [("SNS", arn) for arn in each.get("subscriberSnsTopicArns") or ()]
        pairs.append((notification, [{"SubscriptionType": way, "Address": to} for way, to in (*mails, *topics)]))
    return pairs


def _create_budget(api: Api, values: Values) -> str:
    subscriptions = [{"Notification": each, "Subscribers": who} for each, who in _notifications(values)]
    api.call(
        "budgets",
        "create_budget",
        AccountId=api.account,
        Budget=_budget(values),
        NotificationsWithSubscribers=subscriptions,
        ResourceTags=tag_list(values["tagsAll"]) or None,
    )
    resource_id = f"{api.account}:{values['name']}"
    api.store.put("budgets", resource_id, {"notifications": values.get("notifications", []), "tags": values["tagsAll"]})
    return resource_id


def _budget_name(api: Api, resource_id: str) -> dict[str, str]:
    return {"AccountId": api.account, "BudgetName": resource_id.partition(":")[2]}


def _update_budget(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    api.call("budgets", "update_budget", AccountId=api.account, NewBudget=_budget(values))
    if not same(olds.get("notifications"), values.get("notifications")):
        for notification, _ in _notifications(olds):
            api.call("budgets", "delete_notification", **_budget_name(api, resource_id), Notification=notification)
        for notification, who in _notifications(values):
            api.call(
                "budgets",
                "create_notification",
                **_budget_name(api, resource_id),
                Notification=notification,
                Subscribers=who,
            )
    api.store.put("budgets", resource_id, {"notifications": values.get("notifications", []), "tags": values["tagsAll"]})


def _read_budget(api: Api, resource_id: str, values: Values) -> Values | None:
    budget = api.call("budgets", "describe_budget", **_budget_name(api, resource_id))["Budget"]
    there = api.call("budgets", "describe_notifications_for_budget", **_budget_name(api, resource_id))["Notifications"]
    stored = api.store.get("budgets", resource_id) or {"notifications": [], "tags": {}}
    listed = [_notification_values(each, stored["notifications"]) for each in there]
    amount = budget["BudgetLimit"]["Amount"]
    declared = values.get("limitAmount")
    return {
        "arn": f"arn:aws:budgets::{api.account}:budget/{budget['BudgetName']}",
        "accountId": api.account,
        "name": budget["BudgetName"],
        "budgetType": budget["BudgetType"],
        "timeUnit": budget["TimeUnit"],
        "limitAmount": declared if declared is not None and float(declared) == float(amount) else amount,
        "limitUnit": budget["BudgetLimit"]["Unit"],
        "costFilters": [{"name": name, "values": them} for name, them in budget.get("CostFilters", {}).items()],
        "notifications": listed,
        "tagsAll": stored["tags"],
    }


def _notification_values(there: Values, declared: list[Values]) -> Values:
    """Return a notification in the provider's format, with its declared subscribers, which moto doesn't return."""
    for each in declared:
        if (each["notificationType"], float(each["threshold"])) == (there["NotificationType"], there["Threshold"]):
            return each
    return dict(lower(there))


def _delete_budget(api: Api, resource_id: str, values: Values) -> None:
    api.call("budgets", "delete_budget", **_budget_name(api, resource_id))


def _tag_budget(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    stored: Any = api.store.get("budgets", resource_id) or {"notifications": []}
    api.store.put("budgets", resource_id, {**stored, "tags": dict(tags)})


RECORDS = {
    "aws:cloudwatch/logGroup:LogGroup": Record(
        _create_log,
        _read_log,
        _delete_log,
        _update_log,
        _tag_log,
        fixed=frozenset({"name", "namePrefix", "logGroupClass"}),
        steering=frozenset({"namePrefix", "skipDestroy"}),
        naming=Naming(longest=512),
        rules=(retention, key_lets_logs_in),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Record(
        _put_alarm,
        _read_alarm,
        _delete_alarm,
        _update_alarm,
        _tag_alarm,
        fixed=frozenset({"name"}),
        naming=Naming(),
    ),
    "aws:budgets/budget:Budget": Record(
        _create_budget,
        _read_budget,
        _delete_budget,
        _update_budget,
        _tag_budget,
        fixed=frozenset({"name", "namePrefix", "accountId"}),
        steering=frozenset({"namePrefix"}),
        naming=Naming(longest=100),
    ),
}
