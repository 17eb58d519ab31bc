"""Tests VPCs and the resources that belong to them."""

from __future__ import annotations

import pytest

from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.shared.refusal import Refused
from tests.real.stand_in.world import World, a_key, a_network, all_ends, trust_in


def test_networks(world: World, cloud: Cloud) -> None:
    """A network can have gateways, addresses, routes, endpoints, firewalls and flow logs."""
    key = a_key(world)
    vpc, subnets = a_network(world)
    world.make("gateway", "aws:ec2/internetGateway:InternetGateway", vpcId=vpc["id"])
    address = world.make("address", "aws:ec2/eip:Eip", domain="vpc")
    nat = world.make(
        "nat", "aws:ec2/natGateway:NatGateway", subnetId=subnets[0], allocationId=address["id"], tags={"Name": "n"}
    )
    table = world.make("table", "aws:ec2/routeTable:RouteTable", vpcId=vpc["id"])
    world.make(
        "route",
        "aws:ec2/route:Route",
        routeTableId=table["id"],
        destinationCidrBlock="0.0.0.0/0",
        natGatewayId=nat["id"],
    )
    world.make(
        "use",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        routeTableId=table["id"],
        subnetId=subnets[0],
    )
    world.make("closed", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", vpcId=vpc["id"])
    group = world.make("group", "aws:ec2/securityGroup:SecurityGroup", vpcId=vpc["id"], description="HTTPS")
    world.make(
        "https",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        securityGroupId=group["id"],
        ipProtocol="tcp",
        fromPort=443,
        toPort=443,
        cidrIpv4="10.0.0.0/16",
        description="from inside",
    )
    world.make(
        "out",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        securityGroupId=group["id"],
        ipProtocol="-1",
        cidrIpv4="0.0.0.0/0",
    )
    world.make(
        "s3",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        vpcId=vpc["id"],
        vpcEndpointType="Gateway",
        serviceName="com.amazonaws.eu-central-1.s3",
        routeTableIds=[table["id"]],
    )
    world.make(
        "sts",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        vpcId=vpc["id"],
        vpcEndpointType="Interface",
        serviceName="com.amazonaws.eu-central-1.sts",
        subnetIds=subnets,
        securityGroupIds=[group["id"]],
        privateDnsEnabled=True,
    )
    role = world.make("role", "aws:iam/role:Role", assumeRolePolicy=trust_in("vpc-flow-logs.amazonaws.com"))
    log = world.make(
        "log", "aws:cloudwatch/logGroup:LogGroup", name="/aws/vpc/x", retentionInDays=30, kmsKeyId=key["arn"]
    )
    world.make(
        "flows",
        "aws:ec2/flowLog:FlowLog",
        vpcId=vpc["id"],
        trafficType="ALL",
        logDestinationType="cloud-watch-logs",
        logDestination=log["arn"],
        iamRoleArn=role["arn"],
    )

    assert world.change("https", fromPort=8443, toPort=8443)[0] == ["fromPort", "toPort"]
    assert world.change("log", retentionInDays=90)[0] == ["retentionInDays"]
    assert world.change("vpc", tags={"Name": "v"})[0] == ["tags", "tagsAll"]
    assert world.change("sts", subnetIds=subnets[:1])[0] == ["subnetIds"]
    assert world.replaced_by("subnet-a", cidrBlock="10.0.9.0/24") == ["cidrBlock"]
    assert world.replaced_by("group", description="other") == ["description"]
    for name, words in (("vpc", "has dependencies"), ("subnet-a", "has dependencies"), ("group", "dependent object")):
        with pytest.raises(Refused, match=words):
            world.remove(name)
    all_ends(world, cloud)
