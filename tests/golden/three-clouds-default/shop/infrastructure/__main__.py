"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.aws.account import Account
from modelyard_stacks.aws.alarms import Alarms
from modelyard_stacks.aws.cluster import Cluster, ClusterAddons
from modelyard_stacks.aws.identity import Identity
from modelyard_stacks.aws.images import ImageRegistry
from modelyard_stacks.aws.key import Key
from modelyard_stacks.aws.network import Network
from modelyard_stacks.aws.nodes import NodePool
from modelyard_stacks.aws.platform import ClusterAutoscaler
from modelyard_stacks.aws.storage import ObjectStore
from modelyard_stacks.aws.system_pool import SystemPool

account = Account(
    "shop",
    region="eu-central-1",
    tags={
        "modelyard:system": "offers",
        "modelyard:environment": "default",
        "modelyard:target": "shop",
        "modelyard:owner": "growth",
    },
)
key = Key("offers-shop", account=account)
network = Network(
    "offers-shop",
    account=account,
    key=key,
    cidr="10.1.0.0/16",
    zones=3,
    nat="one",
    endpoints=[],
    buckets=["offers-captures-9f72ff"],
    log_days=30,
)
cluster = Cluster(
    "offers-shop",
    account=account,
    network=network,
    key=key,
    version="1.36",
    addons={
        "vpc-cni": "v1.22.4-eksbuild.3",
        "kube-proxy": "v1.36.0-eksbuild.21",
        "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
    },
    log_days=30,
)

system_pool = SystemPool(
    "system",
    cluster=cluster,
    network=network,
    key=key,
    pool="system",
    machines=["m6i.large"],
    capacity="on-demand",
    min_nodes=2,
    max_nodes=4,
    disk_gib=100,
    tainted=False,
)
cluster_addons = ClusterAddons(
    "offers-shop",
    cluster=cluster,
    versions={"coredns": "v1.14.3-eksbuild.16", "aws-ebs-csi-driver": "v1.63.1-eksbuild.1"},
    depends_on=[system_pool],
)
small_m6i_xlarge_on_demand_pool = NodePool(
    "small-m6i-xlarge-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="small",
    machines=["m6i.xlarge"],
    capacity="on-demand",
    min_nodes=1,
    max_nodes=2,
    disk_gib=100,
)
monitors_drift_m6i_large_on_demand_pool = NodePool(
    "monitors-drift-m6i-large-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="monitors-drift",
    machines=["m6i.large"],
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
)

captures_store = ObjectStore("captures", account=account, key=key, bucket="offers-captures-9f72ff", versioned=True)
images = ImageRegistry("offers-shop", account=account, key=key, repositories=["offers-shop/offers-runtime"])

autoscaler = ClusterAutoscaler(
    "offers-shop",
    cluster=cluster,
    key=key,
    namespace="cluster-autoscaler",
    service_account="cluster-autoscaler",
)

Identity(
    "offers",
    cluster=cluster,
    key=key,
    namespace="offers",
    service_account="offers",
    access=[
        {"bucket": captures_store.bucket, "prefix": "captures/offers", "mode": "append", "key": captures_store.key_arn},
    ],
)
Identity(
    "monitor-drift",
    cluster=cluster,
    key=key,
    namespace="offers",
    service_account="monitor-drift",
    access=[
        {"bucket": captures_store.bucket, "prefix": "captures/offers", "mode": "read", "key": captures_store.key_arn},
        {
            "bucket": captures_store.bucket,
            "prefix": "captures/offers/_monitors/drift/",
            "mode": "append",
            "key": captures_store.key_arn,
        },
    ],
)

Alarms("offers-shop", account=account, key=key, network=network, emails=["growth@acme.example"])

pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("cluster_name", cluster.name)
pulumi.export("region", account.region_name)
pulumi.export("key_arn", key.arn)
pulumi.export("s3_ranges", network.s3_ranges)
pulumi.export("image_registry", images.host)
pulumi.export("issuer", cluster.issuer)
