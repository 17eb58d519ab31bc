"""GKE node pools, with their nodes as KWOK nodes in a test's API server."""

from __future__ import annotations

import os

from testbed.clouds.gcp import members
from testbed.clouds.gcp.api import Api, refused
from testbed.clouds.gcp.clusters import CONTAINER, POOL, node_account
from testbed.clouds.gcp.kinds import Kind, default_naming
from testbed.clouds.gcp.machines import accelerators, offered, takes, zones
from testbed.clouds.gcp.network import CLUSTER
from testbed.clouds.shared.fake_nodes import keep
from testbed.clouds.shared.values import Values
from testbed.kubernetes import nodes

KUBECONFIG = "MODELYARD_GCP_NODES"
"""The environment variable with the kubeconfig of the API server that gets nodes. Without it, none are added."""

_LABEL = "cloud.google.com/gke-nodepool"
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}

_NODE = (
    *("guestAccelerators", "spot", "preemptible", "flexStart", "maxRunDuration", "serviceAccount", "oauthScopes"),
    *("shieldedInstanceConfig", "bootDiskKmsKey", "metadata", "minCpuPlatform", "reservationAffinity", "gvnic"),
    *("localSsdCount", "ephemeralStorageLocalSsdConfig", "localNvmeSsdBlockConfig", "secondaryBootDisks"),
    *("sandboxConfig", "soleTenantConfig", "nodeGroup", "advancedMachineFeatures", "hostMaintenancePolicy"),
    "confidentialNodes",
)
_NETWORK = ("podRange", "podIpv4CidrBlock", "createPodRange", "subnetwork", "additionalNodeNetworkConfigs")


def _assign(api: Api, values: Values, before: Values) -> Values:
    places = values.get("nodeLocations") or zones(api.filled("{location}", values))
    groups = [f"projects/{api.account}/zones/{zone}/instanceGroupManagers/gke-{values['name']}" for zone in places]
    return {"instanceGroupUrls": groups, "managedInstanceGroupUrls": groups}


def _machine(api: Api, values: Values) -> None:
    """Reject machines not offered in a zone, or whose accelerators or disk differ from the pool's.

    Source: https://docs.cloud.google.com/kubernetes-engine/docs/how-to/gpus, read 2026-11-27.
    """
    node = values["nodeConfig"]
    machine, disk = str(node["machineType"]), str(node.get("diskType", "pd-balanced"))
    region = api.filled("{location}", values)
    for zone in values.get("nodeLocations") or zones(region):
        if zone not in zones(region):
            raise refused(400, f'Zone "{zone}" is not in the region {region} of the cluster., badRequest')
        if not offered(machine, zone):
            raise refused(400, f'Machine type "{machine}" is not available in zone {zone}., badRequest')
    requested = [(each["type"], each["count"]) for each in node.get("guestAccelerators", ())]
    has = accelerators(machine)
    if requested != ([has] if has else []):
        raise refused(400, f"Machine type {machine} has the accelerators {has}, not {requested}., badRequest")
    if not takes(machine, disk):
        raise refused(400, f"{disk} disk type cannot be used by {machine} machine type., badRequest")


def _size(api: Api, values: Values) -> None:
    """Reject contradictory bounds: container.v1, NodePoolAutoscaling, read 2026-11-27."""
    scaling = values.get("autoscaling") or {}
    least, most = int(scaling.get("totalMinNodeCount", 0)), int(scaling.get("totalMaxNodeCount", 1))
    places = values.get("nodeLocations") or zones(api.filled("{location}", values))
    first = int(values.get("initialNodeCount", 0)) * len(places)
    if not 0 <= least <= most or most < 1 or first > most:
        raise refused(
            400, f'Node pool "{values["name"]}": {first} nodes, autoscaling from {least} to {most}., badRequest'
        )


def _upgrades(api: Api, values: Values) -> None:
    """Reject upgrade settings that would block all progress. Source: container.v1, UpgradeSettings, read 2026-11-27."""
    settings = values.get("upgradeSettings") or {}
    if settings and not settings.get("maxSurge", 0) + settings.get("maxUnavailable", 0):
        raise refused(400, "maxSurge and maxUnavailable cannot both be 0., badRequest")


def _nodes(api: Api, identifier: str) -> None:
    """Add a pool's first nodes to the API server, or remove the nodes of a deleted pool."""
    pool = api.find(POOL, identifier)
    new_nodes = None if pool is None else node_of(pool, int(pool.get("initialNodeCount") or 0))
    keep(os.environ.get(KUBECONFIG), _LABEL, identifier.rpartition("/")[2], new_nodes)


def node_of(pool: Values, in_each_zone: int) -> list[nodes.Node]:
    """Return nodes for a pool, the same number in each of its zones."""
    config = pool["nodeConfig"]
    machine = str(config["machineType"])
    has = accelerators(machine)
    return [
        nodes.Node(
            name=f"gke-{pool['name']}-{zone[-1]}{number}",
            disk=f"{config['diskSizeGb']}Gi",
            resources=(("nvidia.com/gpu", has[1]),) if has else (),
            labels=(
                (_LABEL, pool["name"]),
                ("node.kubernetes.io/instance-type", machine),
                ("topology.kubernetes.io/zone", zone),
                *((("cloud.google.com/gke-spot", "true"),) if config.get("spot") else ()),
                *config.get("labels", {}).items(),
            ),
            taints=tuple((each["key"], each["value"], _EFFECTS[each["effect"]]) for each in config.get("taints", ())),
        )
        for zone in pool["nodeLocations"]
        for number in range(in_each_zone)
    ]


KINDS = {
    POOL: Kind(
        "projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}",
        CONTAINER,
        fixed=frozenset(
            {
                *("name", "cluster", "location", "initialNodeCount", "maxPodsPerNode", "placementPolicy"),
                "queuedProvisioning",
                *(f"nodeConfig.{name}" for name in _NODE),
                *(f"networkConfig.{name}" for name in _NETWORK),
            }
        ),
        naming=default_naming(40),
        client=frozenset({"ignoreNodeCountChanges"}),
        assign=_assign,
        references={"cluster": CLUSTER},
        rules=(
            _machine,
            _size,
            _upgrades,
            node_account("nodeConfig"),
            members.encrypts("compute", "nodeConfig.bootDiskKmsKey"),
        ),
        exists="Already exists: {}., alreadyExists",
        after=_nodes,
    ),
}
