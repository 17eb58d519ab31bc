"""Logs, alarms and budgets."""

from __future__ import annotations

from collections.abc import Callable

from testbed.clouds.gcp import members
from testbed.clouds.gcp.api import Api, at, refused
from testbed.clouds.gcp.kinds import Assign, Kind, default_naming
from testbed.clouds.shared.values import Values

LOGS = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
SINK = "gcp:logging/projectSink:ProjectSink"
EXCLUSION = "gcp:logging/projectExclusion:ProjectExclusion"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
ALARM = "gcp:monitoring/alertPolicy:AlertPolicy"
BUDGET = "gcp:billing/budget:Budget"

_LOGGING, _MONITORING, _BUDGETS = (f"{name}.googleapis.com" for name in ("logging", "monitoring", "billingbudgets"))
_DESTINATION = "logging.googleapis.com/"


def _logs(api: Api, values: Values, before: Values) -> Values:
    name = api.filled(KINDS[LOGS].path, values)
    if not before and api.store.get("released", f"{LOGS} {name}"):
        raise refused(400, f"Bucket {name} is pending deletion and its ID cannot be used for 7 days., badRequest")
    return {"name": name, "lifecycleState": "ACTIVE"}


def _released(api: Api, identifier: str, values: Values) -> None:
    """Reserve the ID of a deleted log bucket: https://docs.cloud.google.com/logging/docs/buckets, read 2026-11-27."""
    api.store.put("released", f"{LOGS} {identifier}", {"for": "a week"})


def _writer(api: Api, values: Values, before: Values) -> Values:
    return {"writerIdentity": f"serviceAccount:{members.create_agent(api, 'logging')}"}


def _destination(api: Api, values: Values) -> None:
    """Reject a log bucket that doesn't exist. Source: logging.v2, LogSink, destination, read 2026-11-27."""
    bucket = str(values["destination"]).removeprefix(_DESTINATION)
    if bucket == values["destination"] or api.store.get(LOGS, bucket) is None:
        raise refused(404, f"Log bucket {bucket} not found, notFound")


def _numbered(collection: str) -> Assign:
    """Return a function that gives a resource a number as its name."""

    def assign(api: Api, values: Values, before: Values) -> Values:
        return {"name": before.get("name") or f"projects/{api.account}/{collection}/{api.serial()}"}

    return assign


def _unused(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a notification channel that is in use.

    Source: monitoring.v3, projects.notificationChannels.delete, force, read 2026-11-27.
    """
    if any(identifier in each.get("notificationChannels", ()) for each in api.all(ALARM).values()):
        raise refused(400, f"Cannot delete notification channel {identifier}: alerting policies use it., badRequest")


def _budget(api: Api, values: Values, before: Values) -> Values:
    return {"name": before.get("name") or f"{api.serial():08x}-0000-4000-8000-000000000000"}


def _account(api: Api, values: Values) -> None:
    """Reject a different billing account or currency: billingbudgets.v1, Budget, amount, read 2026-11-27."""
    project = api.project
    if values["billingAccount"] != project["billingAccount"]:
        raise refused(403, "The caller does not have permission, forbidden")
    if at(values, "amount.specifiedAmount.currencyCode") != [project["currency"]]:
        raise refused(400, "Request contains an invalid argument: currency_code, badRequest")


def _at_most(number: int, path: str) -> Callable[[Api, Values], None]:
    """Return a rule that limits the length of a list: billingbudgets.v1, NotificationsRule, read 2026-11-27."""

    def rule(api: Api, values: Values) -> None:
        if len(at(values, path)) > number:
            raise refused(400, f"Request contains an invalid argument: {path}, badRequest")

    return rule


KINDS = {
    LOGS: Kind(
        "projects/{project}/locations/{location}/buckets/{bucketId}",
        _LOGGING,
        fixed=frozenset({"project", "location", "bucketId", "cmekSettings"}),
        assign=_logs,
        rules=(members.encrypts("logging", "cmekSettings.kmsKeyName"),),
        guards=(_released,),
        shared=True,  # the provider adopts an existing one
    ),
    SINK: Kind(
        "projects/{project}/sinks/{name}",
        _LOGGING,
        fixed=frozenset({"name", "project"}),
        naming=default_naming(100),
        client=frozenset({"uniqueWriterIdentity"}),
        assign=_writer,
        rules=(_destination,),
    ),
    EXCLUSION: Kind(
        "projects/{project}/exclusions/{name}",
        _LOGGING,
        fixed=frozenset({"name", "project"}),
        naming=default_naming(100),
    ),
    CHANNEL: Kind(
        "{name}",
        _MONITORING,
        fixed=frozenset({"project"}),
        assign=_numbered("notificationChannels"),
        guards=(_unused,),
    ),
    ALARM: Kind(
        "{name}",
        _MONITORING,
        fixed=frozenset({"project"}),
        assign=_numbered("alertPolicies"),
        references={"notificationChannels": CHANNEL},
    ),
    BUDGET: Kind(
        "billingAccounts/{billingAccount}/budgets/{name}",
        _BUDGETS,
        fixed=frozenset({"billingAccount"}),
        assign=_budget,
        references={"allUpdatesRule.monitoringNotificationChannels": CHANNEL},
        rules=(_account, _at_most(5, "allUpdatesRule.monitoringNotificationChannels")),
    ),
}
