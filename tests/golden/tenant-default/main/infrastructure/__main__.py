"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.aws.account import Account
from modelyard_stacks.aws.alarms import Alarms
from modelyard_stacks.aws.database import Database
from modelyard_stacks.aws.existing import ClusterNetwork, ExistingCluster
from modelyard_stacks.aws.identity import Identity
from modelyard_stacks.aws.images import ImageRegistry
from modelyard_stacks.aws.key import Key
from modelyard_stacks.aws.login import DatabaseLogin
from modelyard_stacks.aws.storage import ObjectStore
from modelyard_stacks.aws.tokens import SystemSecretsReader

account = Account(
    "main",
    region="eu-central-1",
    account_id="123456789012",
    tags={
        "modelyard:system": "tenant",
        "modelyard:environment": "default",
        "modelyard:target": "main",
        "modelyard:owner": "growth",
        "label:domain": "sales",
    },
)
key = Key("tenant-main", account=account)
cluster = ExistingCluster("tenant-main", account=account, cluster="platform")
network = ClusterNetwork("tenant-main", cluster=cluster)

lake_store = ObjectStore(
    "lake",
    account=account,
    key=key,
    bucket="tenant-lake-bf5cbf",
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
    namespace="tenant",
    service_account="login-runs",
)
images = ImageRegistry("tenant-main", account=account, key=key, repositories=["tenant-main/tenant-runtime"])

secrets_reader = SystemSecretsReader(
    "tenant-main",
    cluster=cluster,
    key=key,
    namespace="tenant",
    service_account="secrets-reader",
    secrets=["token", "pagerduty"],
    arns=[runs_login.secret_arn],
)

Identity(
    "registry",
    cluster=cluster,
    key=key,
    namespace="tenant",
    service_account="registry",
    access=[{"bucket": lake_store.bucket, "prefix": "mlflow", "mode": "write", "key": lake_store.key_arn}],
)
Identity(
    "fit",
    cluster=cluster,
    key=key,
    namespace="tenant",
    service_account="fit",
    access=[
        {"bucket": lake_store.bucket, "prefix": "clicks", "mode": "read", "key": lake_store.key_arn},
        {
            "bucket": lake_store.bucket,
            "prefix": "mlflow/models/tenant-churn/",
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
    namespace="tenant",
    service_account="scoring",
    access=[
        {"bucket": lake_store.bucket, "prefix": "clicks", "mode": "read", "key": lake_store.key_arn},
        {"bucket": lake_store.bucket, "prefix": "scores", "mode": "write", "key": lake_store.key_arn},
        {
            "bucket": lake_store.bucket,
            "prefix": "mlflow/models/tenant-churn/",
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
    namespace="tenant",
    service_account="score",
    access=[
        {
            "bucket": lake_store.bucket,
            "prefix": "mlflow/models/tenant-churn/",
            "mode": "read",
            "key": lake_store.key_arn,
        },
    ],
)
Identity(
    "promoter",
    cluster=cluster,
    key=key,
    namespace="tenant",
    service_account="promoter",
    access=[{"bucket": lake_store.bucket, "prefix": "mlflow/models/", "mode": "read", "key": lake_store.key_arn}],
)

Alarms("tenant-main", account=account, key=key, network=network, databases=[runs_store], emails=["growth@acme.example"])

pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("cluster_name", cluster.name)
pulumi.export("region", account.region_name)
pulumi.export("key_arn", key.arn)
pulumi.export("s3_ranges", network.s3_ranges)
pulumi.export("image_registry", images.host)
pulumi.export("runs_host", runs_store.host)
pulumi.export("runs_port", runs_store.port)
pulumi.export("runs_secret", runs_login.secret_arn)
pulumi.export("secrets_role_arn", secrets_reader.role_arn)
