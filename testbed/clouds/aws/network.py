"""VPCs, subnets, gateways, elastic IPs, endpoints and flow logs."""

from __future__ import annotations

import zlib

from testbed.clouds.aws import ec2
from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Record
from testbed.clouds.aws.rules import cidr_block, subnets_gone, vpc_empty
from testbed.clouds.shared.values import Values, lower, picked, upper

_ATTRIBUTES = ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")


def _create_vpc(api: Api, values: Values) -> str:
    made = api.call(
        "ec2",
        "create_vpc",
        **picked(values, "cidrBlock", "instanceTenancy"),
        TagSpecifications=ec2.specification("vpc", values),
    )
    found = str(made["Vpc"]["VpcId"])
    _update_vpc(api, found, {}, values)
    return found


def _update_vpc(api: Api, found: str, olds: Values, values: Values) -> None:
    for name in _ATTRIBUTES:
        if name in values:
            api.call("ec2", "modify_vpc_attribute", VpcId=found, **upper({name: {"value": values[name]}}))


def _read_vpc(api: Api, found: str, values: Values) -> Values | None:
    vpc = ec2.described(api, "describe_vpcs", "VpcIds", found)
    attributes = {
        name: lower(api.call("ec2", "describe_vpc_attribute", VpcId=found, Attribute=name))[name]["value"]
        for name in _ATTRIBUTES
    }
    groups = ec2.where(api, "describe_security_groups", vpc_id=found, group_name="default")
    tables = ec2.where(api, "describe_route_tables", **{"vpc_id": found, "association.main": "true"})
    lists = ec2.where(api, "describe_network_acls", vpc_id=found, default="true")
    return {
        **attributes,
        "arn": api.arn("ec2", f"vpc/{found}"),
        "cidrBlock": vpc["CidrBlock"],
        "instanceTenancy": vpc["InstanceTenancy"],
        "ownerId": api.account,
        "defaultSecurityGroupId": groups[0]["GroupId"] if groups else "",
        "defaultRouteTableId": tables[0]["RouteTableId"] if tables else "",
        "mainRouteTableId": tables[0]["RouteTableId"] if tables else "",
        "defaultNetworkAclId": lists[0]["NetworkAclId"] if lists else "",
        "tagsAll": ec2.tags_of(vpc),
    }


def _create_subnet(api: Api, values: Values) -> str:
    made = api.call(
        "ec2",
        "create_subnet",
        **picked(values, "vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId"),
        TagSpecifications=ec2.specification("subnet", values),
    )
    found = str(made["Subnet"]["SubnetId"])
    if values.get("mapPublicIpOnLaunch"):
        _update_subnet(api, found, {}, values)
    return found


def _update_subnet(api: Api, found: str, olds: Values, values: Values) -> None:
    wanted = {"Value": bool(values.get("mapPublicIpOnLaunch", False))}
    api.call("ec2", "modify_subnet_attribute", SubnetId=found, MapPublicIpOnLaunch=wanted)


def _read_subnet(api: Api, found: str, values: Values) -> Values | None:
    subnet = ec2.described(api, "describe_subnets", "SubnetIds", found)
    names = ("VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "MapPublicIpOnLaunch", "OwnerId")
    return {
        **lower({name: subnet[name] for name in names}),
        "arn": api.arn("ec2", f"subnet/{found}"),
        "tagsAll": ec2.tags_of(subnet),
    }


def _create_gateway(api: Api, values: Values) -> str:
    made = api.call("ec2", "create_internet_gateway", TagSpecifications=ec2.specification("internet-gateway", values))
    found = str(made["InternetGateway"]["InternetGatewayId"])
    _update_gateway(api, found, {}, values)
    return found


def _update_gateway(api: Api, found: str, olds: Values, values: Values) -> None:
    before, after = olds.get("vpcId"), values.get("vpcId")
    if before and before != after:
        api.call("ec2", "detach_internet_gateway", InternetGatewayId=found, VpcId=before)
    if after and before != after:
        api.call("ec2", "attach_internet_gateway", InternetGatewayId=found, VpcId=after)


def _read_gateway(api: Api, found: str, values: Values) -> Values | None:
    gateway = ec2.described(api, "describe_internet_gateways", "InternetGatewayIds", found)
    attached = gateway.get("Attachments") or [{}]
    return {
        "arn": api.arn("ec2", f"internet-gateway/{found}"),
        "ownerId": api.account,
        "vpcId": attached[0].get("VpcId", ""),
        "tagsAll": ec2.tags_of(gateway),
    }


def _delete_gateway(api: Api, found: str, values: Values) -> None:
    _update_gateway(api, found, values, {})
    api.call("ec2", "delete_internet_gateway", InternetGatewayId=found)


def _create_address(api: Api, values: Values) -> str:
    made = api.call(
        "ec2",
        "allocate_address",
        Domain=values.get("domain", "vpc"),
        TagSpecifications=ec2.specification("elastic-ip", values),
    )
    return str(made["AllocationId"])


def _read_address(api: Api, found: str, values: Values) -> Values | None:
    address = ec2.described(api, "describe_addresses", "AllocationIds", found)
    return {
        "arn": api.arn("ec2", f"elastic-ip/{found}"),
        "allocationId": found,
        "publicIp": address["PublicIp"],
        "domain": address["Domain"],
        "associationId": address.get("AssociationId", ""),
        "tagsAll": ec2.tags_of(address),
    }


def _create_nat(api: Api, values: Values) -> str:
    made = api.call(
        "ec2",
        "create_nat_gateway",
        **picked(values, "subnetId", "allocationId", "connectivityType"),
        TagSpecifications=ec2.specification("natgateway", values),
    )
    return str(made["NatGateway"]["NatGatewayId"])


def _read_nat(api: Api, found: str, values: Values) -> Values | None:
    nat = ec2.described(api, "describe_nat_gateways", "NatGatewayIds", found)
    if nat is None or nat["State"] == "deleted":
        return None
    address = (nat.get("NatGatewayAddresses") or [{}])[0]
    return {
        "subnetId": nat["SubnetId"],
        "connectivityType": nat.get("ConnectivityType", values.get("connectivityType", "public")),
        "allocationId": address.get("AllocationId"),
        "publicIp": address.get("PublicIp"),
        "networkInterfaceId": address.get("NetworkInterfaceId"),
        "tagsAll": ec2.tags_of(nat),
    }


def _create_endpoint(api: Api, values: Values) -> str:
    made = api.call(
        "ec2",
        "create_vpc_endpoint",
        **picked(
            values,
            *("vpcId", "serviceName", "vpcEndpointType", "routeTableIds", "subnetIds", "securityGroupIds"),
            "privateDnsEnabled",
        ),
        PolicyDocument=values.get("policy"),
        TagSpecifications=ec2.specification("vpc-endpoint", values),
    )
    return str(made["VpcEndpoint"]["VpcEndpointId"])


def _update_endpoint(api: Api, found: str, olds: Values, values: Values) -> None:
    changes: Values = {}
    for name in ("routeTableIds", "subnetIds", "securityGroupIds"):
        before, after = set(olds.get(name) or ()), set(values.get(name) or ())
        parameter = name[:1].upper() + name[1:]
        changes[f"Add{parameter}"] = sorted(after - before) or None
        changes[f"Remove{parameter}"] = sorted(before - after) or None
    if values.get("policy") != olds.get("policy"):
        changes |= {"PolicyDocument": values.get("policy"), "ResetPolicy": None if values.get("policy") else True}
    if values.get("privateDnsEnabled") != olds.get("privateDnsEnabled"):
        changes["PrivateDnsEnabled"] = values.get("privateDnsEnabled", False)
    api.call("ec2", "modify_vpc_endpoint", VpcEndpointId=found, **changes)


def _read_endpoint(api: Api, found: str, values: Values) -> Values | None:
    endpoint = ec2.described(api, "describe_vpc_endpoints", "VpcEndpointIds", found)
    if endpoint is None or endpoint["State"] == "deleted":
        return None
    names = ("VpcId", "ServiceName", "VpcEndpointType", "RouteTableIds", "SubnetIds", "PrivateDnsEnabled", "State")
    groups = [group["GroupId"] for group in endpoint.get("Groups", ())]
    return {
        **lower({name: endpoint[name] for name in names if name in endpoint}),
        "arn": api.arn("ec2", f"vpc-endpoint/{found}"),
        "securityGroupIds": groups or values.get("securityGroupIds"),
        "policy": endpoint.get("PolicyDocument") or values.get("policy"),
        "networkInterfaceIds": endpoint.get("NetworkInterfaceIds", []),
        "prefixListId": f"pl-{zlib.crc32(endpoint['ServiceName'].encode()):08x}",
        "tagsAll": ec2.tags_of(endpoint),
    }


def _create_flow_log(api: Api, values: Values) -> str:
    kind = next(name for name in ("vpcId", "subnetId", "eniId") if values.get(name))
    made = api.call(
        "ec2",
        "create_flow_logs",
        ResourceIds=[values[kind]],
        ResourceType={"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface"}[kind],
        **picked(values, "trafficType", "logDestinationType", "logDestination", "logFormat", "maxAggregationInterval"),
        DeliverLogsPermissionArn=values.get("iamRoleArn"),
        TagSpecifications=ec2.specification("vpc-flow-log", values),
    )
    return str(made["FlowLogIds"][0])


def _read_flow_log(api: Api, found: str, values: Values) -> Values | None:
    log = ec2.described(api, "describe_flow_logs", "FlowLogIds", found)
    if log is None:
        return None
    names = ("TrafficType", "LogDestinationType", "LogDestination", "LogFormat", "MaxAggregationInterval")
    return {
        **lower({name: log[name] for name in names if name in log}),
        **{name: log["ResourceId"] for name in ("vpcId", "subnetId", "eniId") if values.get(name)},
        "iamRoleArn": log.get("DeliverLogsPermissionArn"),
        "arn": api.arn("ec2", f"vpc-flow-log/{found}"),
        "tagsAll": ec2.tags_of(log),
    }


RECORDS = {
    "aws:ec2/vpc:Vpc": Record(
        _create_vpc,
        _read_vpc,
        ec2.deletes("delete_vpc", "VpcId"),
        _update_vpc,
        ec2.tag,
        fixed=frozenset({"cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"}),
        rules=(cidr_block(16, 28),),
        on_delete=(vpc_empty,),
    ),
    "aws:ec2/subnet:Subnet": Record(
        _create_subnet,
        _read_subnet,
        ec2.deletes("delete_subnet", "SubnetId"),
        _update_subnet,
        ec2.tag,
        fixed=frozenset({"vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId"}),
        rules=(cidr_block(16, 28),),
        on_delete=(subnets_gone,),
    ),
    "aws:ec2/internetGateway:InternetGateway": Record(
        _create_gateway, _read_gateway, _delete_gateway, _update_gateway, ec2.tag
    ),
    "aws:ec2/eip:Eip": Record(
        _create_address, _read_address, ec2.deletes("release_address", "AllocationId"), None, ec2.tag
    ),
    "aws:ec2/natGateway:NatGateway": Record(
        _create_nat, _read_nat, ec2.deletes("delete_nat_gateway", "NatGatewayId"), None, ec2.tag
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Record(
        _create_endpoint,
        _read_endpoint,
        ec2.deletes("delete_vpc_endpoints", "VpcEndpointIds", several=True),
        _update_endpoint,
        ec2.tag,
        fixed=frozenset({"vpcId", "serviceName", "vpcEndpointType"}),
    ),
    "aws:ec2/flowLog:FlowLog": Record(
        _create_flow_log, _read_flow_log, ec2.deletes("delete_flow_logs", "FlowLogIds", several=True), None, ec2.tag
    ),
}
