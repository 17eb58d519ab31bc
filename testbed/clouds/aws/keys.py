"""KMS keys and aliases."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record
from testbed.clouds.aws.rules import key_policy, policy_document
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values, picked


def _create(api: Api, values: Values) -> str:
    response = api.call(
        "kms",
        "create_key",
        **picked(values, "description", "policy", "multiRegion"),
        KeyUsage=values.get("keyUsage", "ENCRYPT_DECRYPT"),
        KeySpec=values.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        Tags=_tags(values["tagsAll"]),
    )
    resource_id = str(response["KeyMetadata"]["KeyId"])
    _rotate(api, resource_id, values)
    return resource_id


def _tags(tags: Mapping[str, str]) -> list[Values]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


def _rotate(api: Api, resource_id: str, values: Values) -> None:
    if values.get("enableKeyRotation"):
        api.call(
            "kms", "enable_key_rotation", KeyId=resource_id, RotationPeriodInDays=values.get("rotationPeriodInDays")
        )
    else:
        api.call("kms", "disable_key_rotation", KeyId=resource_id)


def _update(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    if values.get("policy"):
        api.call("kms", "put_key_policy", KeyId=resource_id, PolicyName="default", Policy=values["policy"])
    if values.get("description") != olds.get("description"):
        api.call("kms", "update_key_description", KeyId=resource_id, Description=values.get("description", ""))
    _rotate(api, resource_id, values)


def _read(api: Api, resource_id: str, values: Values) -> Values | None:
    key = api.call("kms", "describe_key", KeyId=resource_id)["KeyMetadata"]
    if key["KeyState"] == "PendingDeletion":
        return None
    rotation = api.call("kms", "get_key_rotation_status", KeyId=resource_id)
    tags = api.call("kms", "list_resource_tags", KeyId=resource_id)["Tags"]
    return {
        "arn": key["Arn"],
        "keyId": resource_id,
        "description": key["Description"],
        "keyUsage": key["KeyUsage"],
        "customerMasterKeySpec": key["KeySpec"],
        "multiRegion": key.get("MultiRegion", False),
        "isEnabled": key["Enabled"],
        "enableKeyRotation": rotation["KeyRotationEnabled"],
        "rotationPeriodInDays": rotation.get("RotationPeriodInDays", values.get("rotationPeriodInDays")),
        "policy": api.call("kms", "get_key_policy", KeyId=resource_id, PolicyName="default")["Policy"],
        "tagsAll": {tag["TagKey"]: tag["TagValue"] for tag in tags},
    }


def _delete(api: Api, resource_id: str, values: Values) -> None:
    """Schedule the key's deletion, which can be cancelled until the window ends."""
    api.call(
        "kms", "schedule_key_deletion", KeyId=resource_id, PendingWindowInDays=values.get("deletionWindowInDays", 30)
    )


def _tag(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    if gone:
        api.call("kms", "untag_resource", KeyId=resource_id, TagKeys=gone)
    api.call("kms", "tag_resource", KeyId=resource_id, Tags=_tags(tags))


def _create_alias(api: Api, values: Values) -> str:
    api.call("kms", "create_alias", AliasName=values["name"], TargetKeyId=_usable(api, values["targetKeyId"]))
    return str(values["name"])


def _usable(api: Api, key: str) -> str:
    """Return the key's ID unless it is pending deletion: botocore 1.44.8, kms CreateAlias, 2026-11-25."""
    metadata = api.call("kms", "describe_key", KeyId=key)["KeyMetadata"]
    if metadata["KeyState"] == "PendingDeletion":
        raise Refused("KMSInvalidStateException", f"{metadata['Arn']} is pending deletion.")
    return str(metadata["KeyId"])


def _update_alias(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    api.call("kms", "update_alias", AliasName=resource_id, TargetKeyId=_usable(api, values["targetKeyId"]))


def _read_alias(api: Api, resource_id: str, values: Values) -> Values | None:
    for alias in api.call("kms", "list_aliases", Limit=1000)["Aliases"]:
        if alias["AliasName"] == resource_id:
            key = api.call("kms", "describe_key", KeyId=alias["TargetKeyId"])["KeyMetadata"]
            declared = values.get("targetKeyId")
            target = declared if declared in (key["Arn"], key["KeyId"]) else key["KeyId"]
            return {"arn": alias["AliasArn"], "name": resource_id, "targetKeyId": target, "targetKeyArn": key["Arn"]}
    return None


def _delete_alias(api: Api, resource_id: str, values: Values) -> None:
    api.call("kms", "delete_alias", AliasName=resource_id)


RECORDS = {
    "aws:kms/key:Key": Record(
        _create,
        _read,
        _delete,
        _update,
        _tag,
        fixed=frozenset({"customerMasterKeySpec", "keyUsage", "multiRegion", "customKeyStoreId"}),
        steering=frozenset({"deletionWindowInDays", "bypassPolicyLockoutSafetyCheck"}),
        rules=(policy_document("policy"), key_policy),
    ),
    "aws:kms/alias:Alias": Record(
        _create_alias,
        _read_alias,
        _delete_alias,
        _update_alias,
        fixed=frozenset({"name", "namePrefix"}),
        steering=frozenset({"namePrefix"}),
        naming=Naming(prefix="alias/"),
    ),
}
