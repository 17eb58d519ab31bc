"""A target's network, either new or existing."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Literal, TypeAlias

import pulumi
import pulumi_aws
from pulumi_aws import ec2

from .account import Account, protected
from .endpoints import service_endpoints
from .flow_logs import flow_logs
from .key import Key

Nat: TypeAlias = Literal["none", "one", "per-zone"]

_NODES_NEED = ("ec2", "ecr.api", "ecr.dkr", "eks-auth")
"""The endpoints that nodes without internet access need to join the cluster, and their Pods to assume roles.

Source: https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html, 2026-11-24.
"""

_NO_CLUSTERS = ["use1-az3", "usw1-az2", "cac1-az3"]
"""Zones in which EKS accepts no subnets.

Source: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html, 2026-11-24.
"""


class AdoptedNetwork:
    """An existing network, whose owner manages its routes, endpoints and flow logs. Nothing is created.

    `subnet_ids` are private subnets in at least two zones. `cidr` is the CIDR block of the VPC.
    """

    def __init__(self, name: str, *, account: Account, vpc_id: str, subnet_ids: Sequence[str], cidr: str) -> None:
        self.name = name
        self.account = account
        self.vpc_id = pulumi.Output.from_input(vpc_id)
        self.subnet_ids = [pulumi.Output.from_input(subnet_id) for subnet_id in subnet_ids]
        self.cidr = cidr
        self.nat_gateway_ids: list[pulumi.Output[str]] = []
        self.s3_ranges = s3_ranges(account)
        self.ready: tuple[pulumi.Resource, ...] = ()


class Network(pulumi.ComponentResource):
    """A VPC with a private subnet in each zone, which can't be reached from outside.

    `nat` is the outbound path to the internet: none, one gateway, or one per zone, which survives the loss of a zone.
    With NAT, there is also a small public subnet per zone for the gateways and load balancers, which are the only
    resources with public addresses. S3 and the services in `endpoints` are reached without leaving AWS. In S3, only the
    named `buckets` are reachable. All traffic is logged.

    `cidr` is split into eighths: one for each private subnet, and the last one for the public subnets, so adding a zone
    doesn't change any existing subnet. Machines must wait for `ready` before they can reach anything.
    """

    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    nat_gateway_ids: list[pulumi.Output[str]]
    s3_ranges: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        key: Key,
        cidr: str = "10.0.0.0/16",
        zones: int = 3,
        nat: Nat,
        endpoints: Sequence[str],
        buckets: Sequence[str] = (),
        log_days: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:Network", name, None, account.options(opts))
        missing = [service for service in _NODES_NEED if service not in endpoints]
        if nat == "none" and missing:
            raise pulumi.RunError(
                f"network {name}: without internet access, it also needs the endpoints {', '.join(missing)}"
            )
        self.name = name
        self.account = account
        self.cidr = cidr
        self._child = pulumi.ResourceOptions(parent=self)
        private, public = subnet_blocks(cidr, zones)
        self._vpc = ec2.Vpc(
            name,
            # endpoints with private DNS need both
            ec2.VpcArgs(cidr_block=cidr, enable_dns_hostnames=True, enable_dns_support=True, tags={"Name": name}),
            # a new block would replace the VPC, and neither EKS nor RDS can move to another network: protect it
            pulumi.ResourceOptions(parent=self, protect=protected()),
        )
        self.vpc_id = self._vpc.id
        self._zones = pulumi_aws.get_availability_zones_output(
            state="available",
            # opt-in zones are Local and Wavelength Zones, which lack most services
            filters=[pulumi_aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])],
            exclude_zone_ids=_NO_CLUSTERS,
            opts=pulumi.InvokeOutputOptions(provider=account),
        )
        # by default this group lets its members connect to each other and to the world; remove its rules
        ec2.DefaultSecurityGroup(
            name, ec2.DefaultSecurityGroupArgs(vpc_id=self.vpc_id, ingress=[], egress=[]), self._child
        )
        flow_logs(name, account=account, key=key, vpc_id=self.vpc_id, days=log_days, opts=self._child)

        subnets = [
            self._subnet(
                "private", index, block, {"kubernetes.io/role/internal-elb": "1", "karpenter.sh/discovery": name}
            )
            for index, block in enumerate(private)
        ]
        self.subnet_ids = [subnet.id for subnet in subnets]
        # one table for all zones, unless each has its own NAT gateway
        tables = [self._table(f"{name}-private-{index + 1}") for index in range(zones if nat == "per-zone" else 1)]
        for index, subnet in enumerate(subnets):
            self._associate(f"{name}-private-{index + 1}", tables[index % len(tables)], subnet)
        gateways = self._gateways(public, 1 if nat == "one" else len(public)) if nat != "none" else []
        self.nat_gateway_ids = [gateway.id for gateway in gateways]
        ways_out = [
            self._default_route(f"{name}-private-{index + 1}", table, nat_gateway_id=gateway.id)
            for index, (table, gateway) in enumerate(zip(tables, gateways, strict=False))
        ]
        vpc_endpoints = service_endpoints(
            name,
            account=account,
            vpc_id=self.vpc_id,
            cidr=cidr,
            subnet_ids=self.subnet_ids,
            route_table_ids=[table.id for table in tables],
            services=endpoints,
            buckets=buckets,
            opts=self._child,
        )
        self.s3_ranges = s3_ranges(account)
        self.ready = (*ways_out, *vpc_endpoints)
        self.register_outputs({"vpcId": self.vpc_id, "subnetIds": self.subnet_ids})

    def _subnet(self, kind: str, index: int, block: str, tags: dict[str, str]) -> ec2.Subnet:
        name = f"{self.name}-{kind}-{index + 1}"
        return ec2.Subnet(
            name,
            ec2.SubnetArgs(
                vpc_id=self.vpc_id,
                cidr_block=block,
                availability_zone=self._zones.names.apply(lambda names: _pick(names, index)),
                map_public_ip_on_launch=False,
                tags={"Name": name, **tags},
            ),
            # when AWS opens or closes a zone, subnets and everything in them must not move
            pulumi.ResourceOptions(parent=self, ignore_changes=["availabilityZone"]),
        )

    def _table(self, name: str) -> ec2.RouteTable:
        return ec2.RouteTable(name, ec2.RouteTableArgs(vpc_id=self.vpc_id, tags={"Name": name}), self._child)

    def _associate(self, name: str, table: ec2.RouteTable, subnet: ec2.Subnet) -> None:
        ec2.RouteTableAssociation(
            name, ec2.RouteTableAssociationArgs(route_table_id=table.id, subnet_id=subnet.id), self._child
        )

    def _default_route(
        self,
        name: str,
        table: ec2.RouteTable,
        *,
        nat_gateway_id: pulumi.Output[str] | None = None,
        gateway_id: pulumi.Output[str] | None = None,
    ) -> ec2.Route:
        return ec2.Route(
            name,
            ec2.RouteArgs(
                route_table_id=table.id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=nat_gateway_id,
                gateway_id=gateway_id,
            ),
            self._child,
        )

    def _gateways(self, blocks: Sequence[str], count: int) -> list[ec2.NatGateway]:
        internet = ec2.InternetGateway(
            self.name, ec2.InternetGatewayArgs(vpc_id=self.vpc_id, tags={"Name": self.name}), self._child
        )
        subnets = [
            self._subnet("public", index, block, {"kubernetes.io/role/elb": "1"}) for index, block in enumerate(blocks)
        ]
        table = self._table(f"{self.name}-public")
        for index, subnet in enumerate(subnets):
            self._associate(f"{self.name}-public-{index + 1}", table, subnet)
        route = self._default_route(f"{self.name}-public", table, gateway_id=internet.id)
        return [self._gateway(f"{self.name}-{index + 1}", subnets[index], internet, route) for index in range(count)]

    def _gateway(
        self, name: str, subnet: ec2.Subnet, internet: ec2.InternetGateway, route: ec2.Route
    ) -> ec2.NatGateway:
        # the internet gateway cannot be detached while an address is in use: delete the address first
        address = ec2.Eip(
            name,
            ec2.EipArgs(domain="vpc", tags={"Name": name}),
            pulumi.ResourceOptions(parent=self, depends_on=[internet]),
        )
        return ec2.NatGateway(
            name,
            ec2.NatGatewayArgs(allocation_id=address.allocation_id, subnet_id=subnet.id, tags={"Name": name}),
            pulumi.ResourceOptions(parent=self, depends_on=[route]),
        )


class Zone:
    """One zone of a network, given by its index, for machines that must stay in it."""

    def __init__(self, network: Network | AdoptedNetwork, position: int) -> None:
        self.subnet_ids = [network.subnet_ids[position]]
        self.ready = network.ready


def subnet_blocks(cidr: str, zones: int) -> tuple[list[str], list[str]]:
    """Return the CIDR blocks of the private and public subnets. Raises RunError if they are too small or too many.

    In a /22, each private subnet has 128 addresses, and each public one has 32, as required by a load balancer.
    """
    network = IPv4Network(cidr)
    if not 16 <= network.prefixlen <= 22:
        raise pulumi.RunError(f"network {cidr}: a VPC's block must be between /16 and /22")
    if not 2 <= zones <= 4:
        raise pulumi.RunError(f"network {cidr}: a cluster needs two to four zones, not {zones}")
    eighths = list(network.subnets(prefixlen_diff=3))
    small = eighths[-1].subnets(new_prefix=min(network.prefixlen + 8, 27))
    return [str(block) for block in eighths[:zones]], [
        str(block) for _, block in zip(range(zones), small, strict=False)
    ]


def s3_ranges(account: Account) -> pulumi.Output[str]:
    """Return S3's current addresses in the region as comma-separated CIDR blocks."""
    prefix_list = ec2.get_prefix_list_output(
        name=f"com.amazonaws.{account.region_name}.s3", opts=pulumi.InvokeOutputOptions(provider=account)
    )
    return prefix_list.cidr_blocks.apply(",".join)


def _pick(names: Sequence[str], index: int) -> str:
    if index >= len(names):
        raise pulumi.RunError(f"this region has only {len(names)} zones for a cluster: {', '.join(names)}")
    return names[index]
