"""Security groups and their rules."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from testbed.clouds.aws import ec2
from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record
from testbed.clouds.aws.rules import cidr_block, group_unused, port_range
from testbed.clouds.shared.values import Values, lower, picked, settled

_Direction = Literal["ingress", "egress"]


def _create_group(api: Api, values: Values) -> str:
    response = api.call(
        "ec2",
        "create_security_group",
        GroupName=values["name"],
        Description=values["description"],
        VpcId=values.get("vpcId"),
        TagSpecifications=ec2.specification("security-group", values),
    )
    resource_id = str(response["GroupId"])
    # AWS adds a rule that allows all egress to every new group, and the provider removes it.
    _emptied(api, resource_id, "egress")
    _open(api, resource_id, values)
    return resource_id


def _open(api: Api, resource_id: str, values: Values) -> None:
    for way in ("ingress", "egress"):
        if values.get(way):
            api.call(
                "ec2",
                f"authorize_security_group_{way}",
                GroupId=resource_id,
                IpPermissions=[_inline(resource_id, rule) for rule in values[way]],
            )


def _inline(resource_id: str, rule: Values) -> Values:
    """Return one of a group's inline rules in the format of the API."""
    text = {"Description": rule["description"]} if rule.get("description") else {}
    groups = [*rule.get("securityGroups", ()), *([resource_id] if rule.get("self") else ())]
    port = {} if rule["protocol"] == "-1" else {"FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    return {
        "IpProtocol": rule["protocol"],
        **port,
        "IpRanges": [{"CidrIp": cidr, **text} for cidr in rule.get("cidrBlocks", ())],
        "UserIdGroupPairs": [{"GroupId": group, **text} for group in groups],
    }


def _emptied(api: Api, resource_id: str, way: _Direction) -> None:
    group = ec2.described(api, "describe_security_groups", "GroupIds", resource_id)
    there = group["IpPermissions" if way == "ingress" else "IpPermissionsEgress"]
    if there:
        api.call("ec2", f"revoke_security_group_{way}", GroupId=resource_id, IpPermissions=there)


def _update_group(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    if any(olds.get(way) != values.get(way) for way in ("ingress", "egress")):
        _emptied(api, resource_id, "ingress")
        _emptied(api, resource_id, "egress")
        _open(api, resource_id, values)


def _read_group(api: Api, resource_id: str, values: Values) -> Values | None:
    group = ec2.described(api, "describe_security_groups", "GroupIds", resource_id)
    declared = {way: values[way] for way in ("ingress", "egress") if way in values}
    keys = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}
    return {
        "arn": api.arn("ec2", f"security-group/{resource_id}"),
        "name": group["GroupName"],
        "description": group["Description"],
        "vpcId": group.get("VpcId"),
        "ownerId": api.account,
        **{
            way: settled(rules, [_inline(resource_id, rule) for rule in rules], group[keys[way]])
            for way, rules in declared.items()
        },
        "tagsAll": ec2.tags_of(group),
    }


def _adopt_default(api: Api, values: Values) -> str:
    """Adopt the default group of a VPC, and remove its rules."""
    groups = ec2.where(api, "describe_security_groups", vpc_id=values["vpcId"], group_name="default")
    resource_id = str(groups[0]["GroupId"])
    _emptied(api, resource_id, "ingress")
    _emptied(api, resource_id, "egress")
    _open(api, resource_id, values)
    if values["tagsAll"]:
        ec2.tag(api, resource_id, values, values["tagsAll"], [])
    return resource_id


def _read_default(api: Api, resource_id: str, values: Values) -> Values | None:
    """Read the default group. A rule that the program does not declare is drift."""
    return _read_group(api, resource_id, {"ingress": [], "egress": [], **values})


def _leave(api: Api, resource_id: str, values: Values) -> None:
    """Do nothing, as a default group can't be deleted, and disappears with its VPC."""


def _permission(values: Values) -> Values:
    text = {"Description": values["description"]} if values.get("description") else {}
    sources: dict[str, tuple[str, str]] = {
        "cidrIpv4": ("IpRanges", "CidrIp"),
        "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
        "prefixListId": ("PrefixListIds", "PrefixListId"),
        "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    }
    peers = {
        place: [{key: values[name], **text}] for name, (place, key) in sources.items() if values.get(name) is not None
    }
    return {"IpProtocol": values["ipProtocol"], **picked(values, "fromPort", "toPort"), **peers}


def _create_rule(way: _Direction, api: Api, values: Values) -> str:
    response = api.call(
        "ec2",
        f"authorize_security_group_{way}",
        GroupId=values["securityGroupId"],
        IpPermissions=[_permission(values)],
        TagSpecifications=ec2.specification("security-group-rule", values),
    )
    return str(response["SecurityGroupRules"][0]["SecurityGroupRuleId"])


def _update_rule(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    rule = {
        **picked(values, "ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "prefixListId", "description"),
        **({"ReferencedGroupId": group} if (group := values.get("referencedSecurityGroupId")) else {}),
    }
    api.call(
        "ec2",
        "modify_security_group_rules",
        GroupId=values["securityGroupId"],
        SecurityGroupRules=[{"SecurityGroupRuleId": resource_id, "SecurityGroupRule": rule}],
    )


def _read_rule(api: Api, resource_id: str, values: Values) -> Values | None:
    rule: Any = ec2.described(api, "describe_security_group_rules", "SecurityGroupRuleIds", resource_id)
    if rule is None:
        return None
    names = ("IpProtocol", "CidrIpv4", "CidrIpv6", "PrefixListId", "Description", "FromPort", "ToPort")
    state = lower({name: rule[name] for name in names if rule.get(name) not in (None, "")})
    if state["ipProtocol"] == "-1":  # the API returns -1 for both ports, and the provider omits both
        state = {name: value for name, value in state.items() if name not in ("fromPort", "toPort")}
    group = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
    if group and values.get("description"):  # moto drops the description of rules that refer to a group
        state.setdefault("description", values["description"])
    return {
        **state,
        "arn": api.arn("ec2", f"security-group-rule/{resource_id}"),
        "securityGroupRuleId": resource_id,
        "securityGroupId": rule["GroupId"],
        "referencedSecurityGroupId": group,
        "tagsAll": ec2.tags_of(rule),
    }


def _delete_rule(way: _Direction, api: Api, resource_id: str, values: Values) -> None:
    api.call(
        "ec2", f"revoke_security_group_{way}", GroupId=values["securityGroupId"], SecurityGroupRuleIds=[resource_id]
    )


def _rule(way: _Direction) -> Record:
    return Record(
        partial(_create_rule, way),
        _read_rule,
        partial(_delete_rule, way),
        _update_rule,
        ec2.tag,
        fixed=frozenset({"securityGroupId"}),
        rules=(cidr_block(0, 32, "cidrIpv4"), port_range),
    )


RECORDS = {
    "aws:ec2/securityGroup:SecurityGroup": Record(
        _create_group,
        _read_group,
        ec2.deletes("delete_security_group", "GroupId"),
        _update_group,
        ec2.tag,
        fixed=frozenset({"name", "namePrefix", "description", "vpcId"}),
        steering=frozenset({"revokeRulesOnDelete", "namePrefix"}),
        naming=Naming(),
        defaults=(("description", "Managed by Pulumi"),),
        on_delete=(group_unused,),
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Record(
        _adopt_default, _read_default, _leave, _update_group, ec2.tag, fixed=frozenset({"vpcId"})
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule("egress"),
}
