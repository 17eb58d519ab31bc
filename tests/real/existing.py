"""Clusters that another team created in the stand-ins for clouds before a system runs on them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from testbed.clouds.aws.api import ENDPOINT, FOLDER, Api
from testbed.clouds.aws.cloud import Cloud as Aws
from testbed.clouds.aws.own import OWN
from testbed.clouds.gcp.cloud import Cloud as Google
from testbed.clouds.gcp.clusters import AUTHORITY, POOL, SERVER, VERSIONS
from testbed.clouds.gcp.network import CLUSTER, NETWORK, SUBNETWORK

_TRUST = '{"Version": "2012-10-17", "Statement": []}'
_RANGE = "10.20.0.0/16"


def create_eks_cluster(cloud: Aws, name: str) -> None:
    """Create a cluster in a network with two zones, and the IAM provider for its tokens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENDPOINT, cloud.variables()[ENDPOINT])
        patch.setenv(FOLDER, str(cloud.folder))
        api = Api.from_environment(cloud.region, OWN)
        vpc = api.call("ec2", "create_vpc", CidrBlock=_RANGE)["Vpc"]["VpcId"]
        subnets = [
            api.call("ec2", "create_subnet", VpcId=vpc, CidrBlock=f"10.20.{at}.0/24", AvailabilityZone=zone)["Subnet"]
            for at, zone in enumerate((f"{cloud.region}a", f"{cloud.region}b"))
        ]
        role = api.call("iam", "create_role", RoleName=f"{name}-cluster", AssumeRolePolicyDocument=_TRUST)["Role"]
        cluster = api.call(
            "eks",
            "create_cluster",
            name=name,
            version="1.36",
            roleArn=role["Arn"],
            resourcesVpcConfig={"subnetIds": [subnet["SubnetId"] for subnet in subnets]},
            accessConfig={"authenticationMode": "API"},
        )["cluster"]
        api.call("iam", "create_open_id_connect_provider", Url=cluster["identity"]["oidc"]["issuer"])


def create_gke_cluster(cloud: Google, name: str, location: str, *, identities: bool = True) -> None:
    """Create a cluster in its own network, with a node pool, and with or without Workload Identity Federation."""
    project, region = cloud.api.account, location[:-2]
    network, subnetwork = f"projects/{project}/global/networks/shared", f"projects/{project}/regions/{region}"
    subnetwork = f"{subnetwork}/subnetworks/nodes"
    identifier = f"projects/{project}/locations/{location}/clusters/{name}"
    variables = cloud.variables()
    pool = f"{project}.svc.id.goog"
    _store(cloud, NETWORK, network, {"name": "shared", "project": project})
    block = {"name": "nodes", "region": region, "network": network, "ipCidrRange": "10.20.0.0/20", "project": project}
    _store(cloud, SUBNETWORK, subnetwork, block)
    cluster: dict[str, object] = {
        "name": name,
        "location": location,
        "project": project,
        "network": network,
        "subnetwork": subnetwork,
        "endpoint": variables.get(SERVER, "10.20.0.2"),
        "masterAuth": {"clusterCaCertificate": variables.get(AUTHORITY, "Y2VydGlmaWNhdGU=")},
        "masterVersion": VERSIONS["1.36"],
    }
    if identities:
        cluster["workloadIdentityConfig"] = {"workloadPool": pool}
        cloud.api.store.put("pools", pool, {"project": project})
    _store(cloud, CLUSTER, identifier, cluster)
    account = f"nodes@{project}.iam.gserviceaccount.com"
    nodes = {"name": "general", "cluster": name, "location": location, "nodeConfig": {"serviceAccount": account}}
    _store(cloud, POOL, f"{identifier}/nodePools/general", nodes)
    address = f"projects/{project}/serviceAccounts/{account}"
    _store(cloud, "gcp:serviceaccount/account:Account", address, {"email": account, "accountId": "nodes"})


def _store(cloud: Google, token: str, identifier: str, values: Mapping[str, object]) -> None:
    cloud.api.store.put(token, identifier, {"declared": dict(values), "assigned": {}})
