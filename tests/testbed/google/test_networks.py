"""Tests networks, addresses and private DNS in the Google Cloud stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clouds.gcp.cloud import Cloud
from testbed.clouds.shared.refusal import Refused
from tests.narrowing import present
from tests.testbed.google.world import REGION, World, a_network, enable

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
FIREWALL = "gcp:compute/firewall:Firewall"
NAT = "gcp:compute/routerNat:RouterNat"
ZONE = "gcp:dns/managedZone:ManagedZone"
RECORD = "gcp:dns/recordSet:RecordSet"


def test_service_has_to_be_enabled(world: World) -> None:
    with pytest.raises(Refused, match=r"403: compute.googleapis.com has not been used in project 123456789012 before"):
        world.make("network", NETWORK, autoCreateSubnetworks=False)


def test_network_is_deleted_last(world: World, cloud: Cloud) -> None:
    """A network can't be deleted while it contains resources, which the stand-in reports as Google does."""
    enable(world)
    network, subnetwork = a_network(world)
    deny = [{"protocol": "all"}]
    world.make("deny", FIREWALL, network=network["id"], direction="INGRESS", denies=deny, sourceRanges=["0.0.0.0/0"])
    router = world.make("router", "gcp:compute/router:Router", network=network["id"], region=REGION)

    assert network["selfLink"] == f"https://www.googleapis.com/compute/v1/{network['id']}"
    assert subnetwork["id"] == f"projects/acme/regions/{REGION}/subnetworks/{subnetwork['name']}"
    assert subnetwork["gatewayAddress"] == "10.20.0.1"
    for user in ("subnetwork", "deny", "router"):
        message = f"The network resource '{network['id']}' is already being used by 'projects/acme/[^']*{user}-"
        with pytest.raises(Refused, match=message):
            world.remove("network")
        if user == "router":
            _translate(world, router["name"])
        world.remove(user)
    world.remove("network")
    assert "RouterNat" not in cloud.left()


def _translate(world: World, router: str) -> None:
    """Create a NAT gateway, which is part of its router."""
    inputs: dict[str, Any] = {
        "router": router,
        "region": REGION,
        "natIpAllocateOption": "AUTO_ONLY",
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
        "enableDynamicPortAllocation": True,
        "minPortsPerVm": 64,
        "maxPortsPerVm": 4096,
    }
    for wrong, message in (
        ({"enableEndpointIndependentMapping": True}, "cannot be enabled at the same time"),
        ({"minPortsPerVm": 100}, "powers of two"),
        ({"router": "other"}, "routers/other' was not found"),
    ):
        with pytest.raises(Refused, match=message):
            world.make("nat", NAT, **{**inputs, **wrong})
    world.make("nat", NAT, **inputs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": "projects/acme/global/networks/other"}, "other' was not found, notFound"),
        ({"ipCidrRange": "10.20.1.0/24"}, r"10.20.1.0/24 conflicts with existing subnetwork in region 'europe-west4'"),
        ({"ipCidrRange": "10.30.1.1/24"}, "is not logical address range"),
        ({"name": "Other"}, "name: 'Other' does not match"),
        ({"secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.40.0.0/20"}]}, "conflicts"),
    ],
)
def test_subnetworks_that_google_refuses(world: World, change: dict[str, Any], message: str) -> None:
    enable(world)
    network, _ = a_network(world)
    inputs = {"network": network["id"], "region": REGION, "ipCidrRange": "10.40.0.0/20"}

    with pytest.raises(Refused, match=message):
        world.make("second", SUBNETWORK, **{**inputs, **change})


def test_changes_of_a_network(world: World) -> None:
    enable(world)
    a_network(world)

    assert world.change("network", routingMode="GLOBAL")[0] == ["routingMode"]
    assert world.replaced_by("network", autoCreateSubnetworks=True) == ["autoCreateSubnetworks"]
    assert world.change("subnetwork", logConfig={"flowSampling": 0.5})[0] == ["logConfig"]
    assert world.replaced_by("subnetwork", ipCidrRange="10.20.0.0/19") == ["ipCidrRange"]
    assert world.replaced_by("subnetwork", ipCidrRange="10.16.0.0/12") == []
    assert world.replaced_by("subnetwork", region="europe-west1") == ["region"]


def test_zone_with_records_is_not_deleted(world: World) -> None:
    enable(world)
    network, _ = a_network(world)
    inputs = {
        "dnsName": "pkg.dev.",
        "visibility": "private",
        "privateVisibilityConfig": {"networks": [{"networkUrl": network["selfLink"]}]},
    }
    zone = world.make("zone", ZONE, **inputs)
    with pytest.raises(Refused, match=r"has the name 'pkg.dev.' in this network"):
        world.make("twice", ZONE, **inputs)
    record: dict[str, Any] = {"managedZone": zone["name"], "ttl": 300}
    with pytest.raises(Refused, match=r"'gcr.io.', invalid"):
        world.make("other", RECORD, **record, name="gcr.io.", type="A", rrdatas=["199.36.153.8"])
    with pytest.raises(Refused, match="has one value and is not the zone's own name"):
        world.make("own", RECORD, **record, name="pkg.dev.", type="CNAME", rrdatas=["x.pkg.dev."])
    world.make("any", RECORD, **record, name="*.pkg.dev.", type="CNAME", rrdatas=["pkg.dev."])

    assert world.change("any", ttl=60)[0] == ["ttl"]
    with pytest.raises(Refused, match=r"contains one or more resource records., containerNotEmpty"):
        world.remove("zone")
    world.remove("any")
    world.remove("zone")


def test_labels_of_the_provider_are_added_and_managed(world: World, cloud: Cloud) -> None:
    """Labels added outside Pulumi are kept. Changes to Pulumi-managed labels are drift."""
    enable(world)
    network, _ = a_network(world)
    zone = world.make("zone", ZONE, dnsName="gcr.io.", visibility="private", labels={"team": "growth"})

    assert zone["effectiveLabels"] == {"modelyard-system": "fraud", "team": "growth"}
    cloud.edit(ZONE, zone["id"], labels={"theirs": "yes", "modelyard-system": "other"})
    kind, identifier, inputs, state = world.resources["zone"]
    current = present(world.lifecycle.read(kind, identifier, state, inputs))
    assert current[0]["effectiveLabels"]["theirs"] == "yes"
    assert world.lifecycle.diff(kind, current[1], current[0], inputs)[0] == ["effectiveLabels", "pulumiLabels"]
    assert world.lifecycle.update(kind, identifier, current[0], inputs)["pulumiLabels"]["modelyard-system"] == "fraud"
    assert network["name"].startswith("network-")
