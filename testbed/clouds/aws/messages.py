"""SNS topics, SQS queues, and EventBridge rules that send events to them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record
from testbed.clouds.aws.rules import policy_document
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values, tag_list, tag_map

_TOPIC = {"displayName": "DisplayName", "kmsMasterKeyId": "KmsMasterKeyId", "policy": "Policy"}
_QUEUE = {
    "delaySeconds": "DelaySeconds",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


def _attributes(values: Values, names: Mapping[str, str]) -> dict[str, str]:
    return {names[name]: _text(values[name]) for name in names if values.get(name) is not None}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _create_topic(api: Api, values: Values) -> str:
    parameters = {"Attributes": attributes} if (attributes := _attributes(values, _TOPIC)) else {}
    response = api.call("sns", "create_topic", Name=values["name"], **parameters, Tags=tag_list(values["tagsAll"]))
    return str(response["TopicArn"])


def _update_topic(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    for name, attribute in _TOPIC.items():
        if name in values and values[name] != olds.get(name):
            api.call(
                "sns",
                "set_topic_attributes",
                TopicArn=resource_id,
                AttributeName=attribute,
                AttributeValue=_text(values.get(name, "")),
            )


def _read_topic(api: Api, resource_id: str, values: Values) -> Values | None:
    there = api.call("sns", "get_topic_attributes", TopicArn=resource_id)["Attributes"]
    return {
        **{name: there[attribute] for name, attribute in _TOPIC.items() if there.get(attribute)},
        "arn": resource_id,
        "name": resource_id.rpartition(":")[2],
        "owner": there["Owner"],
        "tagsAll": tag_map(api.call("sns", "list_tags_for_resource", ResourceArn=resource_id)["Tags"]),
    }


def _delete_topic(api: Api, resource_id: str, values: Values) -> None:
    api.call("sns", "delete_topic", TopicArn=resource_id)


def _tag_topic(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    if gone:
        api.call("sns", "untag_resource", ResourceArn=resource_id, TagKeys=gone)
    api.call("sns", "tag_resource", ResourceArn=resource_id, Tags=tag_list(tags))


def _put_topic_policy(api: Api, values: Values) -> str:
    parameters = {"AttributeName": "Policy", "AttributeValue": values["policy"]}
    api.call("sns", "set_topic_attributes", TopicArn=values["arn"], **parameters)
    return str(values["arn"])


def _update_topic_policy(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    _put_topic_policy(api, values)


def _read_topic_policy(api: Api, resource_id: str, values: Values) -> Values | None:
    there = api.call("sns", "get_topic_attributes", TopicArn=resource_id)["Attributes"]
    return {"arn": resource_id, "policy": there["Policy"], "owner": there["Owner"]}


def _delete_topic_policy(api: Api, resource_id: str, values: Values) -> None:
    """Restore the default policy, which only allows the owner, since a topic always has a policy."""
    owner = {"Effect": "Allow", "Principal": {"AWS": api.account}, "Action": "sns:Publish", "Resource": resource_id}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [owner]})
    api.call("sns", "set_topic_attributes", TopicArn=resource_id, AttributeName="Policy", AttributeValue=policy)


def _subscribe(api: Api, values: Values) -> str:
    if values["protocol"] in ("email", "email-json") and "@" not in values["endpoint"]:
        # botocore 1.44.8, sns Subscribe: for the email protocol the endpoint is an email address, read 2026-11-25
        raise Refused("InvalidParameter", f"Invalid parameter: Email address: {values['endpoint']}")
    response = api.call(
        "sns",
        "subscribe",
        TopicArn=values["topic"],
        Protocol=values["protocol"],
        Endpoint=values["endpoint"],
        ReturnSubscriptionArn=True,
    )
    return str(response["SubscriptionArn"])


def _read_subscription(api: Api, resource_id: str, values: Values) -> Values | None:
    there = api.call("sns", "get_subscription_attributes", SubscriptionArn=resource_id)["Attributes"]
    return {
        "arn": resource_id,
        "topic": there["TopicArn"],
        "protocol": there["Protocol"],
        "endpoint": there["Endpoint"],
        "ownerId": there["Owner"],
        "pendingConfirmation": values["protocol"].startswith("email"),
    }


def _unsubscribe(api: Api, resource_id: str, values: Values) -> None:
    api.call("sns", "unsubscribe", SubscriptionArn=resource_id)


def _create_queue(api: Api, values: Values) -> str:
    response = api.call(
        "sqs",
        "create_queue",
        QueueName=values["name"],
        Attributes=_attributes(values, _QUEUE),
        tags=values["tagsAll"] or None,
    )
    return str(response["QueueUrl"])


def _update_queue(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    api.call("sqs", "set_queue_attributes", QueueUrl=resource_id, Attributes=_attributes(values, _QUEUE))


def _read_queue(api: Api, resource_id: str, values: Values) -> Values | None:
    there = api.call("sqs", "get_queue_attributes", QueueUrl=resource_id, AttributeNames=["All"])["Attributes"]
    attributes = {name: there[attribute] for name, attribute in _QUEUE.items() if there.get(attribute)}
    numbers = {name: int(value) for name, value in attributes.items() if value.isdigit()}
    truths = {name: value == "true" for name, value in attributes.items() if value in ("true", "false")}
    return {
        **attributes,
        **numbers,
        **truths,
        "arn": there["QueueArn"],
        "name": there["QueueArn"].rpartition(":")[2],
        "url": resource_id,
        "tagsAll": dict(api.call("sqs", "list_queue_tags", QueueUrl=resource_id).get("Tags", {})),
    }


def _delete_queue(api: Api, resource_id: str, values: Values) -> None:
    api.call("sqs", "delete_queue", QueueUrl=resource_id)


def _tag_queue(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    if gone:
        api.call("sqs", "untag_queue", QueueUrl=resource_id, TagKeys=gone)
    api.call("sqs", "tag_queue", QueueUrl=resource_id, Tags=dict(tags))


def _put_queue_policy(api: Api, values: Values) -> str:
    api.call("sqs", "set_queue_attributes", QueueUrl=values["queueUrl"], Attributes={"Policy": values["policy"]})
    return str(values["queueUrl"])


def _update_queue_policy(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    _put_queue_policy(api, values)


def _read_queue_policy(api: Api, resource_id: str, values: Values) -> Values | None:
    there = api.call("sqs", "get_queue_attributes", QueueUrl=resource_id, AttributeNames=["Policy"]).get(
        "Attributes", {}
    )
    return {"queueUrl": resource_id, "policy": there["Policy"]} if there.get("Policy") else None


def _delete_queue_policy(api: Api, resource_id: str, values: Values) -> None:
    api.call("sqs", "set_queue_attributes", QueueUrl=resource_id, Attributes={"Policy": ""})


def _put_rule(api: Api, values: Values) -> str:
    if not values.get("eventPattern") and not values.get("scheduleExpression"):
        # botocore 1.44.8, events PutRule, read 2026-11-24
        raise Refused("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
    api.call(
        "events",
        "put_rule",
        Name=values["name"],
        EventPattern=values.get("eventPattern"),
        ScheduleExpression=values.get("scheduleExpression"),
        Description=values.get("description"),
        State=values.get("state", "ENABLED"),
        Tags=tag_list(values["tagsAll"]),
    )
    return str(values["name"])


def _update_rule(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    _put_rule(api, values)


def _read_rule(api: Api, resource_id: str, values: Values) -> Values | None:
    there = api.call("events", "describe_rule", Name=resource_id)
    return {
        "arn": there["Arn"],
        "name": resource_id,
        "eventPattern": there.get("EventPattern"),
        "scheduleExpression": there.get("ScheduleExpression"),
        "description": there.get("Description"),
        "state": there["State"],
        "eventBusName": "default",
        "tagsAll": tag_map(api.call("events", "list_tags_for_resource", ResourceARN=there["Arn"])["Tags"]),
    }


def _delete_rule(api: Api, resource_id: str, values: Values) -> None:
    api.call("events", "delete_rule", Name=resource_id)


def _tag_rule(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    arn = api.arn("events", f"rule/{resource_id}")
    if gone:
        api.call("events", "untag_resource", ResourceARN=arn, TagKeys=gone)
    api.call("events", "tag_resource", ResourceARN=arn, Tags=tag_list(tags))


def _put_target(api: Api, values: Values) -> str:
    target = {"Id": values["targetId"], "Arn": values["arn"]}
    if values.get("roleArn"):
        target["RoleArn"] = values["roleArn"]
    api.call("events", "put_targets", Rule=values["rule"], Targets=[target])
    return f"{values['rule']}-{values['targetId']}"


def _update_target(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    _put_target(api, values)


def _read_target(api: Api, resource_id: str, values: Values) -> Values | None:
    for target in api.call("events", "list_targets_by_rule", Rule=values["rule"])["Targets"]:
        if target["Id"] == values["targetId"]:
            state = {"targetId": target["Id"], "arn": target["Arn"], "roleArn": target.get("RoleArn")}
            return {"rule": values["rule"], **state}
    return None


def _delete_target(api: Api, resource_id: str, values: Values) -> None:
    api.call("events", "remove_targets", Rule=values["rule"], Ids=[values["targetId"]])


RECORDS = {
    "aws:sns/topic:Topic": Record(
        _create_topic,
        _read_topic,
        _delete_topic,
        _update_topic,
        _tag_topic,
        fixed=frozenset({"name", "namePrefix", "fifoTopic"}),
        steering=frozenset({"namePrefix"}),
        naming=Naming(longest=256),
        rules=(policy_document("policy"),),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Record(
        _put_topic_policy,
        _read_topic_policy,
        _delete_topic_policy,
        _update_topic_policy,
        fixed=frozenset({"arn"}),
        rules=(policy_document("policy"),),
    ),
    "aws:sns/topicSubscription:TopicSubscription": Record(_subscribe, _read_subscription, _unsubscribe),
    "aws:sqs/queue:Queue": Record(
        _create_queue,
        _read_queue,
        _delete_queue,
        _update_queue,
        _tag_queue,
        fixed=frozenset({"name", "namePrefix", "fifoQueue"}),
        steering=frozenset({"namePrefix"}),
        naming=Naming(longest=80),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Record(
        _put_queue_policy,
        _read_queue_policy,
        _delete_queue_policy,
        _update_queue_policy,
        fixed=frozenset({"queueUrl"}),
        rules=(policy_document("policy"),),
    ),
    "aws:cloudwatch/eventRule:EventRule": Record(
        _put_rule,
        _read_rule,
        _delete_rule,
        _update_rule,
        _tag_rule,
        fixed=frozenset({"name", "namePrefix", "eventBusName"}),
        steering=frozenset({"namePrefix"}),
        naming=Naming(longest=64),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Record(
        _put_target,
        _read_target,
        _delete_target,
        _update_target,
        fixed=frozenset({"rule", "targetId", "eventBusName"}),
        naming=Naming("targetId", longest=64),
    ),
}
