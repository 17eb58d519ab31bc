"""EKS clusters with their node groups, add-ons and access entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record
from testbed.clouds.aws.rules import sold_here
from testbed.clouds.shared.values import Values, same, tag_map

_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")


def _tag(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    arn = values.get("arn") or values.get("accessEntryArn") or values["associationArn"]
    if gone:
        api.call("eks", "untag_resource", resourceArn=arn, tagKeys=gone)
    if tags:
        api.call("eks", "tag_resource", resourceArn=arn, tags=dict(tags))


def _set_properties(values: Values, *names: str) -> Values:
    """Return the named properties that are set, which have the same names and format in the provider and the API."""
    return {name: values[name] for name in names if values.get(name) is not None}


def _network(values: Values) -> Values:
    config = values["vpcConfig"]
    names = ("subnetIds", "securityGroupIds", "endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
    return _set_properties(config, *names)


def _logging(values: Values) -> Values:
    on: list[str] = list(values.get("enabledClusterLogTypes") or ())
    off = [log for log in _LOGS if log not in on]
    groups = [{"types": on, "enabled": True}, {"types": off, "enabled": False}]
    return {"clusterLogging": [each for each in groups if each["types"]]}


_PLAIN = ("upgradePolicy", "zonalShiftConfig", "computeConfig", "storageConfig", "deletionProtection")


def _create_cluster(api: Api, values: Values) -> str:
    secrets = values.get("encryptionConfig")
    api.call(
        "eks",
        "create_cluster",
        **_set_properties(values, "name", "version", "roleArn", "accessConfig", "kubernetesNetworkConfig", *_PLAIN),
        **_set_properties(values, "bootstrapSelfManagedAddons"),
        resourcesVpcConfig=_network(values),
        logging=_logging(values),
        encryptionConfig=[_encryption(secrets)] if secrets else None,
        tags=values["tagsAll"],
    )
    return str(values["name"])


def _encryption(response: Values) -> Values:
    return {"provider": {"keyArn": response["provider"]["keyArn"]}, "resources": response["resources"]}


def _read_cluster(api: Api, resource_id: str, values: Values) -> Values | None:
    cluster = api.call("eks", "describe_cluster", name=resource_id)["cluster"]
    logs = [log for each in cluster["logging"]["clusterLogging"] if each["enabled"] for log in each["types"]]
    encryption = cluster.get("encryptionConfig") or []
    access = cluster["accessConfig"]
    if "accessConfig" in values:  # can only be set on creation, and is never returned by the API
        access = {**values["accessConfig"], **access}
    return {
        **_set_properties(
            cluster, "arn", "name", "version", "roleArn", "endpoint", "platformVersion", "status", *_PLAIN
        ),
        "clusterId": None,
        "createdAt": cluster["createdAt"].isoformat(),
        "certificateAuthority": cluster["certificateAuthority"],
        "identities": [{"oidcs": [cluster["identity"]["oidc"]]}],
        "vpcConfig": cluster["resourcesVpcConfig"],
        "accessConfig": access,
        "kubernetesNetworkConfig": cluster["kubernetesNetworkConfig"],
        "enabledClusterLogTypes": logs,
        "encryptionConfig": _encryption(encryption[0]) if encryption else None,
        "bootstrapSelfManagedAddons": values.get("bootstrapSelfManagedAddons", True),
        "tagsAll": tag_map([{"Key": key, "Value": value} for key, value in cluster["tags"].items()]),
    }


def _update_cluster(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    if values.get("version") and values["version"] != olds.get("version"):
        api.call("eks", "update_cluster_version", name=resource_id, version=values["version"])
    if not same(values.get("enabledClusterLogTypes"), olds.get("enabledClusterLogTypes")):
        api.call("eks", "update_cluster_config", name=resource_id, logging=_logging(values))
    network = {key: value for key, value in _network(values).items() if not same(value, olds["vpcConfig"].get(key))}
    if network:
        api.call("eks", "update_cluster_config", name=resource_id, resourcesVpcConfig=network)
    changed = {name: values[name] for name in _PLAIN if name in values and not same(values[name], olds.get(name))}
    for name, value in changed.items():
        api.call("eks", "update_cluster_config", name=resource_id, **{name: value})
    mode = (values.get("accessConfig") or {}).get("authenticationMode")
    if mode and mode != (olds.get("accessConfig") or {}).get("authenticationMode"):
        api.call("eks", "update_cluster_config", name=resource_id, accessConfig={"authenticationMode": mode})


def _delete_cluster(api: Api, resource_id: str, values: Values) -> None:
    api.call("eks", "delete_cluster", name=resource_id)


def _group_key(resource_id: str) -> dict[str, str]:
    cluster, _, group = resource_id.partition(":")
    return {"clusterName": cluster, "nodegroupName": group}


_SHARED = (
    *("amiType", "capacityType", "diskSize", "instanceTypes"),
    *("labels", "releaseVersion", "scalingConfig", "version"),
)


def _create_group(api: Api, values: Values) -> str:
    key = {"clusterName": values["clusterName"], "nodegroupName": values["nodeGroupName"]}
    api.call(
        "eks",
        "create_nodegroup",
        **key,
        **_set_properties(
            values, *_SHARED, "updateConfig", "nodeRepairConfig", "taints", "launchTemplate", "remoteAccess"
        ),
        subnets=values["subnetIds"],
        nodeRole=values["nodeRoleArn"],
        tags=values["tagsAll"],
    )
    return f"{key['clusterName']}:{key['nodegroupName']}"


def _read_group(api: Api, resource_id: str, values: Values) -> Values | None:
    group = api.call("eks", "describe_nodegroup", **_group_key(resource_id))["nodegroup"]
    return {
        **_set_properties(group, *_SHARED, "updateConfig", "nodeRepairConfig", "taints", "launchTemplate", "status"),
        "arn": group["nodegroupArn"],
        "clusterName": group["clusterName"],
        "nodeGroupName": group["nodegroupName"],
        "nodeRoleArn": group["nodeRole"],
        "subnetIds": group["subnets"],
        "resources": [
            {
                "autoscalingGroups": group["resources"]["autoScalingGroups"],
                "remoteAccessSecurityGroupId": "",
            }
        ],
        "tagsAll": dict(group["tags"]),
    }


def _update_group(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    key = _group_key(resource_id)
    changes: Values = {
        name: values[name]
        for name in ("scalingConfig", "updateConfig", "nodeRepairConfig")
        if name in values and not same(values[name], olds.get(name))
    }
    before, after = olds.get("labels") or {}, values.get("labels") or {}
    if before != after:
        changes["labels"] = {
            "addOrUpdateLabels": after,
            "removeLabels": [label for label in before if label not in after],
        }
    old_taints, new_taints = olds.get("taints") or [], values.get("taints") or []
    if not same(old_taints, new_taints):
        changes["taints"] = {
            "addOrUpdateTaints": new_taints,
            "removeTaints": [taint for taint in old_taints if taint not in new_taints],
        }
    if changes:
        api.call("eks", "update_nodegroup_config", **key, **changes)
    newer = {
        name: values[name]
        for name in ("version", "releaseVersion", "launchTemplate")
        if name in values and not same(values[name], olds.get(name))
    }
    if template := newer.get("launchTemplate"):
        unneeded = "name" if "id" in template else "id"
        newer["launchTemplate"] = {key: value for key, value in template.items() if key != unneeded}
    if newer:
        api.call("eks", "update_nodegroup_version", **key, **newer)


def _delete_group(api: Api, resource_id: str, values: Values) -> None:
    api.call("eks", "delete_nodegroup", **_group_key(resource_id))


def _thing(
    noun: str,
    answer: str,
    arn: str,
    keys: tuple[str, ...],
    changeable: tuple[str, ...],
    only_at_creation: tuple[str, ...],
    own: str = "",
) -> Record:
    """Return the `Record` for a type of cluster resource, identified by its properties or by an ID from EKS."""

    def key(values: Values, resource_id: str) -> Any:
        identifiers = {name: values[name] for name in keys}
        return {**identifiers, own: resource_id.rpartition(":")[2]} if own else identifiers

    def create(api: Api, values: Values) -> str:
        parameters = {
            _api_name(name): values[name]
            for name in (*keys, *changeable, *only_at_creation)
            if values.get(name) is not None
        }
        resource = api.call("eks", f"create_{noun}", **parameters, tags=values["tagsAll"])[answer]
        return str(resource[own]) if own else ":".join(str(values[name]) for name in keys)

    def read(api: Api, resource_id: str, values: Values) -> Values | None:
        resource = api.call("eks", f"describe_{noun}", **key(values, resource_id))[answer]
        state = {
            name: resource[_api_name(name)]
            for name in (*keys, *changeable, *only_at_creation)
            if _api_name(name) in resource
        }
        return {
            **state,
            **({own: resource[own]} if own else {}),
            ("arn" if noun == "addon" else arn): resource.get(arn),
            "tagsAll": resource.get("tags", {}),
        }

    def update(api: Api, resource_id: str, olds: Values, values: Values) -> None:
        parameters = {_api_name(name): values[name] for name in changeable if values.get(name) is not None}
        api.call("eks", f"update_{noun}", **key(values, resource_id), **parameters)

    def delete(api: Api, resource_id: str, values: Values) -> None:
        api.call("eks", f"delete_{noun}", **key(values, resource_id))

    return Record(
        create,
        read,
        delete,
        update,
        _tag,
        fixed=frozenset({*keys, *only_at_creation}),
        steering=frozenset({"preserve", "resolveConflictsOnCreate", "resolveConflictsOnUpdate"}),
    )


def _api_name(name: str) -> str:
    return {"userName": "username"}.get(name, name)


def _create_right(api: Api, values: Values) -> str:
    names = ("clusterName", "principalArn", "policyArn", "accessScope")
    api.call("eks", "associate_access_policy", **_set_properties(values, *names))
    return f"{values['clusterName']}#{values['principalArn']}#{values['policyArn']}"


def _read_right(api: Api, resource_id: str, values: Values) -> Values | None:
    key = _set_properties(values, "clusterName", "principalArn")
    for policy in api.call("eks", "list_associated_access_policies", **key)["associatedAccessPolicies"]:
        if policy["policyArn"] == values["policyArn"]:
            return {**key, **policy}
    return None


def _delete_right(api: Api, resource_id: str, values: Values) -> None:
    api.call("eks", "disassociate_access_policy", **_set_properties(values, "clusterName", "principalArn", "policyArn"))


RECORDS = {
    "aws:eks/cluster:Cluster": Record(
        _create_cluster,
        _read_cluster,
        _delete_cluster,
        _update_cluster,
        _tag,
        fixed=frozenset(
            {"name", "roleArn", "encryptionConfig", "kubernetesNetworkConfig", "bootstrapSelfManagedAddons"}
        ),
        naming=Naming(longest=100),
    ),
    "aws:eks/nodeGroup:NodeGroup": Record(
        _create_group,
        _read_group,
        _delete_group,
        _update_group,
        _tag,
        fixed=frozenset(
            {"clusterName", "nodeGroupName", "nodeGroupNamePrefix", "nodeRoleArn", "subnetIds", "instanceTypes"}
            | {"amiType", "capacityType", "diskSize", "remoteAccess"}
        ),
        steering=frozenset({"forceUpdateVersion", "nodeGroupNamePrefix"}),
        naming=Naming("nodeGroupName", longest=63),
        rules=(sold_here,),
    ),
    "aws:eks/addon:Addon": _thing(
        "addon",
        "addon",
        "addonArn",
        ("clusterName", "addonName"),
        ("addonVersion", "configurationValues", "podIdentityAssociations", "serviceAccountRoleArn"),
        (),
    ),
    "aws:eks/accessEntry:AccessEntry": _thing(
        "access_entry",
        "accessEntry",
        "accessEntryArn",
        ("clusterName", "principalArn"),
        ("kubernetesGroups", "userName"),
        ("type",),
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _thing(
        "pod_identity_association",
        "association",
        "associationArn",
        ("clusterName",),
        ("roleArn", "targetRoleArn", "disableSessionTags"),
        ("namespace", "serviceAccount"),
        "associationId",
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": Record(_create_right, _read_right, _delete_right),
}
