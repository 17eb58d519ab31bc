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
    response = api.call(
        "ec2",
        "create_vpc",
        **picked(values, "cidrBlock", "instanceTenancy"),
        TagSpecifications=ec2.specification("vpc", values),
    )
    resource_id = str(response["Vpc"]["VpcId"])
    _update_vpc(api, resource_id, {}, values)
    return resource_id


def _update_vpc(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    for name in _ATTRIBUTES:
        if name in values:
            api.call("ec2", "modify_vpc_attribute", VpcId=resource_id, **upper({name: {"value": values[name]}}))


def _read_vpc(api: Api, resource_id: str, values: Values) -> Values | None:
    vpc = ec2.described(api, "describe_vpcs", "VpcIds", resource_id)
    attributes = {
        name: lower(api.call("ec2", "describe_vpc_attribute", VpcId=resource_id, Attribute=name))[name]["value"]
        for name in _ATTRIBUTES
    }
    groups = ec2.where(api, "describe_security_groups", vpc_id=resource_id, group_name="default")
    tables = ec2.where(api, "describe_route_tables", **{"vpc_id": resource_id, "association.main": "true"})
    lists = ec2.where(api, "describe_network_acls", vpc_id=resource_id, default="true")
    return {
        **attributes,
        "arn": api.arn("ec2", f"vpc/{resource_id}"),
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
    response = api.call(
        "ec2",
        "create_subnet",
        **picked(values, "vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId"),
        TagSpecifications=ec2.specification("subnet", values),
    )
    resource_id = str(response["Subnet"]["SubnetId"])
    if values.get("mapPublicIpOnLaunch"):
        _update_subnet(api, resource_id, {}, values)
    return resource_id


def _update_subnet(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    setting = {"Value": bool(values.get("mapPublicIpOnLaunch", False))}
    api.call("ec2", "modify_subnet_attribute", SubnetId=resource_id, MapPublicIpOnLaunch=setting)


def _read_subnet(api: Api, resource_id: str, values: Values) -> Values | None:
    subnet = ec2.described(api, "describe_subnets", "SubnetIds", resource_id)
    names = ("VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "MapPublicIpOnLaunch", "OwnerId")
    return {
        **lower({name: subnet[name] for name in names}),
        "arn": api.arn("ec2", f"subnet/{resource_id}"),
        "tagsAll": ec2.tags_of(subnet),
    }


def _create_gateway(api: Api, values: Values) -> str:
    response = api.call(
        "ec2", "create_internet_gateway", TagSpecifications=ec2.specification("internet-gateway", values)
    )
    resource_id = str(response["InternetGateway"]["InternetGatewayId"])
    _update_gateway(api, resource_id, {}, values)
    return resource_id


def _update_gateway(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    before, after = olds.get("vpcId"), values.get("vpcId")
    if before and before != after:
        api.call("ec2", "detach_internet_gateway", InternetGatewayId=resource_id, VpcId=before)
    if after and before != after:
        api.call("ec2", "attach_internet_gateway", InternetGatewayId=resource_id, VpcId=after)


def _read_gateway(api: Api, resource_id: str, values: Values) -> Values | None:
    gateway = ec2.described(api, "describe_internet_gateways", "InternetGatewayIds", resource_id)
    attached = gateway.get("Attachments") or [{}]
    return {
        "arn": api.arn("ec2", f"internet-gateway/{resource_id}"),
        "ownerId": api.account,
        "vpcId": attached[0].get("VpcId", ""),
        "tagsAll": ec2.tags_of(gateway),
    }


def _delete_gateway(api: Api, resource_id: str, values: Values) -> None:
    _update_gateway(api, resource_id, values, {})
    api.call("ec2", "delete_internet_gateway", InternetGatewayId=resource_id)


def _create_address(api: Api, values: Values) -> str:
    response = api.call(
        "ec2",
        "allocate_address",
        Domain=values.get("domain", "vpc"),
        TagSpecifications=ec2.specification("elastic-ip", values),
    )
    return str(response["AllocationId"])


def _read_address(api: Api, resource_id: str, values: Values) -> Values | None:
    address = ec2.described(api, "describe_addresses", "AllocationIds", resource_id)
    return {
        "arn": api.arn("ec2", f"elastic-ip/{resource_id}"),
        "allocationId": resource_id,
        "publicIp": address["PublicIp"],
        "domain": address["Domain"],
        "associationId": address.get("AssociationId", ""),
        "tagsAll": ec2.tags_of(address),
    }


def _create_nat(api: Api, values: Values) -> str:
    response = api.call(
        "ec2",
        "create_nat_gateway",
        **picked(values, "subnetId", "allocationId", "connectivityType"),
        TagSpecifications=ec2.specification("natgateway", values),
    )
    return str(response["NatGateway"]["NatGatewayId"])


def _read_nat(api: Api, resource_id: str, values: Values) -> Values | None:
    nat = ec2.described(api, "describe_nat_gateways", "NatGatewayIds", resource_id)
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
    response = api.call(
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
    return str(response["VpcEndpoint"]["VpcEndpointId"])


def _update_endpoint(api: Api, resource_id: str, olds: Values, values: Values) -> None:
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
    api.call("ec2", "modify_vpc_endpoint", VpcEndpointId=resource_id, **changes)


def _read_endpoint(api: Api, resource_id: str, values: Values) -> Values | None:
    endpoint = ec2.described(api, "describe_vpc_endpoints", "VpcEndpointIds", resource_id)
    if endpoint is None or endpoint["State"] == "deleted":
        return None
    names = ("VpcId", "ServiceName", "VpcEndpointType", "RouteTableIds", "SubnetIds", "PrivateDnsEnabled", "State")
    groups = [group["GroupId"] for group in endpoint.get("Groups", ())]
    return {
        **lower({name: endpoint[name] for name in names if name in endpoint}),
        "arn": api.arn("ec2", f"vpc-endpoint/{resource_id}"),
        "securityGroupIds": groups or values.get("securityGroupIds"),
        "policy": endpoint.get("PolicyDocument") or values.get("policy"),
        "networkInterfaceIds": endpoint.get("NetworkInterfaceIds", []),
        "prefixListId": f"pl-{zlib.crc32(endpoint['ServiceName'].encode()):08x}",
        "tagsAll": ec2.tags_of(endpoint),
    }


def _create_flow_log(api: Api, values: Values) -> str:
    kind = next(name for name in ("vpcId", "subnetId", "eniId") if values.get(name))
    response = api.call(
        "ec2",
        "create_flow_logs",
        ResourceIds=[values[kind]],
        ResourceType={"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface"}[kind],
        **picked(values, "trafficType", "logDestinationType", "logDestination", "logFormat", "maxAggregationInterval"),
        DeliverLogsPermissionArn=values.get("iamRoleArn"),
        TagSpecifications=ec2.specification("vpc-flow-log", values),
    )
    return str(response["FlowLogIds"][0])


def _read_flow_log(api: Api, resource_id: str, values: Values) -> Values | None:
    log = ec2.described(api, "describe_flow_logs", "FlowLogIds", resource_id)
    if log is None:
        return None
    names = ("TrafficType", "LogDestinationType", "LogDestination", "LogFormat", "MaxAggregationInterval")
    return {
        **lower({name: log[name] for name in names if name in log}),
        **{name: log["ResourceId"] for name in ("vpcId", "subnetId", "eniId") if values.get(name)},
        "iamRoleArn": log.get("DeliverLogsPermissionArn"),
        "arn": api.arn("ec2", f"vpc-flow-log/{resource_id}"),
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
