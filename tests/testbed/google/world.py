"""Google Cloud resources that several tests create in the stand-in."""

from __future__ import annotations

from typing import Any, TypeAlias

from testbed.clouds.gcp.api import Api
from testbed.clouds.gcp.members import agent
from testbed.clouds.shared.values import Values
from tests import stand_ins

World: TypeAlias = stand_ins.World[Api]

STAY = (
    "gcp:kms/keyRing:KeyRing",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:projects/serviceIdentity:ServiceIdentity",
)
"""Types of resources that still exist after their deletion."""

REGION = "europe-west4"
SERVICES = (
    *("artifactregistry", "billingbudgets", "cloudkms", "compute", "container", "dns", "iam", "logging", "monitoring"),
    *("secretmanager", "sqladmin", "storage"),
)
LABELS = {"modelyard-system": "fraud"}
POD = (
    "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/"
    "acme.svc.id.goog/subject/ns/fraud/sa/scorer"
)


def enable(world: World, *services: str) -> None:
    """Enable services in the project."""
    for name in services or SERVICES:
        world.make(
            f"{name}-service",
            "gcp:projects/service:Service",
            service=f"{name}.googleapis.com",
            disableOnDestroy=False,
        )


def a_key(world: World, *services: str) -> str:
    """Create a key that the agents of `services` may use, and return its ID."""
    ring = world.make("ring", "gcp:kms/keyRing:KeyRing", location=REGION)
    key = world.make(
        "key",
        "gcp:kms/cryptoKey:CryptoKey",
        name="fraud",
        keyRing=ring["id"],
        purpose="ENCRYPT_DECRYPT",
        rotationPeriod="7776000s",
    )["id"]
    for service in services:
        grant(world, key, service)
    return str(key)


def grant(world: World, key: str, service: str) -> None:
    """Allow a service's agent to use a key."""
    member = f"serviceAccount:{agent(world.lifecycle.api(''), service)}"
    if service not in ("compute", "storage", "logging"):
        member = world.make(
            f"{service}-agent", "gcp:projects/serviceIdentity:ServiceIdentity", service=f"{service}.googleapis.com"
        )["member"]
    world.make(
        f"{service}-key",
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        cryptoKeyId=key,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=member,
    )


def a_network(world: World) -> tuple[Values, Values]:
    """Create a network with a subnetwork."""
    network = world.make("network", "gcp:compute/network:Network", autoCreateSubnetworks=False, routingMode="REGIONAL")
    subnetwork = world.make(
        "subnetwork",
        "gcp:compute/subnetwork:Subnetwork",
        network=network["id"],
        region=REGION,
        ipCidrRange="10.20.0.0/18",
        privateIpGoogleAccess=True,
        secondaryIpRanges=[
            {"rangeName": "pods", "ipCidrRange": "10.20.128.0/17"},
            {"rangeName": "services", "ipCidrRange": "10.20.64.0/19"},
        ],
    )
    return network, subnetwork


def cluster_inputs(network: Values, subnetwork: Values, key: str, account: str) -> dict[str, Any]:
    """Return the inputs of a cluster."""
    return {
        "name": "fraud",
        "location": REGION,
        "minMasterVersion": "1.35",
        "network": network["id"],
        "subnetwork": subnetwork["id"],
        "networkingMode": "VPC_NATIVE",
        "datapathProvider": "ADVANCED_DATAPATH",
        "ipAllocationPolicy": {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"},
        "databaseEncryption": {"state": "ENCRYPTED", "keyName": key},
        "workloadIdentityConfig": {"workloadPool": "acme.svc.id.goog"},
        "masterAuth": {"clientCertificateConfig": {"issueClientCertificate": False}},
        "deletionProtection": True,
        "removeDefaultNodePool": True,
        "initialNodeCount": 1,
        "nodeConfig": {"serviceAccount": account, "bootDiskKmsKey": key},
    }


def pool_inputs(key: str, account: str) -> dict[str, Any]:
    """Return the inputs of a node pool with one GPU on each node."""
    return {
        "name": "gpu",
        "cluster": "fraud",
        "location": REGION,
        "nodeLocations": [f"{REGION}-a"],
        "nodeConfig": {
            "machineType": "g2-standard-8",
            "diskType": "pd-balanced",
            "diskSizeGb": 100,
            "spot": True,
            "serviceAccount": account,
            "bootDiskKmsKey": key,
            "guestAccelerators": [{"type": "nvidia-l4", "count": 1}],
            "labels": {"modelyard.dev/pool": "gpu"},
            "taints": [{"key": "modelyard.dev/pool", "value": "gpu", "effect": "NO_SCHEDULE"}],
        },
        "autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": 4},
        "initialNodeCount": 0,
        "upgradeSettings": {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1},
        "ignoreNodeCountChanges": True,
    }
