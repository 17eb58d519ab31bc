"""Rejects input that moto accepts but the real API doesn't. Each rule gives its source and date."""

from __future__ import annotations

import ipaddress
import json
import re

from testbed.clouds.aws import ec2
from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Rule
from testbed.clouds.shared.values import Values


def cidr_block(shortest: int, longest: int, name: str = "cidrBlock") -> Rule:
    """Reject an address range with host bits or with a size that isn't allowed.

    VPCs and subnets are /16 to /28. Source: botocore 1.44.8, ec2 CreateVpc and CreateSubnet, read 2026-11-24.
    """

    def rule(api: Api, values: Values) -> str | None:
        text = values.get(name)
        if not text:
            return None
        try:
            size = ipaddress.IPv4Network(text).prefixlen
        except ValueError as error:
            return f"{name}: {error}"
        return None if shortest <= size <= longest else f"{name} {text}: /{shortest} to /{longest} are allowed"

    return rule


def port_range(api: Api, values: Values) -> str | None:
    """Reject a TCP or UDP rule without ports, or with a first port greater than its last.

    Source: botocore 1.44.8, ec2 IpPermission, read 2026-11-24.
    """
    if values["ipProtocol"] in ("tcp", "udp"):
        first, last = values.get("fromPort"), values.get("toPort")
        if first is None or last is None:
            return f"{values['ipProtocol']} needs fromPort and toPort"
        if first > last:
            return f"fromPort {first} is greater than toPort {last}"
    return None


def policy_document(*names: str) -> Rule:
    """Reject a policy that isn't JSON, or a statement with no Effect or with both Action and NotAction.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html, 2026-11-25.
    """

    def rule(api: Api, values: Values) -> str | None:
        for name in names:
            if values.get(name) and (reason := _policy_fault(values[name])):
                return f"{name}: {reason}"
        return None

    return rule


def policy_size(most: int) -> Rule:
    """Reject a policy with more characters than IAM allows, not counting white space.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, 2026-11-25.
    """

    def rule(api: Api, values: Values) -> str | None:
        size = len("".join(str(values.get("policy", "")).split()))
        return f"LimitExceeded: a policy of {size} characters, of at most {most}" if size > most else None

    return rule


def _policy_fault(text: str) -> str | None:
    try:
        policy = json.loads(text)
    except ValueError as error:
        return f"MalformedPolicyDocument: no JSON: {error}"
    if not isinstance(policy, dict) or "Statement" not in policy:
        return "MalformedPolicyDocument: no Statement"
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    for statement in statements:
        if statement.get("Effect") not in ("Allow", "Deny"):
            return f"MalformedPolicyDocument: Effect is Allow or Deny: {statement}"
        if "Action" not in statement and "NotAction" not in statement:
            return f"MalformedPolicyDocument: a statement without Action: {statement}"
        if not re.fullmatch(r"[A-Za-z0-9]*", statement.get("Sid", "")):
            return f"MalformedPolicyDocument: a Sid has letters and digits only: {statement['Sid']}"
    return None


def key_policy(api: Api, values: Values) -> str | None:
    """Reject a key policy that would lock everyone out from changing it.

    Source: botocore 1.44.8, kms CreateKey, BypassPolicyLockoutSafetyCheck, read 2026-11-24.
    """
    if not values.get("policy") or values.get("bypassPolicyLockoutSafetyCheck"):
        return None
    for statement in json.loads(values["policy"])["Statement"]:
        actions = statement.get("Action", [])
        every = [actions] if isinstance(actions, str) else actions
        if statement["Effect"] == "Allow" and {"kms:*", "kms:PutKeyPolicy"} & set(every):
            return None
    return "The new key policy will not allow you to update the key policy in the future."


def two_zones(name: str, *within: str) -> Rule:
    """Reject subnets that don't cover at least two availability zones.

    Source: pulumi-aws 7.51.1, eks.Cluster; botocore 1.44.8, rds CreateDBSubnetGroup; both read 2026-11-24.
    """

    def rule(api: Api, values: Values) -> str | None:
        inner = values
        for step in within:
            inner = inner[step]
        answer = api.call("ec2", "describe_subnets", SubnetIds=list(inner[name]))
        zones = sorted({subnet["AvailabilityZone"] for subnet in answer["Subnets"]})
        return None if len(zones) > 1 else f"subnets specified must be in at least two different AZs, not {zones}"

    return rule


def sold_here(api: Api, values: Values) -> str | None:
    """Reject instance types not offered by EC2 in the region.

    Source: botocore 1.44.8, ec2 DescribeInstanceTypeOfferings, for which moto returns an AWS response, read 2026-11-25.
    """
    for machine in values.get("instanceTypes") or ():
        only = [{"Name": "instance-type", "Values": [machine]}]
        answer = api.call("ec2", "describe_instance_type_offerings", LocationType="region", Filters=only)
        if not answer["InstanceTypeOfferings"]:
            return f"The following supplied instance types do not exist: [{machine}]"
    return None


def name_like(pattern: str, name: str = "name") -> Rule:
    """Reject a name that doesn't match the service's pattern. The caller states the pattern's source."""
    expression = re.compile(pattern)

    def rule(api: Api, values: Values) -> str | None:
        text = values.get(name)
        return None if not text or expression.fullmatch(text) else f"{name} {text!r} does not match {pattern}"

    return rule


def vpc_empty(api: Api, values: Values) -> str | None:
    """Refuse to delete a VPC that isn't empty. moto only checks subnets and route tables.

    Source: botocore 1.44.8, ec2 DeleteVpc, read 2026-11-24.
    """
    resource_id = values["id"]
    gateways = ec2.where(api, "describe_internet_gateways", **{"attachment.vpc_id": resource_id})
    groups = ec2.where(api, "describe_security_groups", vpc_id=resource_id)
    endpoints = ec2.where(api, "describe_vpc_endpoints", vpc_id=resource_id)
    left = [gateway["InternetGatewayId"] for gateway in gateways]
    left += [group["GroupId"] for group in groups if group["GroupName"] != "default"]
    left += [endpoint["VpcEndpointId"] for endpoint in endpoints if endpoint["State"] != "deleted"]
    return f"The vpc '{resource_id}' has dependencies and cannot be deleted: {', '.join(left)}" if left else None


def subnets_gone(api: Api, values: Values) -> str | None:
    """Refuse to delete a subnet still used by gateways, endpoints, clusters, node groups or databases.

    Source: https://repost.aws/knowledge-center/troubleshoot-dependency-error-delete-vpc, 2026-11-25.
    """
    resource_id = values["id"]
    left = [
        nat["NatGatewayId"]
        for nat in ec2.where(api, "describe_nat_gateways", subnet_id=resource_id)
        if nat["State"] != "deleted"
    ]
    left += [
        endpoint["VpcEndpointId"]
        for endpoint in ec2.where(api, "describe_vpc_endpoints", vpc_id=values["vpcId"])
        if endpoint["State"] != "deleted" and resource_id in endpoint.get("SubnetIds", ())
    ]
    for name in api.call("eks", "list_clusters")["clusters"]:
        cluster = api.call("eks", "describe_cluster", name=name)["cluster"]
        if resource_id in cluster["resourcesVpcConfig"].get("subnetIds", ()):
            left.append(name)
    return f"The subnet '{resource_id}' has dependencies and cannot be deleted: {', '.join(left)}" if left else None


def group_unused(api: Api, values: Values) -> str | None:
    """Refuse to delete a security group referenced by an endpoint or a rule of another group.

    Source: botocore 1.44.8, ec2 DeleteSecurityGroup, read 2026-11-24.
    """
    resource_id = values["id"]
    for group in ec2.where(api, "describe_security_groups", vpc_id=values["vpcId"]):
        for rule in (*group["IpPermissions"], *group["IpPermissionsEgress"]):
            referenced = [pair["GroupId"] for pair in rule.get("UserIdGroupPairs", ())]
            if resource_id in referenced and group["GroupId"] != resource_id:
                return f"resource {resource_id} has a dependent object: a rule of {group['GroupId']}"
    for endpoint in ec2.where(api, "describe_vpc_endpoints", vpc_id=values["vpcId"]):
        if endpoint["State"] != "deleted" and resource_id in [group["GroupId"] for group in endpoint.get("Groups", ())]:
            return f"resource {resource_id} has a dependent object: {endpoint['VpcEndpointId']}"
    return None


def database_name(api: Api, values: Values) -> str | None:
    """Reject instance, database and user names that RDS doesn't accept.

    Source: botocore 1.44.8, rds CreateDBInstance, read 2026-11-24.
    """
    if not re.fullmatch(r"(?!.*--)[a-z][a-z0-9-]{0,61}[a-z0-9]", str(values["identifier"])):
        return f"The parameter DBInstanceIdentifier is not a valid identifier: {values['identifier']}"
    name = values.get("dbName")
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name):
        return f"DBName must begin with a letter and contain only alphanumeric characters: {name}"
    if values.get("engine") == "postgres" and values.get("username") in ("admin", "rdsadmin", "postgresadmin"):
        return f"MasterUsername {values['username']} cannot be used as it is a reserved word used by the engine"
    if values.get("password") and values.get("manageMasterUserPassword"):
        return "You can't specify MasterUserPassword if you manage the master user password"
    return None


def final_snapshot(api: Api, values: Values) -> str | None:
    """Refuse to delete a database unless its final snapshot is named or skipped, like the provider does.

    Source: pulumi-aws 7.51.1, rds.Instance, skip_final_snapshot, read 2026-11-24.
    """
    if values.get("skipFinalSnapshot") or values.get("finalSnapshotIdentifier"):
        return None
    return "final_snapshot_identifier is required when skip_final_snapshot is false"


def lifecycle_text(api: Api, values: Values) -> str | None:
    """Reject an ECR lifecycle policy that isn't JSON, has no rules, or gives two rules the same priority.

    Source: botocore 1.44.8, ecr PutLifecyclePolicy, read 2026-11-24.
    """
    try:
        rules = json.loads(values["policy"])["rules"]
        priorities = [rule["rulePriority"] for rule in rules]
    except (ValueError, KeyError, TypeError) as error:
        return f"InvalidParameterException: Invalid parameter at 'LifecyclePolicyText': {error!r}"
    return None if len(set(priorities)) == len(priorities) else f"two rules of one priority: {priorities}"


_RETENTIONS = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def retention(api: Api, values: Values) -> str | None:
    """Reject retention periods not offered by CloudWatch: botocore 1.44.8, logs PutRetentionPolicy, read 2026-11-24."""
    days = values.get("retentionInDays", 0)
    return None if days in _RETENTIONS else f"retentionInDays {days} is none of {_RETENTIONS}"


def key_lets_logs_in(api: Api, values: Values) -> str | None:
    """Reject a key whose policy doesn't allow use by CloudWatch Logs.

    Source: botocore 1.44.8, logs AssociateKmsKey, read 2026-11-24, and
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html, 2026-11-24.
    """
    key = values.get("kmsKeyId")
    if not key:
        return None
    policy = json.loads(api.call("kms", "get_key_policy", KeyId=key, PolicyName="default")["Policy"])
    for statement in policy["Statement"]:
        service = (statement.get("Principal") or {}).get("Service", []) if statement["Effect"] == "Allow" else []
        if f"logs.{api.region}.amazonaws.com" in ([service] if isinstance(service, str) else service):
            return None
    return f"The specified KMS key does not exist or is not allowed to be used with LogGroup '{values['name']}'"
