"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.aws.account import Account
from modelyard_stacks.aws.alarms import Alarms
from modelyard_stacks.aws.budget import Budget
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
from modelyard_stacks.aws.system_pool import SystemPool

account = Account(
    "main",
    region="eu-central-1",
    tags={
        "modelyard:system": "fraud-detection",
        "modelyard:environment": "default",
        "modelyard:target": "main",
        "modelyard:owner": "payments-risk",
        "label:domain": "payments",
    },
)
key = Key("fraud-detection-main", account=account)
network = Network(
    "fraud-detection-main",
    account=account,
    key=key,
    cidr="10.0.0.0/16",
    zones=3,
    nat="per-zone",
    endpoints=["autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "rds", "secretsmanager"],
    buckets=["acme-fraud-lake"],
    log_days=365,
)
cluster = Cluster(
    "fraud-detection-main",
    account=account,
    network=network,
    key=key,
    version="1.36",
    addons={
        "vpc-cni": "v1.22.4-eksbuild.3",
        "kube-proxy": "v1.36.0-eksbuild.21",
        "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
    },
    log_days=365,
)

system_pool = SystemPool(
    "system",
    cluster=cluster,
    network=network,
    key=key,
    pool="system",
    machines=["m6i.xlarge"],
    capacity="on-demand",
    min_nodes=3,
    max_nodes=8,
    disk_gib=100,
    tainted=False,
)
cluster_addons = ClusterAddons(
    "fraud-detection-main",
    cluster=cluster,
    versions={"coredns": "v1.14.3-eksbuild.16", "aws-ebs-csi-driver": "v1.63.1-eksbuild.1"},
    depends_on=[system_pool],
)
cpu_m6i_xlarge_on_demand_pool = NodePool(
    "cpu-m6i-xlarge-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="cpu",
    machines=["m6i.xlarge"],
    capacity="on-demand",
    min_nodes=6,
    max_nodes=106,
    disk_gib=100,
)
train_g6_2xlarge_spot_pool = NodePool(
    "train-g6-2xlarge-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="train",
    machines=["g6.2xlarge", "g6.4xlarge"],
    capacity="spot",
    min_nodes=0,
    max_nodes=16,
    disk_gib=50,
    local_gib=419,
    accelerator="nvidia",
    accelerators=1,
    accelerator_name="L4",
    one_zone=True,
)
train_g6_2xlarge_on_demand_pool = NodePool(
    "train-g6-2xlarge-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="train",
    machines=["g6.2xlarge"],
    capacity="on-demand",
    min_nodes=0,
    max_nodes=16,
    disk_gib=50,
    local_gib=419,
    accelerator="nvidia",
    accelerators=1,
    accelerator_name="L4",
    one_zone=True,
)
train_g5_2xlarge_spot_pool = NodePool(
    "train-g5-2xlarge-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="train",
    machines=["g5.2xlarge", "g5.4xlarge"],
    capacity="spot",
    min_nodes=0,
    max_nodes=16,
    disk_gib=50,
    local_gib=419,
    accelerator="nvidia",
    accelerators=1,
    accelerator_name="A10G",
    one_zone=True,
)
train_g5_2xlarge_on_demand_pool = NodePool(
    "train-g5-2xlarge-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="train",
    machines=["g5.2xlarge"],
    capacity="on-demand",
    min_nodes=0,
    max_nodes=16,
    disk_gib=50,
    local_gib=419,
    accelerator="nvidia",
    accelerators=1,
    accelerator_name="A10G",
    one_zone=True,
)
monitors_default_m6i_large_on_demand_pool = NodePool(
    "monitors-default-m6i-large-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="monitors-default",
    machines=["m6i.large"],
    capacity="on-demand",
    min_nodes=0,
    max_nodes=2,
    disk_gib=100,
)

registry_db_store = Database(
    "registry-db",
    account=account,
    key=key,
    network=network,
    cluster=cluster,
    database="registry_db",
    storage_gib=50,
    machine="db.m7g.large",
    version="18",
    replicas=True,
    backup_days=35,
    log_days=365,
)
registry_db_login = DatabaseLogin(
    "registry-db",
    account=account,
    key=key,
    cluster=cluster,
    database=registry_db_store,
    namespace="fraud-detection",
    service_account="login-registry-db",
)
images = ImageRegistry(
    "fraud-detection-main",
    account=account,
    key=key,
    repositories=["fraud-detection-main/fraud-detection-runtime"],
)

autoscaler = ClusterAutoscaler(
    "fraud-detection-main",
    cluster=cluster,
    key=key,
    namespace="cluster-autoscaler",
    service_account="cluster-autoscaler",
)
secrets_reader = SecretsReader(
    "fraud-detection-main",
    cluster=cluster,
    key=key,
    namespace="external-secrets",
    service_account="external-secrets",
    arns=[registry_db_login.secret_arn],
)

Identity(
    "registry",
    cluster=cluster,
    key=key,
    namespace="fraud-detection",
    service_account="registry",
    access=[{"bucket": "acme-fraud-lake", "prefix": "mlflow", "mode": "write"}],
)
Identity(
    "challenge",
    cluster=cluster,
    key=key,
    namespace="fraud-detection",
    service_account="challenge",
    access=[
        {"bucket": "acme-fraud-lake", "prefix": "transactions", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "chargebacks", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/models/fraud-detection-fraud-xgb/", "mode": "write"},
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/logs/challenge", "mode": "append"},
    ],
)
Identity(
    "nightly-scores",
    cluster=cluster,
    key=key,
    namespace="fraud-detection",
    service_account="nightly-scores",
    access=[
        {"bucket": "acme-fraud-lake", "prefix": "transactions", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "scores", "mode": "write"},
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/models/fraud-detection-fraud-xgb/", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/logs/nightly-scores", "mode": "append"},
    ],
)
Identity(
    "retrain",
    cluster=cluster,
    key=key,
    namespace="fraud-detection",
    service_account="retrain",
    access=[
        {"bucket": "acme-fraud-lake", "prefix": "transactions", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "chargebacks", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/models/fraud-detection-fraud-xgb/", "mode": "write"},
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/logs/retrain", "mode": "append"},
    ],
)
Identity(
    "scorer",
    cluster=cluster,
    key=key,
    namespace="fraud-detection",
    service_account="scorer",
    access=[
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/models/fraud-detection-fraud-xgb/", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "captures/scorer", "mode": "write"},
    ],
)
Identity(
    "monitor-feature-drift",
    cluster=cluster,
    key=key,
    namespace="fraud-detection",
    service_account="monitor-feature-drift",
    access=[
        {"bucket": "acme-fraud-lake", "prefix": "captures/scorer", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "transactions", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "captures/scorer/_monitors/feature-drift/", "mode": "append"},
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/models/fraud-detection-fraud-xgb/", "mode": "read"},
    ],
)
Identity(
    "monitor-late-labels",
    cluster=cluster,
    key=key,
    namespace="fraud-detection",
    service_account="monitor-late-labels",
    access=[
        {"bucket": "acme-fraud-lake", "prefix": "captures/scorer", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "chargebacks", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "captures/scorer/_monitors/late-labels/", "mode": "append"},
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/models/fraud-detection-fraud-xgb/", "mode": "read"},
    ],
)
Identity(
    "promoter",
    cluster=cluster,
    key=key,
    namespace="fraud-detection",
    service_account="promoter",
    access=[
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/models/", "mode": "read"},
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/bundles/", "mode": "write"},
    ],
)

stores__till_crossing = Crossing(
    "stores.till",
    account=account,
    access=[
        {"bucket": "acme-fraud-lake", "prefix": "mlflow/bundles/fraud-detection-fraud-xgb/champion/", "mode": "read"},
    ],
    keys=[1],
)

Budget(
    "fraud-detection-main",
    account=account,
    monthly_usd=18000,
    system="fraud-detection",
    emails=["payments-risk@acme.example"],
)
Alarms(
    "fraud-detection-main",
    account=account,
    key=key,
    network=network,
    databases=[registry_db_store],
    emails=["payments-risk@acme.example"],
)

pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("cluster_name", cluster.name)
pulumi.export("region", account.region_name)
pulumi.export("key_arn", key.arn)
pulumi.export("s3_ranges", network.s3_ranges)
pulumi.export("image_registry", images.host)
pulumi.export("registry_db_host", registry_db_store.host)
pulumi.export("registry_db_port", registry_db_store.port)
pulumi.export("registry_db_secret", registry_db_login.secret_arn)
pulumi.export("stores__till_access_key_id_1", stores__till_crossing.access_key_ids["1"])
pulumi.export("stores__till_secret_access_key_1", stores__till_crossing.secret_access_keys["1"])
