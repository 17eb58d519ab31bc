"""Tests GKE clusters and node pools in the stand-in for Google Cloud."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clouds.gcp.cloud import Cloud
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import UNKNOWN
from tests.testbed.google.world import POD, REGION, World, a_key, a_network, cluster_inputs, enable, pool_inputs

CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"


@pytest.fixture
def inputs(world: World) -> dict[str, Any]:
    """Return the inputs for a cluster whose network, key and node service account exist."""
    enable(world)
    key = a_key(world, "compute", "container")
    account = world.make("nodes", "gcp:serviceaccount/account:Account", accountId="fraud-nodes")
    return cluster_inputs(*a_network(world), key, account["email"])


@pytest.fixture
def pool(world: World, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs for a node pool in an existing cluster."""
    world.make("cluster", CLUSTER, **inputs)
    return pool_inputs(inputs["nodeConfig"]["bootDiskKmsKey"], inputs["nodeConfig"]["serviceAccount"])


def test_cluster_has_what_google_assigns(world: World, inputs: dict[str, Any]) -> None:
    cluster = world.make("cluster", CLUSTER, **inputs)

    assert cluster["id"] == f"projects/acme/locations/{REGION}/clusters/fraud"
    assert cluster["selfLink"] == f"https://container.googleapis.com/v1/{cluster['id']}"
    assert cluster["masterVersion"].startswith("1.35.")
    assert cluster["masterAuth"]["clusterCaCertificate"]
    assert cluster["servicesIpv4Cidr"] == "10.20.64.0/19"
    assert cluster["effectiveLabels"] == {"modelyard-system": "fraud"}


def test_preview_does_not_know_what_google_will_assign(world: World, inputs: dict[str, Any]) -> None:
    """A preview must show Google's certificate as unknown rather than empty. An update keeps the known one."""
    preview = world.lifecycle.previewed(CLUSTER, inputs)
    created = world.make("cluster", CLUSTER, **inputs)
    update = world.lifecycle.promised_update(CLUSTER, created, {**inputs, "minMasterVersion": "1.36"})

    assert preview["masterAuth"]["clusterCaCertificate"] == UNKNOWN
    assert preview["masterAuth"]["clientCertificateConfig"] == {"issueClientCertificate": False}
    assert update["masterAuth"] == created["masterAuth"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": "projects/acme/global/networks/other"}, "'projects/acme/global/networks/other' was not found"),
        ({"ipAllocationPolicy": {"clusterSecondaryRangeName": "p", "servicesSecondaryRangeName": "services"}}, '"p"'),
        ({"minMasterVersion": "1.20"}, 'Master version "1.20" is unsupported'),
        ({"workloadIdentityConfig": {"workloadPool": "other.svc.id.goog"}}, 'only supported workload pool is "acme'),
        ({"nodeConfig": {"serviceAccount": "x@acme.iam.gserviceaccount.com"}}, "does not have access to service acc"),
        ({"networkPolicy": {"enabled": True}}, "ADVANCED_DATAPATH is not allowed"),
        ({"releaseChannel": {"channel": "FAST"}}, "'FAST' is none of"),
        ({"location": "europe-west1"}, "is not in the location europe-west1"),
    ],
)
def test_clusters_that_google_refuses(
    world: World, inputs: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        world.make("cluster", CLUSTER, **{**inputs, **change})


def test_cluster_needs_the_right_to_use_its_key(world: World, inputs: dict[str, Any]) -> None:
    world.remove("container-key")

    with pytest.raises(Refused, match=r"403: Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied"):
        world.make("cluster", CLUSTER, **inputs)


def test_changes_of_a_cluster(world: World, inputs: dict[str, Any]) -> None:
    world.make("cluster", CLUSTER, **inputs)

    assert world.change("cluster", minMasterVersion="1.36")[1]["masterVersion"].startswith("1.36.")
    with pytest.raises(Refused, match="Downgrading the master"):
        world.change("cluster", minMasterVersion="1.35")
    assert world.replaced_by("cluster", datapathProvider="LEGACY_DATAPATH") == ["datapathProvider"]
    private = {"privateClusterConfig": {"masterIpv4CidrBlock": "10.0.0.0/28"}}
    assert world.replaced_by("cluster", **private) == ["privateClusterConfig.masterIpv4CidrBlock"]
    assert world.replaced_by("cluster", privateClusterConfig={"enablePrivateNodes": True}) == []
    with pytest.raises(Refused, match="Cannot destroy cluster because deletion_protection is set to true"):
        world.remove("cluster")
    world.change("cluster", deletionProtection=False)
    world.remove("cluster")


def test_subnetwork_of_a_cluster_cannot_be_deleted(world: World, inputs: dict[str, Any]) -> None:
    world.make("cluster", CLUSTER, **inputs)

    with pytest.raises(Refused, match=r"The subnetwork resource 'projects/acme/.*' is already being used by 'projects"):
        world.remove("subnetwork")


def test_pods_have_an_identity_only_once_there_is_a_cluster(world: World, inputs: dict[str, Any]) -> None:
    member = {"bucket": "lake", "role": "roles/storage.objectViewer", "member": POD}
    world.make("lake", "gcp:storage/bucket:Bucket", name="lake", location=REGION.upper())
    with pytest.raises(Refused, match=r"Identity Pool does not exist \(acme.svc.id.goog\)"):
        world.make("early", "gcp:storage/bucketIAMMember:BucketIAMMember", **member)
    world.make("cluster", CLUSTER, **inputs)

    world.make("reader", "gcp:storage/bucketIAMMember:BucketIAMMember", **member)


def test_changes_of_a_pool(world: World, pool: dict[str, Any], cloud: Cloud) -> None:
    """A pool's machine type can change in place within its family. Accelerator or spot changes need new nodes."""
    world.make("gpu", POOL, **pool)
    node = pool["nodeConfig"]

    assert world.change("gpu", nodeConfig={**node, "machineType": "g2-standard-12"})[0] == ["nodeConfig"]
    assert world.change("gpu", nodeConfig={**node, "labels": {"a": "b"}})[0] == ["nodeConfig"]
    assert world.replaced_by("gpu", nodeConfig={**node, "spot": False}) == ["nodeConfig.spot"]
    two = [{"type": "nvidia-l4", "count": 2}]
    assert world.replaced_by("gpu", nodeConfig={**node, "guestAccelerators": two}) == ["nodeConfig.guestAccelerators"]
    world.change("cluster", deletionProtection=False)
    world.remove("cluster")
    assert "NodePool" not in cloud.left()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cluster": "other"}, "clusters/other' was not found"),
        ({"nodeLocations": ["europe-west1-b"]}, "is not in the region europe-west4"),
        ({"autoscaling": {"totalMinNodeCount": 5, "totalMaxNodeCount": 4}}, "autoscaling from 5 to 4"),
        ({"initialNodeCount": 5}, "5 nodes, autoscaling from 0 to 4"),
        ({"upgradeSettings": {"maxSurge": 0, "maxUnavailable": 0}}, "cannot both be 0"),
    ],
)
def test_pools_that_google_refuses(world: World, pool: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        world.make("gpu", POOL, **{**pool, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"machineType": "g9-standard-8"}, "is not available in zone europe-west4-a"),
        ({"machineType": "a3-highgpu-8g"}, "is not available in zone europe-west4-a"),
        ({"machineType": "g2-standard-24"}, r"has the accelerators \('nvidia-l4', 2\)"),
        ({"guestAccelerators": []}, r"has the accelerators \('nvidia-l4', 1\), not \[\]"),
        ({"diskType": "hyperdisk-balanced"}, "disk type cannot be used by g2-standard-8"),
        ({"diskSizeGb": "100"}, "config.diskSizeGb: integer, not '100'"),
    ],
)
def test_nodes_that_google_refuses(world: World, pool: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        world.make("gpu", POOL, **{**pool, "nodeConfig": {**pool["nodeConfig"], **change}})
