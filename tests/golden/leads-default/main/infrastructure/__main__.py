"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.aws.account import Account
from modelyard_stacks.aws.alarms import Alarms
from modelyard_stacks.aws.cluster import Cluster, ClusterAddons
from modelyard_stacks.aws.database import Database
from modelyard_stacks.aws.identity import Identity
from modelyard_stacks.aws.images import ImageRegistry
from modelyard_stacks.aws.key import Key
from modelyard_stacks.aws.login import DatabaseLogin
from modelyard_stacks.aws.network import Network
from modelyard_stacks.aws.nodes import NodePool
from modelyard_stacks.aws.platform import ClusterAutoscaler, Karpenter, SecretsReader
from modelyard_stacks.aws.storage import ObjectStore
from modelyard_stacks.aws.system_pool import SystemPool

account = Account(
    "main",
    region="eu-central-1",
    account_id="123456789012",
    tags={
        "modelyard:system": "leads",
        "modelyard:environment": "default",
        "modelyard:target": "main",
        "modelyard:owner": "growth",
        "label:domain": "sales",
    },
)
key = Key("leads-main", account=account)
network = Network(
    "leads-main",
    account=account,
    key=key,
    cidr="10.20.0.0/16",
    zones=3,
    nat="one",
    endpoints=[],
    buckets=["leads-audit-8fca8d", "leads-lake-8fca8d"],
    log_days=30,
)
cluster = Cluster(
    "leads-main",
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
    min_nodes=3,
    max_nodes=6,
    disk_gib=100,
    tainted=False,
)
cluster_addons = ClusterAddons(
    "leads-main",
    cluster=cluster,
    versions={"coredns": "v1.14.3-eksbuild.16", "aws-ebs-csi-driver": "v1.63.1-eksbuild.1"},
    depends_on=[system_pool],
)
gpu_g6_2xlarge_spot_pool = NodePool(
    "gpu-g6-2xlarge-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="gpu",
    machines=["g6.2xlarge", "g6.4xlarge"],
    capacity="spot",
    min_nodes=0,
    max_nodes=1,
    disk_gib=50,
    local_gib=419,
    accelerator="nvidia",
    accelerators=1,
    accelerator_name="L4",
)
gpu_g6_2xlarge_on_demand_pool = NodePool(
    "gpu-g6-2xlarge-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="gpu",
    machines=["g6.2xlarge"],
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=50,
    local_gib=419,
    accelerator="nvidia",
    accelerators=1,
    accelerator_name="L4",
)
gpu_g5_2xlarge_spot_pool = NodePool(
    "gpu-g5-2xlarge-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="gpu",
    machines=["g5.2xlarge", "g5.4xlarge"],
    capacity="spot",
    min_nodes=0,
    max_nodes=1,
    disk_gib=50,
    local_gib=419,
    accelerator="nvidia",
    accelerators=1,
    accelerator_name="A10G",
)
gpu_g5_2xlarge_on_demand_pool = NodePool(
    "gpu-g5-2xlarge-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="gpu",
    machines=["g5.2xlarge"],
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=50,
    local_gib=419,
    accelerator="nvidia",
    accelerators=1,
    accelerator_name="A10G",
)
small_m6i_large_on_demand_pool = NodePool(
    "small-m6i-large-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="small",
    machines=["m6i.large"],
    capacity="on-demand",
    min_nodes=1,
    max_nodes=2,
    disk_gib=100,
)

audit_store = ObjectStore(
    "audit",
    account=account,
    key=key,
    bucket="leads-audit-8fca8d",
    versioned=True,
    expire={"audit/score": 2557},
    lock={"mode": "compliance", "days": 2557},
)
lake_store = ObjectStore(
    "lake",
    account=account,
    key=key,
    bucket="leads-lake-8fca8d",
    versioned=True,
    expire={"mlflow/logs": 90},
)
runs_store = Database(
    "runs",
    account=account,
    key=key,
    network=network,
    cluster=cluster,
    database="runs",
    storage_gib=20,
    machine="db.t4g.small",
    version="18",
    replicas=False,
    backup_days=7,
    log_days=30,
)
runs_login = DatabaseLogin(
    "runs",
    account=account,
    key=key,
    cluster=cluster,
    database=runs_store,
    namespace="leads",
    service_account="login-runs",
)
images = ImageRegistry("leads-main", account=account, key=key, repositories=["leads-main/leads-runtime"])

autoscaler = ClusterAutoscaler(
    "leads-main",
    cluster=cluster,
    key=key,
    namespace="cluster-autoscaler",
    service_account="cluster-autoscaler",
)
secrets_reader = SecretsReader(
    "leads-main",
    cluster=cluster,
    key=key,
    namespace="external-secrets",
    service_account="external-secrets",
    secrets=["token"],
    arns=[runs_login.secret_arn],
)
karpenter = Karpenter("leads-main", cluster=cluster, key=key, namespace="karpenter", service_account="karpenter")

Identity(
    "registry",
    cluster=cluster,
    key=key,
    namespace="leads",
    service_account="registry",
    access=[{"bucket": lake_store.bucket, "prefix": "mlflow", "mode": "write", "key": lake_store.key_arn}],
)
Identity(
    "fit",
    cluster=cluster,
    key=key,
    namespace="leads",
    service_account="fit",
    access=[
        {"bucket": lake_store.bucket, "prefix": "clicks", "mode": "read", "key": lake_store.key_arn},
        {
            "bucket": lake_store.bucket,
            "prefix": "mlflow/models/leads-churn/",
            "mode": "write",
            "key": lake_store.key_arn,
        },
        {"bucket": lake_store.bucket, "prefix": "mlflow/logs/fit", "mode": "append", "key": lake_store.key_arn},
    ],
)
Identity(
    "scoring",
    cluster=cluster,
    key=key,
    namespace="leads",
    service_account="scoring",
    access=[
        {"bucket": lake_store.bucket, "prefix": "clicks", "mode": "read", "key": lake_store.key_arn},
        {"bucket": lake_store.bucket, "prefix": "scores", "mode": "write", "key": lake_store.key_arn},
        {
            "bucket": lake_store.bucket,
            "prefix": "mlflow/models/leads-churn/",
            "mode": "read",
            "key": lake_store.key_arn,
        },
        {"bucket": lake_store.bucket, "prefix": "mlflow/logs/scoring", "mode": "append", "key": lake_store.key_arn},
    ],
)
Identity(
    "score",
    cluster=cluster,
    key=key,
    namespace="leads",
    service_account="score",
    access=[
        {
            "bucket": lake_store.bucket,
            "prefix": "mlflow/models/leads-churn/",
            "mode": "read",
            "key": lake_store.key_arn,
        },
        {"bucket": audit_store.bucket, "prefix": "audit/score", "mode": "append", "key": audit_store.key_arn},
    ],
)
Identity(
    "promoter",
    cluster=cluster,
    key=key,
    namespace="leads",
    service_account="promoter",
    access=[
        {"bucket": lake_store.bucket, "prefix": "mlflow/models/", "mode": "read", "key": lake_store.key_arn},
        {
            "bucket": lake_store.bucket,
            "prefix": "mlflow/models/leads-propensity/",
            "mode": "append",
            "key": lake_store.key_arn,
        },
        {"bucket": lake_store.bucket, "prefix": "bought/propensity/4/", "mode": "read", "key": lake_store.key_arn},
    ],
)

Alarms("leads-main", account=account, key=key, network=network, databases=[runs_store], emails=["growth@acme.example"])

pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("cluster_name", cluster.name)
pulumi.export("region", account.region_name)
pulumi.export("key_arn", key.arn)
pulumi.export("s3_ranges", network.s3_ranges)
pulumi.export("image_registry", images.host)
pulumi.export("runs_host", runs_store.host)
pulumi.export("runs_port", runs_store.port)
pulumi.export("runs_secret", runs_login.secret_arn)
pulumi.export("karpenter_profile", karpenter.profile_name)
pulumi.export("karpenter_queue", karpenter.queue_name)
