"""EKS calls about clusters. moto stores some of a cluster's properties, and the stand-in stores the rest."""

from __future__ import annotations

import os

from testbed.clouds.aws.api import Api, Own
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

SERVER = "MODELYARD_AWS_EKS_ENDPOINT"
AUTHORITY = "MODELYARD_AWS_EKS_AUTHORITY"
"""The environment variables with the address of the API server of every cluster and its base64 certificate."""

_KEPT = (
    *("accessConfig", "deletionProtection", "upgradePolicy", "zonalShiftConfig", "computeConfig", "storageConfig"),
    *("bootstrapSelfManagedAddons", "controlPlaneScalingConfig"),
)


def _create(api: Api, wanted: Values) -> Values:
    network = wanted["resourcesVpcConfig"]
    subnets = api.call("ec2", "describe_subnets", SubnetIds=network["subnetIds"])["Subnets"]
    if len({subnet["AvailabilityZone"] for subnet in subnets}) < 2:
        # pulumi-aws 7.51.1, eks.Cluster, read 2026-11-24
        raise Refused("InvalidParameterException", "Subnets specified must be in at least two different AZs")
    name, role = wanted["name"], str(wanted["roleArn"])
    api.call("iam", "get_role", RoleName=role.rpartition("/")[2])
    told = {key: value for key, value in wanted.items() if key not in _KEPT}
    told["resourcesVpcConfig"] = {
        "endpointPublicAccess": True,
        "endpointPrivateAccess": False,
        "publicAccessCidrs": ["0.0.0.0/0"],
        **network,
        "vpcId": subnets[0]["VpcId"],
        "clusterSecurityGroupId": _group(api, name, subnets[0]["VpcId"]),
    }
    kept = {key: wanted[key] for key in _KEPT if key in wanted}
    api.store.put("clusters", name, {**kept, "vpc": told.pop("resourcesVpcConfig")})
    api.moto("eks", "create_cluster", {**told, "resourcesVpcConfig": network})
    return _describe(api, {"name": name})


def _group(api: Api, name: str, vpc: str) -> str:
    """Create the cluster's own security group, whose members may all connect to each other."""
    made = api.call(
        "ec2",
        "create_security_group",
        GroupName=f"eks-cluster-sg-{name}",
        Description="EKS created security group applied to ENI that is attached to EKS Control Plane master nodes",
        VpcId=vpc,
    )
    group = str(made["GroupId"])
    inside = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
    api.call("ec2", "authorize_security_group_ingress", GroupId=group, IpPermissions=inside)
    return group


def _describe(api: Api, wanted: Values) -> Values:
    cluster = api.moto("eks", "describe_cluster", wanted)["cluster"]
    kept = dict(api.store.get("clusters", wanted["name"]) or {})
    network = kept.pop("vpc", {})
    server = {"endpoint": os.environ[SERVER]} if os.environ.get(SERVER) else {}
    authority = {"certificateAuthority": {"data": os.environ[AUTHORITY]}} if os.environ.get(AUTHORITY) else {}
    access = {"authenticationMode": "CONFIG_MAP", **kept.pop("accessConfig", {})}
    return {
        "cluster": {
            **cluster,
            **kept,
            **server,
            **authority,
            "accessConfig": access,
            "resourcesVpcConfig": {**cluster["resourcesVpcConfig"], **network},
        }
    }


def _update_config(api: Api, wanted: Values) -> Values:
    name = wanted["name"]
    api.moto("eks", "describe_cluster", {"name": name})
    if logging := wanted.get("logging"):
        api.moto("eks", "update_cluster_config", {"name": name, "resourcesVpcConfig": {}, "logging": logging})
    with api.store.open() as everything:
        kept = everything["clusters"][name]
        kept["vpc"].update(wanted.get("resourcesVpcConfig", {}))
        for key in _KEPT:
            if isinstance(wanted.get(key), dict):
                kept[key] = {**kept.get(key, {}), **wanted[key]}
            elif key in wanted:
                kept[key] = wanted[key]
    return {"update": {"status": "Successful"}}


def _update_version(api: Api, wanted: Values) -> Values:
    """Allow upgrades by one minor version: botocore 1.44.8, eks UpdateClusterVersion, read 2026-11-24."""
    before = _describe(api, {"name": wanted["name"]})["cluster"]["version"]
    first, second = int(str(before).partition(".")[2]), int(str(wanted["version"]).partition(".")[2])
    if second - first not in (0, 1):
        raise Refused("InvalidParameterException", f"Unsupported Kubernetes minor version update from {before}")
    with api.store.open() as everything:
        everything["clusters"][wanted["name"]]["version"] = wanted["version"]
    return {"update": {"status": "Successful"}}


def _delete(api: Api, wanted: Values) -> Values:
    name = wanted["name"]
    cluster = _describe(api, {"name": name})["cluster"]
    if cluster.get("deletionProtection"):
        # botocore 1.44.8, eks CreateCluster, deletionProtection, read 2026-11-24
        raise Refused("InvalidRequestException", f"Cluster {name} has deletion protection, turn it off first")
    answer = api.moto("eks", "delete_cluster", wanted)
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
