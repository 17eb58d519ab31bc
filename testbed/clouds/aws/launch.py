"""Launch templates, Auto Scaling group tags, and tags on resources not created by the stack."""

from __future__ import annotations

from typing import Any

from testbed.clouds.aws import ec2
from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values, settled, tag_list, tag_map, upper

_DATA = (
    *("imageId", "instanceType", "keyName", "userData", "monitoring", "blockDeviceMappings", "metadataOptions"),
    *("iamInstanceProfile", "networkInterfaces", "placement", "creditSpecification", "cpuOptions", "ebsOptimized"),
    *("instanceMarketOptions", "capacityReservationSpecification", "privateDnsNameOptions", "maintenanceOptions"),
)
_TRUTHS = ("encrypted", "deleteOnTermination", "ebsOptimized", "associatePublicIpAddress")


def _data(values: Values) -> Values:
    """Return a launch template's data in the API's format, where some of the provider's strings are booleans."""
    data: Values = upper(_truths({name: values[name] for name in _DATA if values.get(name) is not None}))
    if groups := values.get("vpcSecurityGroupIds"):
        data["SecurityGroupIds"] = groups
    if specifications := values.get("tagSpecifications"):
        data["TagSpecifications"] = [
            {"ResourceType": each["resourceType"], "Tags": tag_list(each.get("tags"))} for each in specifications
        ]
    return data


def _truths(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _truths(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_truths(each) for each in value]
    return value == "true" if name in _TRUTHS and isinstance(value, str) else value


def _create(api: Api, values: Values) -> str:
    response = api.call(
        "ec2",
        "create_launch_template",
        LaunchTemplateName=values["name"],
        LaunchTemplateData=_data(values),
        VersionDescription=values.get("description"),
    )
    resource_id = str(response["LaunchTemplate"]["LaunchTemplateId"])
    ec2.tag(api, resource_id, values, values["tagsAll"], [])  # moto would mix tags in the creation call with the data
    return resource_id


def _update(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    """Create a new version of a launch template, since existing versions are immutable."""
    response = api.call(
        "ec2",
        "create_launch_template_version",
        LaunchTemplateId=resource_id,
        LaunchTemplateData=_data(values),
        VersionDescription=values.get("description"),
    )
    version = str(response["LaunchTemplateVersion"]["VersionNumber"])
    default = version if values.get("updateDefaultVersion") else values.get("defaultVersion")
    if default:
        api.call("ec2", "modify_launch_template", LaunchTemplateId=resource_id, DefaultVersion=str(default))


def _read(api: Api, resource_id: str, values: Values) -> Values | None:
    template = ec2.described(api, "describe_launch_templates", "LaunchTemplateIds", resource_id)
    latest = api.call("ec2", "describe_launch_template_versions", LaunchTemplateId=resource_id, Versions=["$Latest"])
    data = latest["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    names = [name for name in (*_DATA, "vpcSecurityGroupIds", "tagSpecifications") if values.get(name) is not None]
    declared = {name: values[name] for name in names}
    state = settled(declared, _data(values), data)
    if state is not declared:
        state = {name: state.get("securityGroupIds" if name == "vpcSecurityGroupIds" else name) for name in names}
        for each in state.get("tagSpecifications") or ():
            each["tags"] = tag_map(each["tags"])
    return {
        **state,
        "arn": api.arn("ec2", f"launch-template/{resource_id}"),
        "name": template["LaunchTemplateName"],
        "description": latest["LaunchTemplateVersions"][0].get("VersionDescription") or values.get("description"),
        "defaultVersion": template["DefaultVersionNumber"],
        "latestVersion": template["LatestVersionNumber"],
        "tagsAll": tag_map(ec2.where(api, "describe_tags", resource_id=resource_id)),
    }


def _group(api: Api, name: str) -> Any:
    groups = api.call("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[name])
    matches = groups["AutoScalingGroups"]
    return matches[0] if matches else None


def _put_tag(api: Api, values: Values) -> str:
    name, tag = values["autoscalingGroupName"], values["tag"]
    if _group(api, name) is None:
        raise Refused("ValidationError", f"Resource {name} not found")
    parameters = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": tag["key"], "Value": tag["value"]}
    api.call(
        "autoscaling", "create_or_update_tags", Tags=[{**parameters, "PropagateAtLaunch": tag["propagateAtLaunch"]}]
    )
    return f"{name},{tag['key']}"


def _update_tag(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    if olds["tag"]["key"] != values["tag"]["key"]:
        _delete_tag(api, resource_id, olds)
    _put_tag(api, values)


def _read_tag(api: Api, resource_id: str, values: Values) -> Values | None:
    group = _group(api, values["autoscalingGroupName"])
    for tag in group["Tags"] if group else ():
        if tag["Key"] == values["tag"]["key"]:
            state = {"key": tag["Key"], "value": tag["Value"], "propagateAtLaunch": tag["PropagateAtLaunch"]}
            return {"autoscalingGroupName": values["autoscalingGroupName"], "tag": state}
    return None


def _delete_tag(api: Api, resource_id: str, values: Values) -> None:
    name = values["autoscalingGroupName"]
    if _group(api, name) is not None:
        parameters = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": values["tag"]["key"]}
        api.call("autoscaling", "delete_tags", Tags=[parameters])


def _put_foreign(api: Api, values: Values) -> str:
    ec2.tag(api, values["resourceId"], values, {values["key"]: values["value"]}, [])
    return f"{values['resourceId']},{values['key']}"


def _update_foreign(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    _put_foreign(api, values)


def _read_foreign(api: Api, resource_id: str, values: Values) -> Values | None:
    for tag in ec2.where(api, "describe_tags", resource_id=values["resourceId"], key=values["key"]):
        return {"resourceId": values["resourceId"], "key": tag["Key"], "value": tag["Value"]}
    return None


def _delete_foreign(api: Api, resource_id: str, values: Values) -> None:
    ec2.tag(api, values["resourceId"], values, {}, [values["key"]])


RECORDS = {
    "aws:ec2/launchTemplate:LaunchTemplate": Record(
        _create,
        _read,
        ec2.deletes("delete_launch_template", "LaunchTemplateId"),
        _update,
        ec2.tag,
        fixed=frozenset({"name", "namePrefix"}),
        restless=frozenset({"latestVersion", "defaultVersion"}),
        steering=frozenset({"namePrefix", "updateDefaultVersion"}),
        naming=Naming(longest=125),
    ),
    "aws:autoscaling/tag:Tag": Record(
        _put_tag, _read_tag, _delete_tag, _update_tag, fixed=frozenset({"autoscalingGroupName"})
    ),
    "aws:ec2/tag:Tag": Record(
        _put_foreign, _read_foreign, _delete_foreign, _update_foreign, fixed=frozenset({"resourceId", "key"})
    ),
}
