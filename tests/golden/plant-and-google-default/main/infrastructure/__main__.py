"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.gcp.alarms import Alarms
from modelyard_stacks.gcp.cluster import Cluster
from modelyard_stacks.gcp.database import Database
from modelyard_stacks.gcp.identity import Identity
from modelyard_stacks.gcp.images import ImageRegistry
from modelyard_stacks.gcp.key import Key
from modelyard_stacks.gcp.login import DatabaseLogin
from modelyard_stacks.gcp.logs import ClusterLogs
from modelyard_stacks.gcp.network import Network
from modelyard_stacks.gcp.nodes import NodePool
from modelyard_stacks.gcp.platform import SecretsReader
from modelyard_stacks.gcp.project import Project
from modelyard_stacks.gcp.storage import ObjectStore

project = Project(
    "main",
    region="europe-west3",
    labels={
        "modelyard-system": "welds",
        "modelyard-environment": "default",
        "modelyard-target": "main",
        "modelyard-owner": "quality",
    },
    services=[
        "artifactregistry.googleapis.com",
        "binaryauthorization.googleapis.com",
        "cloudkms.googleapis.com",
        "cloudresourcemanager.googleapis.com",
        "compute.googleapis.com",
        "container.googleapis.com",
        "dns.googleapis.com",
        "iam.googleapis.com",
        "iamcredentials.googleapis.com",
        "logging.googleapis.com",
        "monitoring.googleapis.com",
        "secretmanager.googleapis.com",
        "serviceusage.googleapis.com",
        "sqladmin.googleapis.com",
        "storage.googleapis.com",
        "sts.googleapis.com",
    ],
)
key = Key(
    "welds-main",
    project=project,
    services=["artifactregistry", "compute", "container", "logging", "secretmanager", "sqladmin", "storage"],
)
network = Network("welds-main", project=project, cidr="10.0.0.0/16", nat=True)
logs = ClusterLogs("welds-main", project=project, key=key, network=network, days=30)
cluster = Cluster("welds-main", project=project, network=network, key=key, version="1.36", channel="REGULAR")

system_pool = NodePool(
    "system",
    cluster=cluster,
    network=network,
    key=key,
    pool="system",
    machine="e2-standard-2",
    capacity="on-demand",
    min_nodes=2,
    max_nodes=4,
    disk_gib=100,
    disk_type="pd-balanced",
    tainted=False,
)
pipelines_retrain_e2_standard_aeea808843_pool = NodePool(
    "pipelines-retrain-e2-standard-aeea808843",
    cluster=cluster,
    network=network,
    key=key,
    pool="pipelines-retrain",
    machine="e2-standard-8",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    disk_type="pd-balanced",
)

lake_store = ObjectStore(
    "lake",
    project=project,
    key=key,
    bucket="welds-lake-e5c3c3",
    versioned=True,
    expire={"mlflow/logs": 90},
)
runs_store = Database(
    "runs",
    project=project,
    key=key,
    network=network,
    database="runs",
    storage_gib=20,
    machine="db-custom-1-3840",
    version="POSTGRES_18",
    replicas=False,
    backup_days=7,
)
runs_login = DatabaseLogin("runs", project=project, key=key, database=runs_store)
images = ImageRegistry("welds-main", project=project, key=key, cluster=cluster, repository="welds-main")

secrets_reader = SecretsReader(
    "welds-main",
    cluster=cluster,
    namespace="external-secrets",
    service_account="external-secrets-welds-main",
    logins=[runs_login],
)

Identity(
    "registry",
    cluster=cluster,
    namespace="welds",
    service_account="registry",
    access=[{"bucket": "welds-lake-e5c3c3", "prefix": "mlflow", "mode": "write"}],
    stores=[lake_store],
)
Identity(
    "retrain",
    cluster=cluster,
    namespace="welds",
    service_account="retrain",
    access=[
        {"bucket": "welds-lake-e5c3c3", "prefix": "seams", "mode": "read"},
        {"bucket": "welds-lake-e5c3c3", "prefix": "mlflow/models/welds-crack/", "mode": "write"},
        {"bucket": "welds-lake-e5c3c3", "prefix": "mlflow/logs/retrain", "mode": "append"},
    ],
    stores=[lake_store],
)
Identity(
    "promoter",
    cluster=cluster,
    namespace="welds",
    service_account="promoter",
    access=[
        {"bucket": "welds-lake-e5c3c3", "prefix": "mlflow/models/", "mode": "read"},
        {"bucket": "welds-lake-e5c3c3", "prefix": "mlflow/bundles/", "mode": "write"},
    ],
    stores=[lake_store],
)
Identity(
    "starter",
    cluster=cluster,
    namespace="welds",
    service_account="starter",
    access=[{"bucket": "welds-lake-e5c3c3", "prefix": "mlflow/run-requests/welds/default/main/", "mode": "write"}],
    stores=[lake_store],
)

Alarms("welds-main", project=project, network=network, databases=[runs_store], emails=["quality@acme.example"])

pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("cluster_name", cluster.name)
pulumi.export("region", project.region_name)
pulumi.export("project", project.project_id)
pulumi.export("key_id", key.id)
pulumi.export("google_ranges", network.google_ranges)
pulumi.export("image_registry", images.host)
pulumi.export("runs_host", runs_store.host)
pulumi.export("runs_port", runs_store.port)
pulumi.export("runs_authority", runs_store.authority)
pulumi.export("runs_secret", runs_login.secret)
