"""Networks, subnetworks, routers, addresses and private DNS."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

from testbed.clouds.gcp.api import Api, at, refused, relative
from testbed.clouds.gcp.kinds import Kind, default_naming, target_of
from testbed.clouds.shared.values import Values

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
FIREWALL = "gcp:compute/firewall:Firewall"
ROUTER = "gcp:compute/router:Router"
NAT = "gcp:compute/routerNat:RouterNat"
ADDRESS = "gcp:compute/address:Address"
FORWARDING = "gcp:compute/forwardingRule:ForwardingRule"
CLUSTER = "gcp:container/cluster:Cluster"
DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"

COMPUTE = "compute.googleapis.com"
LINK = "https://www.googleapis.com/compute/v1/"


def _network(api: Api, values: Values, before: Values) -> Values:
    number = before.get("numericId") or str(api.serial())
    return {"numericId": number, "networkId": number, "gatewayIpv4": ""}


def _subnetwork(api: Api, values: Values, before: Values) -> Values:
    block = IPv4Network(str(values["ipCidrRange"]))
    return {"gatewayAddress": str(block[1]), "subnetworkId": before.get("subnetworkId") or api.serial()}


def _own_blocks(values: Values) -> Iterator[IPv4Network]:
    for block in (values["ipCidrRange"], *at(values, "secondaryIpRanges.ipCidrRange")):
        try:
            yield IPv4Network(str(block))
        except ValueError:
            raise refused(
                400,
                f"Invalid value for field 'resource.ipCidrRange': '{block}'. Invalid IPCidrRange: {block} is not"
                " logical address range., invalid",
            ) from None


def _free(api: Api, values: Values) -> None:
    """Reject overlapping ranges: https://docs.cloud.google.com/vpc/docs/subnets, read 2026-11-27."""
    blocks = list(_own_blocks(values))
    place = api.filled("{region}", values)
    for other in api.all(SUBNETWORK).values():
        if other["network"] == values["network"] and other["name"] != values["name"]:
            blocks += _own_blocks(other)
    for position, block in enumerate(blocks):
        if any(block.overlaps(other) for other in blocks[position + 1 :]):
            raise refused(
                400,
                f"Invalid value for field 'resource.ipCidrRange': '{block}'. Invalid IPCidrRange: {block} conflicts"
                f" with existing subnetwork in region '{place}'., invalid",
            )


def _is_not_wider(before: Any, after: Any) -> bool:
    """Return whether a range doesn't contain the earlier one: pulumi-gcp 10.2, Subnetwork, read 2026-11-27."""
    return not IPv4Network(str(before)).subnet_of(IPv4Network(str(after)))


def _ports(api: Api, values: Values) -> None:
    """Reject invalid port allocations for a NAT gateway.

    Source: compute.v1, RouterNat, enableDynamicPortAllocation and min/maxPortsPerVm, read 2026-11-27.
    """
    dynamic = values.get("enableDynamicPortAllocation")
    if dynamic and values.get("enableEndpointIndependentMapping"):
        raise refused(
            400,
            "Endpoint-Independent Mapping and Dynamic Port Allocation cannot be enabled at the same time., invalid",
        )
    ports = [int(values[name]) for name in ("minPortsPerVm", "maxPortsPerVm") if name in values]
    if dynamic and (sorted(set(ports)) != ports or any(number & (number - 1) for number in ports)):
        raise refused(400, f"Invalid ports per VM {ports}: powers of two, the second one larger., invalid")


def _address(api: Api, values: Values, before: Values) -> Values:
    """Assign the first free address in the subnetwork after the four reserved by Google."""
    if before:
        return {}
    subnetwork = api.find(SUBNETWORK, target_of(api, KINDS[SUBNETWORK], str(values["subnetwork"]), values)) or {}
    taken = {each["address"] for each in api.all(ADDRESS).values()}
    hosts = list(IPv4Network(subnetwork["ipCidrRange"]).hosts())
    free = next(str(host) for host in hosts[3:-1] if str(host) not in taken)
    return {"address": free, "addressId": api.serial(), "users": []}


def _attachment(api: Api, values: Values) -> None:
    """Reject an endpoint whose attachment doesn't exist or doesn't admit this project.

    Source: https://docs.cloud.google.com/sql/docs/postgres/configure-private-service-connect, read 2026-11-27.
    """
    target = relative(str(values["target"]))
    databases = [each for each in api.all(DATABASE).values() if each.get("pscServiceAttachmentLink") == target]
    if not databases:
        raise refused(400, f"Invalid value for field 'resource.target': '{target}'., invalid")
    admitted = at(databases[0], "settings.ipConfiguration.pscConfigs.allowedConsumerProjects")
    if api.account not in admitted:
        raise refused(403, f"The service attachment {target} does not accept project {api.account}., forbidden")
    if values.get("loadBalancingScheme") != "":
        raise refused(400, "Invalid value for field 'resource.loadBalancingScheme': an endpoint has none., invalid")


def _endpoint(api: Api, values: Values, before: Values) -> Values:
    number = before.get("pscConnectionId") or str(api.serial())
    return {"pscConnectionId": number, "forwardingRuleId": int(number), "pscConnectionStatus": "ACCEPTED"}


KINDS = {
    NETWORK: Kind(
        "projects/{project}/global/networks/{name}",
        COMPUTE,
        fixed=frozenset({"name", "autoCreateSubnetworks", "description", "internalIpv6Range", "networkProfile"}),
        naming=default_naming(),
        client=frozenset({"deleteDefaultRoutesOnCreate"}),
        link=LINK,
        assign=_network,
        blocked_by=(SUBNETWORK, FIREWALL, ROUTER, FORWARDING),
        noun="network",
    ),
    SUBNETWORK: Kind(
        "projects/{project}/regions/{region}/subnetworks/{name}",
        COMPUTE,
        fixed=frozenset({"name", "region", "network", "description", "reservedInternalRange"}),
        naming=default_naming(),
        link=LINK,
        assign=_subnetwork,
        references={"network": NETWORK},
        replaced_if={"ipCidrRange": _is_not_wider},
        rules=(_free,),
        blocked_by=(CLUSTER, ADDRESS),
        noun="subnetwork",
    ),
    FIREWALL: Kind(
        "projects/{project}/global/firewalls/{name}",
        COMPUTE,
        fixed=frozenset({"name", "network", "direction", "project"}),
        naming=default_naming(),
        link=LINK,
        references={"network": NETWORK},
    ),
    ROUTER: Kind(
        "projects/{project}/regions/{region}/routers/{name}",
        COMPUTE,
        fixed=frozenset({"name", "region", "network", "project"}),
        naming=default_naming(),
        link=LINK,
        references={"network": NETWORK},
        contains=(NAT,),
    ),
    NAT: Kind(
        "{project}/{region}/{router}/{name}",
        COMPUTE,
        fixed=frozenset({"name", "router", "region", "type", "endpointTypes"}),
        naming=default_naming(),
        references={"router": ROUTER},
        rules=(_ports,),
    ),
    ADDRESS: Kind(
        "projects/{project}/regions/{region}/addresses/{name}",
        COMPUTE,
        fixed=frozenset(
            {"name", "region", "addressType", "subnetwork", "address", "network", "purpose", "description"}
        ),
        naming=default_naming(),
        labels="labels",
        link=LINK,
        assign=_address,
        references={"subnetwork": SUBNETWORK},
        blocked_by=(FORWARDING,),
        noun="address",
    ),
    FORWARDING: Kind(
        "projects/{project}/regions/{region}/forwardingRules/{name}",
        COMPUTE,
        fixed=frozenset({"name", "region", "ipAddress", "network", "loadBalancingScheme", "subnetwork", "description"}),
        naming=default_naming(),
        labels="labels",
        link=LINK,
        assign=_endpoint,
        references={"network": NETWORK, "ipAddress": ADDRESS},
        rules=(_attachment,),
    ),
}
