"""Secrets in Secrets Manager with their values."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record
from testbed.clouds.shared.values import Values, tag_list, tag_map


def _create(api: Api, values: Values) -> str:
    response = api.call(
        "secretsmanager",
        "create_secret",
        Name=values["name"],
        Description=values.get("description"),
        KmsKeyId=values.get("kmsKeyId"),
        Tags=tag_list(values["tagsAll"]),
    )
    return str(response["ARN"])


def _update(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    api.call(
        "secretsmanager",
        "update_secret",
        SecretId=resource_id,
        Description=values.get("description", ""),
        KmsKeyId=values.get("kmsKeyId"),
    )


def _read(api: Api, resource_id: str, values: Values) -> Values | None:
    there = api.call("secretsmanager", "describe_secret", SecretId=resource_id)
    if there.get("DeletedDate"):
        return None
    return {
        "arn": there["ARN"],
        "name": there["Name"],
        "description": there.get("Description", ""),
        "kmsKeyId": there.get("KmsKeyId"),
        "tagsAll": tag_map(there.get("Tags")),
    }


def _delete(api: Api, resource_id: str, values: Values) -> None:
    """Delete the secret, whose name stays reserved until the recovery window ends."""
    days = values.get("recoveryWindowInDays", 30)
    how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
    api.call("secretsmanager", "delete_secret", SecretId=resource_id, **how)


def _tag(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    if gone:
        api.call("secretsmanager", "untag_resource", SecretId=resource_id, TagKeys=gone)
    api.call("secretsmanager", "tag_resource", SecretId=resource_id, Tags=tag_list(tags))


def _put_value(api: Api, values: Values) -> str:
    response = api.call(
        "secretsmanager", "put_secret_value", SecretId=values["secretId"], SecretString=values["secretString"]
    )
    return f"{values['secretId']}|{response['VersionId']}"


def _read_value(api: Api, resource_id: str, values: Values) -> Values | None:
    secret, _, version = resource_id.partition("|")
    there = api.call("secretsmanager", "get_secret_value", SecretId=secret, VersionId=version)
    return {
        "arn": there["ARN"],
        "secretArn": there["ARN"],
        "secretId": values["secretId"],
        "secretString": there["SecretString"],
        "versionId": version,
    }


def _delete_value(api: Api, resource_id: str, values: Values) -> None:
    """Do nothing, as Secrets Manager itself deletes versions without a staging label."""


RECORDS = {
    "aws:secretsmanager/secret:Secret": Record(
        _create,
        _read,
        _delete,
        _update,
        _tag,
        fixed=frozenset({"name", "namePrefix"}),
        steering=frozenset({"namePrefix", "recoveryWindowInDays", "forceOverwriteReplicaSecret"}),
        naming=Naming(longest=512),
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Record(_put_value, _read_value, _delete_value),
}
