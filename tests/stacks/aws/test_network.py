"""Tests that networks have private subnets, flow logs and, if requested, egress."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard_stacks.aws.network import subnet_blocks
from tests.moto.rights import allows
from tests.stacks.aws.programs import KEY, NETWORK, POOLS, Resources, elsewhere, inputs, needs, of, policy, registered
from tests.stacks.programs import Refused

NAME = "fraud-prod-main"
SUBNET = "aws:ec2/subnet:Subnet"
ROUTE = "aws:ec2/route:Route"
NAT = "aws:ec2/natGateway:NatGateway"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
ADOPTED = f"""{KEY}
import pulumi

from modelyard_stacks.aws.network import AdoptedNetwork

network = AdoptedNetwork(
    "shared", account=account, vpc_id="vpc-1", subnet_ids=["subnet-1", "subnet-2"], cidr="10.8.0.0/16"
)
seen = {{"vpc": network.vpc_id, "subnets": network.subnet_ids, "s3": network.s3_ranges}}
pulumi.ComponentResource("tiny:Seen", "seen", seen)
"""


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a network without egress."""
    return registered(tmp_path_factory.mktemp("closed"), NETWORK)


@pytest.fixture(scope="module")
def per_zone(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a network with a NAT gateway per zone."""
    return registered(tmp_path_factory.mktemp("zones"), NETWORK.replace('nat="none"', 'nat="per-zone"'))


@pytest.fixture(scope="module")
def single_gateway(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a two-zone network with one NAT gateway and S3 as its only endpoint."""
    program = NETWORK.replace('nat="none"', 'nat="one", zones=2')
    start, rest = program.split("endpoints=[")
    return registered(tmp_path_factory.mktemp("one"), f"{start}endpoints=[{rest[rest.index(']') :]}")


def test_network_without_nat_has_no_public_subnets(closed: Resources) -> None:
    assert set(of(closed, SUBNET)) == {f"{NAME}-private-{zone}" for zone in (1, 2, 3)}
    assert of(closed, ROUTE) == {}
    assert [
        kind for kind in (NAT, "aws:ec2/internetGateway:InternetGateway", "aws:ec2/eip:Eip") if of(closed, kind)
    ] == []


def test_subnets_assign_no_public_addresses(per_zone: Resources) -> None:
    subnets = of(per_zone, SUBNET)

    assert len(subnets) == 6
    assert {each["inputs"]["mapPublicIpOnLaunch"] for each in subnets.values()} == {False}


def test_subnets_are_spread_over_fixed_zones(per_zone: Resources) -> None:
    for kind in ("private", "public"):
        zones = [inputs(per_zone, SUBNET, f"{NAME}-{kind}-{zone}")["availabilityZone"] for zone in (1, 2, 3)]
        assert zones == ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    assert {tuple(each["ignoreChanges"]) for each in of(per_zone, SUBNET).values()} == {("availabilityZone",)}


def test_subnets_are_tagged_for_load_balancers_and_karpenter(per_zone: Resources) -> None:
    private = inputs(per_zone, SUBNET, f"{NAME}-private-1")["tags"]
    public = inputs(per_zone, SUBNET, f"{NAME}-public-1")["tags"]

    assert private["kubernetes.io/role/internal-elb"] == "1"
    assert private["karpenter.sh/discovery"] == NAME
    assert public["kubernetes.io/role/elb"] == "1"
    assert "karpenter.sh/discovery" not in public


def test_each_zone_has_its_own_nat_gateway(per_zone: Resources) -> None:
    private = {
        name: each["inputs"]["natGatewayId"]
        for name, each in of(per_zone, ROUTE).items()
        if "natGatewayId" in each["inputs"]
    }

    assert private == {f"{NAME}-private-{zone}": f"{NAME}-{zone}" for zone in (1, 2, 3)}
    assert {name: each["inputs"]["subnetId"] for name, each in of(per_zone, NAT).items()} == {
        f"{NAME}-{zone}": f"{NAME}-public-{zone}" for zone in (1, 2, 3)
    }
    assert inputs(per_zone, ROUTE, f"{NAME}-public")["gatewayId"] == NAME


def test_one_nat_gateway_is_shared(single_gateway: Resources) -> None:
    private = {
        each["inputs"]["natGatewayId"]
        for each in of(single_gateway, ROUTE).values()
        if "natGatewayId" in each["inputs"]
    }

    assert private == {f"{NAME}-1"}
    assert set(of(single_gateway, NAT)) == {f"{NAME}-1"}
    assert len(of(single_gateway, SUBNET)) == 4
    assert set(of(single_gateway, ENDPOINT)) == {f"{NAME}-s3"}
    assert of(single_gateway, "aws:ec2/securityGroup:SecurityGroup") == {}


def test_addresses_are_deleted_before_the_internet_gateway(per_zone: Resources) -> None:
    assert f"aws:ec2/internetGateway:InternetGateway {NAME}" in needs(per_zone, "aws:ec2/eip:Eip", f"{NAME}-1")
    assert f"{ROUTE} {NAME}-public" in needs(per_zone, NAT, f"{NAME}-1")


def test_endpoints_accept_only_traffic_from_this_network(closed: Resources) -> None:
    interfaces = {name: each["inputs"] for name, each in of(closed, ENDPOINT).items() if name != f"{NAME}-s3"}
    rule = inputs(closed, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", f"{NAME}-endpoints")

    assert {each["serviceName"] for each in interfaces.values()} == {
        f"com.amazonaws.eu-central-1.{service}" for service in ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts")
    }
    for each in interfaces.values():
        assert each["privateDnsEnabled"] is True
        assert each["vpcEndpointType"] == "Interface"
        assert each["securityGroupIds"] == [f"{NAME}-endpoints"]
        assert len(each["subnetIds"]) == 3
    assert (rule["cidrIpv4"], rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == ("10.0.0.0/16", 443, 443, "tcp")


def test_s3_endpoint_serves_every_private_subnet(closed: Resources, per_zone: Resources) -> None:
    endpoint = inputs(closed, ENDPOINT, f"{NAME}-s3")

    assert endpoint["vpcEndpointType"] == "Gateway"
    assert endpoint["routeTableIds"] == [f"{NAME}-private-1"]
    assert inputs(per_zone, ENDPOINT, f"{NAME}-s3")["routeTableIds"] == [f"{NAME}-private-{zone}" for zone in (1, 2, 3)]


def test_private_subnets_share_a_route_table_unless_nat_is_per_zone(closed: Resources, per_zone: Resources) -> None:
    def tables(resources: Resources) -> dict[str, str]:
        associations = of(resources, "aws:ec2/routeTableAssociation:RouteTableAssociation").values()
        return {each["inputs"]["subnetId"]: each["inputs"]["routeTableId"] for each in associations}

    private = [f"{NAME}-private-{zone}" for zone in (1, 2, 3)]
    public = {f"{NAME}-public-{zone}": f"{NAME}-public" for zone in (1, 2, 3)}

    assert tables(closed) == dict.fromkeys(private, f"{NAME}-private-1")
    assert tables(per_zone) == {**dict(zip(private, private, strict=True)), **public}


def test_s3_endpoint_allows_only_named_buckets_and_image_layers(closed: Resources, tmp_path: Path) -> None:
    """Workloads cannot write to other accounts' buckets, and other accounts cannot access ours."""
    program = NETWORK.replace("endpoints=[", 'buckets=["fraud-lake"],\n    endpoints=[')
    text = str(inputs(registered(tmp_path, program), ENDPOINT, f"{NAME}-s3")["policy"])
    ours, theirs = ({"aws:PrincipalAccount": account} for account in ("123456789012", "999999999999"))
    layers = "arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/layer"

    assert allows(text, "s3:PutObject", "arn:aws:s3:::fraud-lake/a", ours)
    assert allows(text, "s3:ListBucket", "arn:aws:s3:::fraud-lake", ours)
    assert not allows(text, "s3:PutObject", "arn:aws:s3:::fraud-lake/a", theirs)
    assert not allows(text, "s3:PutObject", "arn:aws:s3:::fraud-lake-2/a", ours)
    assert allows(text, "s3:GetObject", layers)
    assert not allows(text, "s3:PutObject", layers, ours)
    assert set(policy(inputs(closed, ENDPOINT, f"{NAME}-s3")["policy"])) == {"Layers"}


def test_other_endpoints_accept_only_principals_of_the_account(closed: Resources) -> None:
    policies = {name: each["inputs"].get("policy") for name, each in of(closed, ENDPOINT).items()}
    text = str(policies[f"{NAME}-ecr-api"])

    assert [name for name, policy in policies.items() if not policy] == [f"{NAME}-eks-auth"]
    assert allows(text, "ecr:GetAuthorizationToken", "*", {"aws:PrincipalAccount": "123456789012"})
    assert not allows(text, "ecr:GetAuthorizationToken", "*", {"aws:PrincipalAccount": "999999999999"})


def test_network_without_nat_needs_the_node_endpoints(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="without internet access, it also needs the endpoints eks-auth"):
        registered(tmp_path, NETWORK.replace('"eks-auth", ', ""))


def test_default_security_group_has_no_rules(closed: Resources) -> None:
    group = inputs(closed, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", NAME)

    assert group == {"egress": [], "ingress": [], "vpcId": NAME}


def test_all_traffic_is_logged_and_encrypted(closed: Resources) -> None:
    name = f"{NAME}-flow-logs"
    log = inputs(closed, "aws:ec2/flowLog:FlowLog", name)
    group = inputs(closed, "aws:cloudwatch/logGroup:LogGroup", name)
    role = inputs(closed, "aws:iam/role:Role", name)
    rights = policy(inputs(closed, "aws:iam/rolePolicy:RolePolicy", name)["policy"])

    assert (log["trafficType"], log["vpcId"]) == ("ALL", NAME)
    assert group["name"] == f"/aws/vpc/{NAME}/flow-logs"
    assert group["kmsKeyId"] == f"arn:aws:kms:::Key/{NAME}"
    assert group["retentionInDays"] == 90
    assert policy(role["assumeRolePolicy"])["Service"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"}
    }
    assert rights["Write"]["Resource"] == f"arn:aws:cloudwatch:::LogGroup/{name}:*"
    assert f"aws:iam/rolePolicy:RolePolicy {name}" in needs(closed, "aws:ec2/flowLog:FlowLog", name)


def test_vpc_dns_is_enabled(closed: Resources) -> None:
    vpc = inputs(closed, "aws:ec2/vpc:Vpc", NAME)

    assert (vpc["enableDnsHostnames"], vpc["enableDnsSupport"]) == (True, True)


def test_network_is_protected_from_replacement(closed: Resources, tmp_path: Path) -> None:
    """Changing a VPC's primary CIDR block replaces it, but clusters and databases can't move to another VPC."""
    open_ended = registered(tmp_path, NETWORK, settings="protect: false")

    assert closed[f"aws:ec2/vpc:Vpc {NAME}"]["protect"]
    assert not open_ended[f"aws:ec2/vpc:Vpc {NAME}"]["protect"]


@pytest.mark.parametrize("network", ["closed", "per_zone", "single_gateway"])
def test_every_resource_has_the_network_and_the_account(network: str, request: pytest.FixtureRequest) -> None:
    assert elsewhere(request.getfixturevalue(network)) == set()


def test_adopted_network_creates_nothing(tmp_path: Path) -> None:
    resources = registered(tmp_path, ADOPTED)

    assert [each["type"] for each in resources.values() if each["type"].startswith("aws:ec2")] == []
    assert resources["tiny:Seen seen"]["inputs"] == {
        "vpc": "vpc-1",
        "subnets": ["subnet-1", "subnet-2"],
        "s3": "52.219.44.0/22,3.5.134.0/23",
    }


def test_cluster_can_use_an_adopted_network(tmp_path: Path) -> None:
    start = POOLS.index("from modelyard_stacks.aws.network import")
    resources = registered(tmp_path, ADOPTED + POOLS[POOLS.index(")\n", start) + 2 :])

    assert inputs(resources, "aws:eks/cluster:Cluster", NAME)["vpcConfig"]["subnetIds"] == ["subnet-1", "subnet-2"]
    assert inputs(resources, "aws:eks/nodeGroup:NodeGroup", "system")["subnetIds"] == ["subnet-1", "subnet-2"]
    assert inputs(resources, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", f"{NAME}-api")[
        "cidrIpv4"
    ] == ("10.8.0.0/16")
    assert of(resources, "aws:ec2/vpc:Vpc") == of(resources, SUBNET) == of(resources, ENDPOINT) == {}


def test_endpoints_in_china_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="endpoints in China are not supported; adopt a network"):
        registered(tmp_path, NETWORK.replace("eu-central-1", "cn-north-1"))


def test_adding_a_zone_changes_no_existing_subnet() -> None:
    two, three = subnet_blocks("10.20.0.0/16", 2), subnet_blocks("10.20.0.0/16", 3)

    assert two[0] == three[0][:2] == ["10.20.0.0/19", "10.20.32.0/19"]
    assert two[1] == three[1][:2] == ["10.20.224.0/24", "10.20.225.0/24"]


def test_smallest_block_has_space_for_load_balancers() -> None:
    private, public = subnet_blocks("10.20.0.0/22", 4)

    assert private == ["10.20.0.0/25", "10.20.0.128/25", "10.20.1.0/25", "10.20.1.128/25"]
    assert public == ["10.20.3.128/27", "10.20.3.160/27", "10.20.3.192/27", "10.20.3.224/27"]


@pytest.mark.parametrize(
    ("cidr", "zones", "message"),
    [
        ("10.0.0.0/15", 3, "between /16 and /22"),
        ("10.0.0.0/23", 3, "between /16 and /22"),
        ("10.0.0.0/16", 1, "two to four zones, not 1"),
        ("10.0.0.0/16", 5, "two to four zones, not 5"),
    ],
)
def test_unusable_blocks_and_zone_counts_are_refused(cidr: str, zones: int, message: str) -> None:
    with pytest.raises(Exception, match=message):
        subnet_blocks(cidr, zones)


def test_region_with_too_few_zones_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="only 3 zones"):
        registered(tmp_path, NETWORK.replace('nat="none"', 'nat="none", zones=4'))


def test_key_is_created_before_the_flow_log_group(closed: Resources) -> None:
    assert f"aws:kms/key:Key {NAME}" in needs(closed, "aws:cloudwatch/logGroup:LogGroup", f"{NAME}-flow-logs")
