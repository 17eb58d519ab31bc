"""Tests that the network is private, has egress only if requested, and can reach Google's APIs."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pulumi
import pytest

from modelyard_stacks.gcp.network import split
from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.gcp.programs import NETWORK, PROJECT, elsewhere, registered

VPC = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
NAT = "gcp:compute/routerNat:RouterNat"
FIREWALL = "gcp:compute/firewall:Firewall"
ZONE = "gcp:dns/managedZone:ManagedZone"
RECORD = "gcp:dns/recordSet:RecordSet"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a network with egress."""
    return registered(tmp_path_factory.mktemp("network"), NETWORK)


def test_network_is_protected_and_has_one_subnetwork(resources: Resources) -> None:
    assert inputs(resources, VPC, "fraud-prod-main")["autoCreateSubnetworks"] is False
    assert list(of(resources, SUBNETWORK)) == ["fraud-prod-main"]
    assert resources[f"{VPC} fraud-prod-main"]["protect"]
    assert resources[f"{SUBNETWORK} fraud-prod-main"]["protect"]
    assert not elsewhere(resources)


def test_nodes_services_and_pods_have_separate_ranges(resources: Resources) -> None:
    subnetwork = inputs(resources, SUBNETWORK, "fraud-prod-main")

    assert subnetwork["ipCidrRange"] == "10.0.0.0/18"
    assert {each["rangeName"]: each["ipCidrRange"] for each in subnetwork["secondaryIpRanges"]} == {
        "pods": "10.0.128.0/17",
        "services": "10.0.64.0/19",
    }


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "10.0.0.0/10", "10.4.0.0/14", "172.16.0.0/16", "192.168.16.0/20"])
def test_ranges_are_inside_the_block_and_do_not_overlap(cidr: str) -> None:
    parts = [ip_network(part) for part in split(cidr)]

    assert all(part.subnet_of(ip_network(cidr)) for part in parts)  # type: ignore[arg-type] # both are of version 4
    assert not any(first.overlaps(second) for first in parts for second in parts if first is not second)


@pytest.mark.parametrize("cidr", ["8.0.0.0/7", "10.0.0.0/21"])
def test_a_block_that_is_too_large_or_small_is_refused(cidr: str) -> None:
    with pytest.raises(pulumi.RunError, match="between /8 and /20"):
        split(cidr)


def test_machines_without_public_addresses_can_reach_google(resources: Resources) -> None:
    assert inputs(resources, SUBNETWORK, "fraud-prod-main")["privateIpGoogleAccess"] is True
    assert inputs(resources, VPC, "fraud-prod-main")["deleteDefaultRoutesOnCreate"] is False


def test_google_names_resolve_to_private_addresses(resources: Resources) -> None:
    records = {each["inputs"]["name"]: each["inputs"] for each in of(resources, RECORD).values()}
    private = [f"199.36.153.{last}" for last in range(8, 12)]
    link = "https://www.googleapis.com/compute/v1/projects/acme-ml/global/networks/fraud-prod-main"

    assert {name: (each["type"], each["rrdatas"]) for name, each in records.items()} == {
        "private.googleapis.com.": ("A", private),
        "*.googleapis.com.": ("CNAME", ["private.googleapis.com."]),
        "gcr.io.": ("A", private),
        "*.gcr.io.": ("CNAME", ["gcr.io."]),
        "pkg.dev.": ("A", private),
        "*.pkg.dev.": ("CNAME", ["pkg.dev."]),
    }
    assert {
        (each["inputs"]["visibility"], each["inputs"]["privateVisibilityConfig"]["networks"][0]["networkUrl"])
        for each in of(resources, ZONE).values()
    } == {("private", link)}


def test_nat_allocates_ports_dynamically(resources: Resources) -> None:
    nat = inputs(resources, NAT, "fraud-prod-main")

    assert nat["enableDynamicPortAllocation"] is True
    assert nat["enableEndpointIndependentMapping"] is False
    assert nat["minPortsPerVm"] < nat["maxPortsPerVm"]
    assert nat["sourceSubnetworkIpRangesToNat"] == "ALL_SUBNETWORKS_ALL_IP_RANGES"


def test_network_without_nat_has_no_egress(tmp_path: Path) -> None:
    resources = registered(tmp_path, NETWORK.replace("nat=True", "nat=False"))

    assert not of(resources, NAT)
    assert not of(resources, "gcp:compute/router:Router")
    assert len(of(resources, RECORD)) == 6


def test_traffic_without_a_rule_is_denied_and_logged(resources: Resources) -> None:
    (rule,) = of(resources, FIREWALL).values()

    assert rule["inputs"]["denies"] == [{"protocol": "all"}]
    assert rule["inputs"]["sourceRanges"] == ["0.0.0.0/0"]
    assert rule["inputs"]["priority"] == 65534  # the lowest priority above the network's own rules
    assert "allows" not in rule["inputs"]
    assert rule["inputs"]["logConfig"] == {"metadata": "INCLUDE_ALL_METADATA"}


def test_flows_are_logged_by_default(resources: Resources, tmp_path: Path) -> None:
    without = registered(tmp_path, NETWORK.replace("nat=True", "nat=True, log_flows=False"))

    assert inputs(resources, SUBNETWORK, "fraud-prod-main")["logConfig"]["aggregationInterval"] == "INTERVAL_10_MIN"
    assert "logConfig" not in inputs(without, SUBNETWORK, "fraud-prod-main")


def test_apis_are_enabled_before_the_network(resources: Resources) -> None:
    assert "gcp:projects/service:Service google-compute" in needs(resources, VPC, "fraud-prod-main")


def test_an_adopted_network_is_not_changed(tmp_path: Path) -> None:
    program = f"""{PROJECT}
import pulumi
from modelyard_stacks.gcp.network import AdoptedNetwork

network = AdoptedNetwork(
    "fraud-prod-main",
    project=project,
    network="shared",
    subnetwork="projects/acme-net/regions/europe-west4/subnetworks/ml",
    pods_range="ml-pods",
    services_range="ml-services",
    cidr="10.20.0.0/16",
)
pulumi.ComponentResource("tiny:Names", "names", {{
    "network": network.network_id,
    "subnetwork": network.subnetwork_id,
    "ranges": [network.pods_range, network.services_range],
}})
"""
    resources = registered(tmp_path, program)

    assert not [where for where in resources if where.startswith(("gcp:compute", "gcp:dns", "modelyard:"))]
    assert inputs(resources, "tiny:Names", "names") == {
        "network": "shared",
        "subnetwork": "projects/acme-net/regions/europe-west4/subnetworks/ml",
        "ranges": ["ml-pods", "ml-services"],
    }
