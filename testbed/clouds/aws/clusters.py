"""EKS calls for clusters. moto stores some of a cluster's properties, and the stand-in stores the others."""

from __future__ import annotations

import os

from testbed.clouds.aws.api import Api, Own
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

SERVER = "MODELYARD_AWS_EKS_ENDPOINT"
AUTHORITY = "MODELYARD_AWS_EKS_AUTHORITY"
"""The environment variables with the address and the base64 certificate of the API server that all clusters share."""

_KEPT = (
    *("accessConfig", "deletionProtection", "upgradePolicy", "zonalShiftConfig", "computeConfig", "storageConfig"),
    *("bootstrapSelfManagedAddons", "controlPlaneScalingConfig"),
)


def _create(api: Api, request: Values) -> Values:
    network = request["resourcesVpcConfig"]
    subnets = api.call("ec2", "describe_subnets", SubnetIds=network["subnetIds"])["Subnets"]
    if len({subnet["AvailabilityZone"] for subnet in subnets}) < 2:
        # pulumi-aws 7.51.1, eks.Cluster, read 2026-11-24
        raise Refused("InvalidParameterException", "Subnets specified must be in at least two different AZs")
    name, role = request["name"], str(request["roleArn"])
    api.call("iam", "get_role", RoleName=role.rpartition("/")[2])
    parameters = {key: value for key, value in request.items() if key not in _KEPT}
    parameters["resourcesVpcConfig"] = {
        "endpointPublicAccess": True,
        "endpointPrivateAccess": False,
        "publicAccessCidrs": ["0.0.0.0/0"],
        **network,
        "vpcId": subnets[0]["VpcId"],
        "clusterSecurityGroupId": _group(api, name, subnets[0]["VpcId"]),
    }
    stored = {key: request[key] for key in _KEPT if key in request}
    api.store.put("clusters", name, {**stored, "vpc": parameters.pop("resourcesVpcConfig")})
    api.moto("eks", "create_cluster", {**parameters, "resourcesVpcConfig": network})
    return _describe(api, {"name": name})


def _group(api: Api, name: str, vpc: str) -> str:
    """Create the cluster's own security group, whose members may all connect to each other."""
    response = api.call(
        "ec2",
        "create_security_group",
        GroupName=f"eks-cluster-sg-{name}",
        Description="EKS created security group applied to ENI that is attached to EKS Control Plane master nodes",
        VpcId=vpc,
    )
    group = str(response["GroupId"])
    inside = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
    api.call("ec2", "authorize_security_group_ingress", GroupId=group, IpPermissions=inside)
    return group


def _describe(api: Api, request: Values) -> Values:
    cluster = api.moto("eks", "describe_cluster", request)["cluster"]
    stored = dict(api.store.get("clusters", request["name"]) or {})
    network = stored.pop("vpc", {})
    server = {"endpoint": os.environ[SERVER]} if os.environ.get(SERVER) else {}
    authority = {"certificateAuthority": {"data": os.environ[AUTHORITY]}} if os.environ.get(AUTHORITY) else {}
    access = {"authenticationMode": "CONFIG_MAP", **stored.pop("accessConfig", {})}
    return {
        "cluster": {
            **cluster,
            **stored,
            **server,
            **authority,
            "accessConfig": access,
            "resourcesVpcConfig": {**cluster["resourcesVpcConfig"], **network},
        }
    }


def _update_config(api: Api, request: Values) -> Values:
    name = request["name"]
    api.moto("eks", "describe_cluster", {"name": name})
    if logging := request.get("logging"):
        api.moto("eks", "update_cluster_config", {"name": name, "resourcesVpcConfig": {}, "logging": logging})
    with api.store.open() as everything:
        stored = everything["clusters"][name]
        stored["vpc"].update(request.get("resourcesVpcConfig", {}))
        for key in _KEPT:
            if isinstance(request.get(key), dict):
                stored[key] = {**stored.get(key, {}), **request[key]}
            elif key in request:
                stored[key] = request[key]
    return {"update": {"status": "Successful"}}


def _update_version(api: Api, request: Values) -> Values:
    """Only allow upgrades by one minor version: botocore 1.44.8, eks UpdateClusterVersion, read 2026-11-24."""
    before = _describe(api, {"name": request["name"]})["cluster"]["version"]
    first, second = int(str(before).partition(".")[2]), int(str(request["version"]).partition(".")[2])
    if second - first not in (0, 1):
        raise Refused("InvalidParameterException", f"Unsupported Kubernetes minor version update from {before}")
    with api.store.open() as everything:
        everything["clusters"][request["name"]]["version"] = request["version"]
    return {"update": {"status": "Successful"}}


def _delete(api: Api, request: Values) -> Values:
    name = request["name"]
    cluster = _describe(api, {"name": name})["cluster"]
    if cluster.get("deletionProtection"):
        # botocore 1.44.8, eks CreateCluster, deletionProtection, read 2026-11-24
        raise Refused("InvalidRequestException", f"Cluster {name} has deletion protection, turn it off first")
    answer = api.moto("eks", "delete_cluster", request)
    api.call("ec2", "delete_security_group", GroupId=cluster["resourcesVpcConfig"]["clusterSecurityGroupId"])
    with api.store.open() as everything:
        everything["clusters"].pop(name)
        for kind in ("addons", "entries", "associations"):
            things = everything.get(kind, {})
            for key in [key for key in things if key.split("|")[0] == name]:
                things.pop(key)
    return answer


OWN: dict[tuple[str, str], Own] = {
    ("eks", "create_cluster"): _create,
    ("eks", "describe_cluster"): _describe,
    ("eks", "update_cluster_config"): _update_config,
    ("eks", "update_cluster_version"): _update_version,
    ("eks", "delete_cluster"): _delete,
}
