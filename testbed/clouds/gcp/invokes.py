"""Provider functions (invokes) that programs call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from testbed.clouds.gcp import machines, members
from testbed.clouds.gcp.api import Api, refused
from testbed.clouds.gcp.clusters import POOL
from testbed.clouds.gcp.network import CLUSTER, COMPUTE, DATABASE
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

Invoke: TypeAlias = Callable[[Api, Values], Values]

_FILTER = re.compile(r'name = "([^"]+)"')


def _project(api: Api, arguments: Values) -> Values:
    api.use("cloudresourcemanager.googleapis.com")
    project_id = str(arguments.get("projectId") or api.account)
    if project_id != api.account:
        raise refused(403, "The caller does not have permission, forbidden")
    return {
        "id": f"projects/{project_id}",
        "projectId": project_id,
        "name": project_id,
        "number": api.number,
        "billingAccount": api.project["billingAccount"],
        "orgId": "",
        "folderId": "",
        "autoCreateNetwork": False,
        "deletionPolicy": "",
        "labels": {},
        "effectiveLabels": {},
        "pulumiLabels": {},
        "tags": {},
    }


def _storage_agent(api: Api, arguments: Values) -> Values:
    api.use("storage.googleapis.com")
    address = members.create_agent(api, "storage")
    return {
        "id": address,
        "emailAddress": address,
        "member": f"serviceAccount:{address}",
        "project": api.account,
        "userProject": "",
    }


def _log_settings(api: Api, arguments: Values) -> Values:
    api.use("logging.googleapis.com")
    address = members.create_agent(api, "logging")
    name = f"projects/{api.account}/cmekSettings"
    return {
        "id": name,
        "name": name,
        "project": api.account,
        "kmsKeyName": "",
        "kmsKeyVersionName": "",
        "serviceAccountId": address,
    }


def _zones(api: Api, arguments: Values) -> Values:
    api.use(COMPUTE)
    region = str(arguments.get("region") or api.region)
    identifier = f"projects/{api.account}/regions/{region}"
    names = machines.zones(region)
    return {"id": identifier, "names": names, "project": api.account, "region": region, "status": None}


def _machine_types(api: Api, arguments: Values) -> Values:
    """Return the machine type named in the filter, if the zone has it."""
    api.use(COMPUTE)
    match = _FILTER.fullmatch(str(arguments.get("filter", "")))
    if match is None:
        raise refused(400, f"Invalid value for field 'filter': '{arguments.get('filter')}'., invalid")
    name, zone = match[1], str(arguments["zone"])
    return {
        "id": f"projects/{api.account}/zones/{zone}/machineTypes",
        "filter": arguments["filter"],
        "project": api.account,
        "zone": zone,
        "machineTypes": [_described(api, name, zone)] if machines.offered(name, zone) else [],
    }


def _described(api: Api, name: str, zone: str) -> Values:
    """Return a machine type with its accelerators. Its sizes are zero, since programs don't read them."""
    has = machines.accelerators(name)
    return {
        "name": name,
        "description": name,
        "selfLink": f"https://www.googleapis.com/compute/v1/projects/{api.account}/zones/{zone}/machineTypes/{name}",
        "accelerators": [{"guestAcceleratorType": has[0], "guestAcceleratorCount": has[1]}] if has else [],
        "architecture": "X86_64",
        "bundledLocalSsds": [],
        "deprecateds": [],
        "guestCpus": 0,
        "isSharedCpus": False,
        "maximumPersistentDisks": 0,
        "maximumPersistentDisksSizeGb": 0,
        "memoryMb": 0,
    }


def _authorities(api: Api, arguments: Values) -> Values:
    """Return the certificates of the authorities that sign certificates for a Cloud SQL instance."""
    api.use("sqladmin.googleapis.com")
    name = str(arguments["instance"])
    instance = api.find(DATABASE, name)
    if instance is None:
        raise refused(404, "The Cloud SQL instance does not exist., instanceDoesNotExist")
    certificates = instance["serverCaCerts"]
    return {
        "id": f"projects/{api.account}/instance/{name}",
        "instance": name,
        "project": api.account,
        "certs": certificates,
        "activeVersion": certificates[0]["sha1Fingerprint"],
    }


def _cluster(api: Api, arguments: Values) -> Values:
    """Return a cluster by name and location.

    Wording: hashicorp/terraform-provider-google, data_source_google_container_cluster.go, read 2026-11-27.
    """
    api.use("container.googleapis.com")
    name, location = str(arguments["name"]), str(arguments.get("location") or api.region)
    identifier = f"projects/{arguments.get('project') or api.account}/locations/{location}/clusters/{name}"
    cluster = api.find(CLUSTER, identifier)
    if cluster is None:
        raise Refused("Error", f"{identifier} not found")
    pools = [pool for path, pool in api.all(POOL).items() if path.startswith(f"{identifier}/")]
    identities = cluster.get("workloadIdentityConfig")
    return {
        "id": identifier,
        "name": name,
        "location": location,
        "project": api.account,
        **{key: cluster[key] for key in ("endpoint", "masterVersion", "network", "subnetwork")},
        "masterAuths": [cluster["masterAuth"]],
        "nodePools": [{"name": pool["name"], "nodeConfigs": [pool["nodeConfig"]]} for pool in pools],
        "workloadIdentityConfigs": [identities] if identities else [],
        "controlPlaneEndpointsConfigs": [],
    }


INVOKES: Mapping[str, Invoke] = {
    "gcp:organizations/getProject:getProject": _project,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": _storage_agent,
    "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": _log_settings,
    "gcp:compute/getZones:getZones": _zones,
    "gcp:compute/getMachineTypes:getMachineTypes": _machine_types,
    "gcp:container/getCluster:getCluster": _cluster,
    "gcp:sql/getCaCerts:getCaCerts": _authorities,
}
