"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.aws.account import Account
from modelyard_stacks.aws.alarms import Alarms
from modelyard_stacks.aws.cluster import Cluster, ClusterAddons
from modelyard_stacks.aws.crossing import Crossing
from modelyard_stacks.aws.database import Database
from modelyard_stacks.aws.identity import Identity
from modelyard_stacks.aws.images import ImageRegistry
from modelyard_stacks.aws.key import Key
from modelyard_stacks.aws.login import DatabaseLogin
from modelyard_stacks.aws.network import Network
from modelyard_stacks.aws.nodes import NodePool
from modelyard_stacks.aws.platform import ClusterAutoscaler, SecretsReader
from modelyard_stacks.aws.storage import ObjectStore
from modelyard_stacks.aws.system_pool import SystemPool

account = Account(
    "main",
    region="eu-central-1",
    tags={
        "modelyard:system": "tills",
        "modelyard:environment": "default",
        "modelyard:target": "main",
        "modelyard:owner": "stores",
    },
)
key = Key("tills-main", account=account)
network = Network(
    "tills-main",
    account=account,
    key=key,
    cidr="10.0.0.0/16",
    zones=3,
    nat="one",
    endpoints=[],
    buckets=["tills-lake-8e6de1"],
    log_days=30,
)
cluster = Cluster(
    "tills-main",
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
    "tills-main",
    cluster=cluster,
    versions={"coredns": "v1.14.3-eksbuild.16", "aws-ebs-csi-driver": "v1.63.1-eksbuild.1"},
    depends_on=[system_pool],
)
pipelines_retrain_m6i_2xlarge_on_demand_pool = NodePool(
    "pipelines-retrain-m6i-2xlarge-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="pipelines-retrain",
    machines=["m6i.2xlarge"],
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
)

lake_store = ObjectStore(
    "lake",
    account=account,
    key=key,
    bucket="tills-lake-8e6de1",
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
    namespace="tills",
    service_account="login-runs",
)
images = ImageRegistry("tills-main", account=account, key=key, repositories=["tills-main/tills-runtime"])

autoscaler = ClusterAutoscaler(
    "tills-main",
    cluster=cluster,
    key=key,
    namespace="cluster-autoscaler",
    service_account="cluster-autoscaler",
)
secrets_reader = SecretsReader(
    "tills-main",
    cluster=cluster,
    key=key,
    namespace="external-secrets",
    service_account="external-secrets",
    arns=[runs_login.secret_arn],
)

Identity(
    "registry",
    cluster=cluster,
    key=key,
    namespace="tills",
    service_account="registry",
    access=[{"bucket": lake_store.bucket, "prefix": "mlflow", "mode": "write", "key": lake_store.key_arn}],
)
Identity(
    "retrain",
    cluster=cluster,
    key=key,
    namespace="tills",
    service_account="retrain",
    access=[
        {"bucket": lake_store.bucket, "prefix": "sales", "mode": "read", "key": lake_store.key_arn},
        {
            "bucket": lake_store.bucket,
            "prefix": "mlflow/models/tills-theft/",
            "mode": "write",
            "key": lake_store.key_arn,
        },
        {"bucket": lake_store.bucket, "prefix": "mlflow/logs/retrain", "mode": "append", "key": lake_store.key_arn},
    ],
)
Identity(
    "promoter",
    cluster=cluster,
    key=key,
    namespace="tills",
    service_account="promoter",
    access=[{"bucket": lake_store.bucket, "prefix": "mlflow/models/", "mode": "read", "key": lake_store.key_arn}],
)
Identity(
    "starter",
    cluster=cluster,
    key=key,
    namespace="tills",
    service_account="starter",
    access=[
        {
            "bucket": lake_store.bucket,
            "prefix": "mlflow/run-requests/tills/default/main/",
            "mode": "write",
            "key": lake_store.key_arn,
        },
    ],
)

shop__monitor_drift_crossing = Crossing(
    "shop.monitor-drift",
    account=account,
    access=[
        {"bucket": lake_store.bucket, "prefix": "sales", "mode": "read", "key": lake_store.key_arn},
        {
            "bucket": lake_store.bucket,
            "prefix": "mlflow/run-requests/tills/default/main/asked/retrain/drift/",
            "mode": "append",
            "key": lake_store.key_arn,
        },
    ],
    keys=[1],
)

Alarms("tills-main", account=account, key=key, network=network, databases=[runs_store], emails=["stores@acme.example"])

pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("cluster_name", cluster.name)
pulumi.export("region", account.region_name)
pulumi.export("key_arn", key.arn)
pulumi.export("s3_ranges", network.s3_ranges)
pulumi.export("image_registry", images.host)
pulumi.export("runs_host", runs_store.host)
pulumi.export("runs_port", runs_store.port)
pulumi.export("runs_secret", runs_login.secret_arn)
pulumi.export("shop__monitor_drift_access_key_id_1", shop__monitor_drift_crossing.access_key_ids["1"])
pulumi.export("shop__monitor_drift_secret_access_key_1", shop__monitor_drift_crossing.secret_access_keys["1"])
