"""The text of a program that creates a cluster, for tests of components that need one."""

from __future__ import annotations

from tests.stacks.aws.programs import NETWORK

CLUSTER = f"""\
{NETWORK}
from modelyard_stacks.aws.cluster import Cluster

cluster = Cluster(
    "fraud-prod-main",
    account=account,
    network=network,
    key=key,
    version="1.36",
    addons={{"eks-pod-identity-agent": "v1", "vpc-cni": "v1", "kube-proxy": "v1"}},
    log_days=90,
)
"""
