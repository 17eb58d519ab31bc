"""KMS keys and aliases."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record
from testbed.clouds.aws.rules import key_policy, policy_document
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values, picked


def _create(api: Api, values: Values) -> str:
    made = api.call(
        "kms",
        "create_key",
        **picked(values, "description", "policy", "multiRegion"),
        KeyUsage=values.get("keyUsage", "ENCRYPT_DECRYPT"),
        KeySpec=values.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        Tags=_tags(values["tagsAll"]),
    )
    found = str(made["KeyMetadata"]["KeyId"])
    _rotate(api, found, values)
    return found


def _tags(tags: Mapping[str, str]) -> list[Values]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


def _rotate(api: Api, found: str, values: Values) -> None:
    if values.get("enableKeyRotation"):
        api.call("kms", "enable_key_rotation", KeyId=found, RotationPeriodInDays=values.get("rotationPeriodInDays"))
    else:
        api.call("kms", "disable_key_rotation", KeyId=found)


def _update(api: Api, found: str, olds: Values, values: Values) -> None:
    if values.get("policy"):
        api.call("kms", "put_key_policy", KeyId=found, PolicyName="default", Policy=values["policy"])
    if values.get("description") != olds.get("description"):
        api.call("kms", "update_key_description", KeyId=found, Description=values.get("description", ""))
    _rotate(api, found, values)


def _read(api: Api, found: str, values: Values) -> Values | None:
    key = api.call("kms", "describe_key", KeyId=found)["KeyMetadata"]
    if key["KeyState"] == "PendingDeletion":
        return None
    rotation = api.call("kms", "get_key_rotation_status", KeyId=found)
    tags = api.call("kms", "list_resource_tags", KeyId=found)["Tags"]
    return {
        "arn": key["Arn"],
        "keyId": found,
        "description": key["Description"],
        "keyUsage": key["KeyUsage"],
        "customerMasterKeySpec": key["KeySpec"],
        "multiRegion": key.get("MultiRegion", False),
        "isEnabled": key["Enabled"],
        "enableKeyRotation": rotation["KeyRotationEnabled"],
        "rotationPeriodInDays": rotation.get("RotationPeriodInDays", values.get("rotationPeriodInDays")),
        "policy": api.call("kms", "get_key_policy", KeyId=found, PolicyName="default")["Policy"],
        "tagsAll": {tag["TagKey"]: tag["TagValue"] for tag in tags},
    }


def _delete(api: Api, found: str, values: Values) -> None:
    """Schedule the deletion of the key, which can be cancelled until the window ends."""
    api.call("kms", "schedule_key_deletion", KeyId=found, PendingWindowInDays=values.get("deletionWindowInDays", 30))


def _tag(api: Api, found: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    if gone:
        api.call("kms", "untag_resource", KeyId=found, TagKeys=gone)
    api.call("kms", "tag_resource", KeyId=found, Tags=_tags(tags))


def _create_alias(api: Api, values: Values) -> str:
    api.call("kms", "create_alias", AliasName=values["name"], TargetKeyId=_usable(api, values["targetKeyId"]))
    return str(values["name"])


def _usable(api: Api, key: str) -> str:
    """Return the key's ID, unless it is pending deletion: botocore 1.44.8, kms CreateAlias, 2026-11-25."""
    metadata = api.call("kms", "describe_key", KeyId=key)["KeyMetadata"]
    if metadata["KeyState"] == "PendingDeletion":
        raise Refused("KMSInvalidStateException", f"{metadata['Arn']} is pending deletion.")
    return str(metadata["KeyId"])


def _update_alias(api: Api, found: str, olds: Values, values: Values) -> None:
    api.call("kms", "update_alias", AliasName=found, TargetKeyId=_usable(api, values["targetKeyId"]))


def _read_alias(api: Api, found: str, values: Values) -> Values | None:
    for alias in api.call("kms", "list_aliases", Limit=1000)["Aliases"]:
        if alias["AliasName"] == found:
            key = api.call("kms", "describe_key", KeyId=alias["TargetKeyId"])["KeyMetadata"]
            told = values.get("targetKeyId")
            target = told if told in (key["Arn"], key["KeyId"]) else key["KeyId"]
            return {"arn": alias["AliasArn"], "name": found, "targetKeyId": target, "targetKeyArn": key["Arn"]}
    return None


def _delete_alias(api: Api, found: str, values: Values) -> None:
    api.call("kms", "delete_alias", AliasName=found)


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
