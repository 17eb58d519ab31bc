"""ECR repositories."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record
from testbed.clouds.aws.rules import lifecycle_text
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values, tag_list, tag_map


def _create(api: Api, values: Values) -> str:
    encryption = (values.get("encryptionConfigurations") or [None])[0]
    if encryption and encryption.get("kmsKey"):
        api.call("kms", "describe_key", KeyId=encryption["kmsKey"])
    api.call(
        "ecr",
        "create_repository",
        repositoryName=values["name"],
        imageTagMutability=values.get("imageTagMutability", "MUTABLE"),
        imageScanningConfiguration=values.get("imageScanningConfiguration"),
        encryptionConfiguration=encryption,
        tags=tag_list(values["tagsAll"]),
    )
    return str(values["name"])


def _update(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    mutability = values.get("imageTagMutability", "MUTABLE")
    api.call("ecr", "put_image_tag_mutability", repositoryName=resource_id, imageTagMutability=mutability)
    scanning = values.get("imageScanningConfiguration") or {"scanOnPush": False}
    api.call("ecr", "put_image_scanning_configuration", repositoryName=resource_id, imageScanningConfiguration=scanning)


def _read(api: Api, resource_id: str, values: Values) -> Values | None:
    there = api.call("ecr", "describe_repositories", repositoryNames=[resource_id])["repositories"][0]
    tags = api.call("ecr", "list_tags_for_resource", resourceArn=there["repositoryArn"])["tags"]
    return {
        "arn": there["repositoryArn"],
        "name": there["repositoryName"],
        "registryId": there["registryId"],
        "repositoryUrl": f"{there['registryId']}.dkr.ecr.{api.region}.amazonaws.com/{resource_id}",
        "imageTagMutability": there["imageTagMutability"],
        "imageScanningConfiguration": there["imageScanningConfiguration"],
        "encryptionConfigurations": [there["encryptionConfiguration"]],
        "tagsAll": tag_map(tags),
    }


def _delete(api: Api, resource_id: str, values: Values) -> None:
    api.call("ecr", "delete_repository", repositoryName=resource_id, force=bool(values.get("forceDelete", False)))


def _tag(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    if gone:
        api.call("ecr", "untag_resource", resourceArn=values["arn"], tagKeys=gone)
    api.call("ecr", "tag_resource", resourceArn=values["arn"], tags=tag_list(tags))


def _put_policy(api: Api, values: Values) -> str:
    api.call("ecr", "put_lifecycle_policy", repositoryName=values["repository"], lifecyclePolicyText=values["policy"])
    return str(values["repository"])


def _update_policy(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    _put_policy(api, values)


def _read_policy(api: Api, resource_id: str, values: Values) -> Values | None:
    try:
        there = api.call("ecr", "get_lifecycle_policy", repositoryName=resource_id)
    except Refused as refused:
        if refused.missing:
            return None
        raise
    return {"repository": resource_id, "registryId": there["registryId"], "policy": there["lifecyclePolicyText"]}


def _delete_policy(api: Api, resource_id: str, values: Values) -> None:
    api.call("ecr", "delete_lifecycle_policy", repositoryName=resource_id)


RECORDS = {
    "aws:ecr/repository:Repository": Record(
        _create,
        _read,
        _delete,
        _update,
        _tag,
        fixed=frozenset({"name", "encryptionConfigurations"}),
        steering=frozenset({"forceDelete"}),
        naming=Naming(longest=256, lower=True),
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Record(
        _put_policy,
        _read_policy,
        _delete_policy,
        _update_policy,
        fixed=frozenset({"repository"}),
        rules=(lifecycle_text,),
    ),
}
