"""A target's network, either new or existing."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import NamedTuple

import pulumi
from pulumi_gcp import compute, dns

from .project import Project, protected

GOOGLE_RANGES = "199.36.153.8/30"
"""The addresses of private.googleapis.com, which serves all Google APIs.

Source: https://docs.cloud.google.com/vpc/docs/configure-private-google-access, 2026-11-27.
"""

_PODS, _SERVICES = "pods", "services"
_LARGEST, _SMALLEST = 8, 20
_LARGEST_SERVICES = 16
"""The prefix length for 65,536 Services. A larger block would only take addresses from the other blocks."""

_PORTS = (64, 4096)


class Blocks(NamedTuple):
    """The parts of a network's CIDR block, for nodes and endpoints, for Services, and for Pods."""

    nodes: str
    services: str
    pods: str


class AdoptedNetwork:
    """An existing network, whose owner manages its routes, DNS and flow logs. Nothing is created.

    `network` and `subnetwork` are names or links, and `pods_range` and `services_range` are the names of the
    subnetwork's secondary ranges. `cidr` is a block that covers nodes and Pods. `google_ranges` are the addresses of
    Google's APIs.
    """

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        network: pulumi.Input[str],
        subnetwork: pulumi.Input[str],
        pods_range: str,
        services_range: str,
        cidr: str,
        services_cidr: str = "",
        google_ranges: str = "",
    ) -> None:
        self.title = name
        self.project = project
        self.network_id = pulumi.Output.from_input(network)
        self.subnetwork_id = pulumi.Output.from_input(subnetwork)
        self.pods_range, self.services_range = pods_range, services_range
        self.cidr, self.services_cidr = cidr, services_cidr
        self.google_ranges = google_ranges
        self.flows_of: pulumi.Output[str] | None = None
        self.nat_name: pulumi.Output[str] | None = None
        self.ready: tuple[pulumi.Resource, ...] = ()


class Network(pulumi.ComponentResource):
    """A VPC with one private subnetwork in the region, which can't be reached from outside.

    With `nat`, machines reach the internet through Cloud NAT, which covers every zone. Private DNS zones resolve
    Google's APIs to the addresses in `google_ranges`, which are reachable without NAT. Traffic not allowed by any rule
    is denied and logged. With `log_flows`, a sample of the subnetwork's flows is also logged.

    `cidr` is split: the first quarter for nodes and endpoints, an eighth for Services, and the upper half for Pods.
    Machines must wait for `ready` before they can reach anything.
    """

    network_id: pulumi.Output[str]
    subnetwork_id: pulumi.Output[str]
    pods_range: str
    services_range: str
    cidr: str
    services_cidr: str
    google_ranges: str
    flows_of: pulumi.Output[str] | None
    nat_name: pulumi.Output[str] | None
    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        cidr: str = "10.0.0.0/16",
        nat: bool,
        log_flows: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:Network", name, None, project.options(opts))
        blocks = split(cidr)
        self.title = name
        self.project = project
        self.cidr, self.services_cidr = cidr, blocks.services
        self.pods_range, self.services_range = _PODS, _SERVICES
        self.google_ranges = GOOGLE_RANGES
        self._child = pulumi.ResourceOptions(parent=self)
        network = self._vpc()
        subnetwork = self._subnetwork(blocks, log_flows)
        self.subnetwork_id = subnetwork.id
        self.flows_of = subnetwork.name if log_flows else None
        self._deny()
        translation = self._nat() if nat else None
        self.nat_name = translation.name if translation is not None else None
        gateways = [translation] if translation is not None else []
        self.ready = (*gateways, *self._names(network))
        self.register_outputs({"networkId": self.network_id, "subnetworkId": self.subnetwork_id})

    def _vpc(self) -> compute.Network:
        network = compute.Network(
            self.title,
            compute.NetworkArgs(
                auto_create_subnetworks=False,  # by default one in every region
                routing_mode="REGIONAL",
                # both NAT and Google's APIs need the default route
                delete_default_routes_on_create=False,
            ),
            # neither GKE nor a database endpoint can move to another network: protect it
            pulumi.ResourceOptions(parent=self, depends_on=list(self.project.ready), protect=protected()),
        )
        self.network_id = network.id
        return network

    def _subnetwork(self, blocks: Blocks, log_flows: bool) -> compute.Subnetwork:
        ranges = ((_PODS, blocks.pods), (_SERVICES, blocks.services))
        return compute.Subnetwork(
            self.title,
            compute.SubnetworkArgs(
                network=self.network_id,
                region=self.project.region_name,
                ip_cidr_range=blocks.nodes,
                private_ip_google_access=True,  # off by default, but no machine here has a public address
                secondary_ip_ranges=[
                    compute.SubnetworkSecondaryIpRangeArgs(range_name=name, ip_cidr_range=block)
                    for name, block in ranges
                ],
                log_config=_flows() if log_flows else None,
            ),
            pulumi.ResourceOptions(parent=self, protect=protected()),
        )

    def _deny(self) -> None:
        """Log traffic not allowed by any other rule, which the network denies by default but doesn't log."""
        compute.Firewall(
            f"{self.title}-deny",
            compute.FirewallArgs(
                network=self.network_id,
                description="Logs connections that no rule allows",
                direction="INGRESS",
                priority=65534,
                source_ranges=["0.0.0.0/0"],
                denies=[compute.FirewallDenyArgs(protocol="all")],
                log_config=compute.FirewallLogConfigArgs(metadata="INCLUDE_ALL_METADATA"),
            ),
            self._child,
        )

    def _nat(self) -> compute.RouterNat:
        region = self.project.region_name
        router = compute.Router(self.title, compute.RouterArgs(network=self.network_id, region=region), self._child)
        fewest, most = _PORTS
        return compute.RouterNat(
            self.title,
            compute.RouterNatArgs(
                router=router.name,
                region=region,
                nat_ip_allocate_option="AUTO_ONLY",
                source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
                # by default each machine has 64 ports, too few for a node that pulls images for many Pods
                enable_dynamic_port_allocation=True,
                enable_endpoint_independent_mapping=False,  # incompatible with dynamic allocation
                min_ports_per_vm=fewest,
                max_ports_per_vm=most,
                log_config=compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
            ),
            self._child,
        )

    def _names(self, network: compute.Network) -> Iterator[dns.RecordSet]:
        """Resolve the domains of Google's APIs to `GOOGLE_RANGES` in this network.

        Source: https://docs.cloud.google.com/vpc/docs/configure-private-google-access, 2026-11-27.
        """
        addresses = [str(address) for address in IPv4Network(GOOGLE_RANGES)]
        for domain, target in (("googleapis.com", "private."), ("gcr.io", ""), ("pkg.dev", "")):
            title = f"{self.title}-{domain.replace('.', '-')}"
            zone = dns.ManagedZone(
                title,
                dns.ManagedZoneArgs(
                    dns_name=f"{domain}.",
                    description=f"Google's private addresses for {domain}",
                    visibility="private",
                    private_visibility_config=dns.ManagedZonePrivateVisibilityConfigArgs(
                        networks=[dns.ManagedZonePrivateVisibilityConfigNetworkArgs(network_url=network.self_link)]
                    ),
                ),
                self._child,
            )
            yield self._record(f"{title}-a", zone, f"{target}{domain}.", "A", addresses)
            yield self._record(f"{title}-any", zone, f"*.{domain}.", "CNAME", [f"{target}{domain}."])

    def _record(self, title: str, zone: dns.ManagedZone, name: str, kind: str, values: list[str]) -> dns.RecordSet:
        return dns.RecordSet(
            title,
            dns.RecordSetArgs(managed_zone=zone.name, name=name, type=kind, ttl=300, rrdatas=values),
            self._child,
        )


def split(cidr: str) -> Blocks:
    """Split a network's CIDR block. Raises RunError if the block is too large or too small."""
    network = IPv4Network(cidr)
    if not _LARGEST <= network.prefixlen <= _SMALLEST:
        raise pulumi.RunError(f"network {cidr}: the block must be between /{_LARGEST} and /{_SMALLEST}")
    lower, pods = network.subnets(prefixlen_diff=1)
    nodes, rest = lower.subnets(prefixlen_diff=1)
    services = next(rest.subnets(new_prefix=max(rest.prefixlen + 1, _LARGEST_SERVICES)))
    return Blocks(str(nodes), str(services), str(pods))


def _flows() -> compute.SubnetworkLogConfigArgs:
    return compute.SubnetworkLogConfigArgs(
        # by default every flow is logged every five seconds
        aggregation_interval="INTERVAL_10_MIN",
        flow_sampling=0.5,
        metadata="INCLUDE_ALL_METADATA",
    )
