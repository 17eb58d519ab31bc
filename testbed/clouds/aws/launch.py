"""Launch templates, tags of Auto Scaling groups, and tags on resources that the stack did not create."""

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
    """Return the data of a template in the API's format, where some strings of the provider are booleans."""
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
    made = api.call(
        "ec2",
        "create_launch_template",
        LaunchTemplateName=values["name"],
        LaunchTemplateData=_data(values),
        VersionDescription=values.get("description"),
    )
    found = str(made["LaunchTemplate"]["LaunchTemplateId"])
    ec2.tag(api, found, values, values["tagsAll"], [])  # moto would mix tags in the creation call with the data
    return found


def _update(api: Api, found: str, olds: Values, values: Values) -> None:
    """Create a new version, because templates are immutable."""
    made = api.call(
        "ec2",
        "create_launch_template_version",
        LaunchTemplateId=found,
        LaunchTemplateData=_data(values),
        VersionDescription=values.get("description"),
    )
    version = str(made["LaunchTemplateVersion"]["VersionNumber"])
    default = version if values.get("updateDefaultVersion") else values.get("defaultVersion")
    if default:
        api.call("ec2", "modify_launch_template", LaunchTemplateId=found, DefaultVersion=str(default))


def _read(api: Api, found: str, values: Values) -> Values | None:
    template = ec2.described(api, "describe_launch_templates", "LaunchTemplateIds", found)
    latest = api.call("ec2", "describe_launch_template_versions", LaunchTemplateId=found, Versions=["$Latest"])
    data = latest["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    names = [name for name in (*_DATA, "vpcSecurityGroupIds", "tagSpecifications") if values.get(name) is not None]
    declared = {name: values[name] for name in names}
    seen = settled(declared, _data(values), data)
    if seen is not declared:
        seen = {name: seen.get("securityGroupIds" if name == "vpcSecurityGroupIds" else name) for name in names}
        for each in seen.get("tagSpecifications") or ():
            each["tags"] = tag_map(each["tags"])
    return {
        **seen,
        "arn": api.arn("ec2", f"launch-template/{found}"),
        "name": template["LaunchTemplateName"],
        "description": latest["LaunchTemplateVersions"][0].get("VersionDescription") or values.get("description"),
        "defaultVersion": template["DefaultVersionNumber"],
        "latestVersion": template["LatestVersionNumber"],
        "tagsAll": tag_map(ec2.where(api, "describe_tags", resource_id=found)),
    }


def _group(api: Api, name: str) -> Any:
    groups = api.call("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[name])
    found = groups["AutoScalingGroups"]
    return found[0] if found else None


def _put_tag(api: Api, values: Values) -> str:
    name, tag = values["autoscalingGroupName"], values["tag"]
    if _group(api, name) is None:
        raise Refused("ValidationError", f"Resource {name} not found")
    told = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": tag["key"], "Value": tag["value"]}
    api.call("autoscaling", "create_or_update_tags", Tags=[{**told, "PropagateAtLaunch": tag["propagateAtLaunch"]}])
    return f"{name},{tag['key']}"


def _update_tag(api: Api, found: str, olds: Values, values: Values) -> None:
    if olds["tag"]["key"] != values["tag"]["key"]:
        _delete_tag(api, found, olds)
    _put_tag(api, values)


def _read_tag(api: Api, found: str, values: Values) -> Values | None:
    group = _group(api, values["autoscalingGroupName"])
    for tag in group["Tags"] if group else ():
        if tag["Key"] == values["tag"]["key"]:
            shown = {"key": tag["Key"], "value": tag["Value"], "propagateAtLaunch": tag["PropagateAtLaunch"]}
            return {"autoscalingGroupName": values["autoscalingGroupName"], "tag": shown}
    return None


def _delete_tag(api: Api, found: str, values: Values) -> None:
    name = values["autoscalingGroupName"]
    if _group(api, name) is not None:
        told = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": values["tag"]["key"]}
        api.call("autoscaling", "delete_tags", Tags=[told])


def _put_foreign(api: Api, values: Values) -> str:
    ec2.tag(api, values["resourceId"], values, {values["key"]: values["value"]}, [])
    return f"{values['resourceId']},{values['key']}"


def _update_foreign(api: Api, found: str, olds: Values, values: Values) -> None:
    _put_foreign(api, values)


def _read_foreign(api: Api, found: str, values: Values) -> Values | None:
    for tag in ec2.where(api, "describe_tags", resource_id=values["resourceId"], key=values["key"]):
        return {"resourceId": values["resourceId"], "key": tag["Key"], "value": tag["Value"]}
    return None


def _delete_foreign(api: Api, found: str, values: Values) -> None:
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
