"""GKE clusters."""

from __future__ import annotations

import os
import re
import zlib

from testbed.clouds.gcp import members
from testbed.clouds.gcp.api import Api, at, refused
from testbed.clouds.gcp.kinds import Kind, Rule, default_naming, target_of
from testbed.clouds.gcp.network import CLUSTER, NETWORK, SUBNETWORK
from testbed.clouds.gcp.network import KINDS as NETWORKS
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

POOL = "gcp:container/nodePool:NodePool"
CONTAINER = "container.googleapis.com"

SERVER = "MODELYARD_GCP_GKE_ENDPOINT"
AUTHORITY = "MODELYARD_GCP_GKE_AUTHORITY"
"""The environment variables with the address and the base64 certificate of the API server that all clusters share."""

VERSIONS = {
    "1.33": "1.33.11-gke.1234000",
    "1.34": "1.34.9-gke.1086000",
    "1.35": "1.35.6-gke.1038000",
    "1.36": "1.36.2-gke.1009000",
}
"""The full version that a cluster gets for each minor version. The patch levels are examples."""

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")


def _assign(api: Api, values: Values, before: Values) -> Values:
    hashed = f"{zlib.crc32(str(values['name']).encode()):08x}"
    by_name = at(values, "controlPlaneEndpointsConfig.dnsEndpointConfig")
    host = f"gke-{hashed}-{api.number}.{api.filled('{location}', values)}.gke.goog"
    return {
        "endpoint": os.environ.get(SERVER) or before.get("endpoint") or "10.20.0.2",
        "masterVersion": VERSIONS[_minor(values)],
        "masterAuth": {"clusterCaCertificate": os.environ.get(AUTHORITY) or "Y2VydGlmaWNhdGU="},
        "servicesIpv4Cidr": _range(api, values, "servicesSecondaryRangeName"),
        "privateClusterConfig": {"privateEndpoint": before.get("endpoint") or "10.20.0.2"},
        **({"controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": host}}} if by_name else {}),
    }


def _minor(values: Values) -> str:
    return ".".join(str(values.get("minMasterVersion") or "1.35").split(".")[:2])


def _range(api: Api, values: Values, name: str) -> str:
    """Return the address block of a cluster's secondary range, rejecting ranges its subnetwork doesn't have."""
    subnetwork = api.find(SUBNETWORK, target_of(api, NETWORKS[SUBNETWORK], str(values["subnetwork"]), values)) or {}
    (key,) = at(values, f"ipAllocationPolicy.{name}")
    blocks = {each["rangeName"]: each["ipCidrRange"] for each in subnetwork.get("secondaryIpRanges", ())}
    if key not in blocks:
        raise refused(
            400,
            f'Services range "{key}" or pods range does not exist in subnetwork {values["subnetwork"]}., badRequest',
        )
    return str(blocks[key])


def _name(api: Api, values: Values) -> None:
    """Reject an invalid name. Source: container.v1, Cluster, name, read 2026-11-27."""
    if not _NAME.fullmatch(str(values["name"])):
        raise refused(400, f'Invalid value for field "cluster.name": "{values["name"]}"., badRequest')


def _version(api: Api, values: Values) -> None:
    """Reject unknown versions and downgrades: container.v1, Cluster, initialClusterVersion, read 2026-11-27."""
    version = str(values.get("minMasterVersion", ""))
    if _minor(values) not in VERSIONS:
        raise refused(400, f'Master version "{version}" is unsupported., badRequest')
    before = api.find(CLUSTER, api.filled(KINDS[CLUSTER].path, values))
    if before and VERSIONS[_minor(values)] < before["masterVersion"]:
        raise refused(400, f"Downgrading the master from {before['masterVersion']} is not supported., badRequest")


def _identities(api: Api, values: Values) -> None:
    """Reject any workload pool except for the project's own, and create the latter.

    Source: https://docs.cloud.google.com/kubernetes-engine/docs/how-to/workload-identity, read 2026-11-27.
    """
    pool = f"{api.account}.svc.id.goog"
    for requested in at(values, "workloadIdentityConfig.workloadPool"):
        if requested != pool:
            raise refused(400, f'Currently the only supported workload pool is "{pool}"., badRequest')
        api.store.put("pools", pool, {"project": api.account})


def _datapath(api: Api, values: Values) -> None:
    """Reject Dataplane V2 together with Calico network policies.

    Source: https://docs.cloud.google.com/kubernetes-engine/docs/how-to/dataplane-v2, read 2026-11-27.
    """
    calico = values.get("networkPolicy", {}).get("enabled") or False in at(
        values, "addonsConfig.networkPolicyConfig.disabled"
    )
    if values.get("datapathProvider") == "ADVANCED_DATAPATH" and calico:
        raise refused(
            400,
            "Enabling NetworkPolicy for clusters with DatapathProvider=ADVANCED_DATAPATH is not allowed., badRequest",
        )


def _ranges(api: Api, values: Values) -> None:
    """Check the secondary ranges of Pods and Services. Source: container.v1, IPAllocationPolicy, read 2026-11-27."""
    for name in ("clusterSecondaryRangeName", "servicesSecondaryRangeName"):
        _range(api, values, name)


def _agent(api: Api, values: Values) -> None:
    """Create GKE's service agent, as the first use of GKE's API does."""
    members.create_agent(api, "container")


def node_account(path: str) -> Rule:
    """Return a rule that rejects nodes whose service account doesn't exist."""

    def rule(api: Api, values: Values) -> None:
        known = {each["email"] for each in api.all(members.ACCOUNT).values()}
        for account in at(values, f"{path}.serviceAccount"):
            if account not in known:
                raise refused(400, f'The user does not have access to service account "{account}"., badRequest')

    return rule


def _protected(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a protected cluster.

    Wording: issues about pulumi-gcp and the provider it bridges, read 2026-11-27.
    """
    if values.get("deletionProtection", True):
        raise Refused(
            "Error",
            "Cannot destroy cluster because deletion_protection is set to true. Set it to false to proceed with"
            " cluster deletion.",
        )


KINDS = {
    CLUSTER: Kind(
        "projects/{project}/locations/{location}/clusters/{name}",
        CONTAINER,
        fixed=frozenset(
            {
                *("name", "location", "project", "network", "subnetwork", "networkingMode", "datapathProvider"),
                *("description", "enableAutopilot", "enableKubernetesAlpha", "initialNodeCount", "ipAllocationPolicy"),
                *("defaultMaxPodsPerNode", "clusterIpv4Cidr", "privateClusterConfig.masterIpv4CidrBlock"),
                *("privateClusterConfig.privateEndpointSubnetwork", "masterAuth.clientCertificateConfig"),
                *("confidentialNodes", "nodePools"),
            }
        ),
        naming=default_naming(40),
        labels="resourceLabels",
        # the default pool's nodes disappear when the pool is removed
        client=frozenset({"deletionProtection", "removeDefaultNodePool", "initialNodeCount", "nodeConfig"}),
        link="https://container.googleapis.com/v1/",
        assign=_assign,
        references={"network": NETWORK, "subnetwork": SUBNETWORK},
        rules=(
            _name,
            _version,
            _identities,
            _datapath,
            _ranges,
            _agent,
            node_account("nodeConfig"),
            members.encrypts("container", "databaseEncryption.keyName"),
            members.encrypts("compute", "nodeConfig.bootDiskKmsKey"),
        ),
        guards=(_protected,),
        contains=(POOL,),
        computed=frozenset(
            {
                "masterAuth.clusterCaCertificate",
                "controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint",
                "privateClusterConfig.privateEndpoint",
            }
        ),
        exists="Already exists: {}., alreadyExists",
    ),
}
