"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.gcp.alarms import Alarms
from modelyard_stacks.gcp.database import Database
from modelyard_stacks.gcp.existing import ClusterNetwork, ExistingCluster
from modelyard_stacks.gcp.identity import Identity
from modelyard_stacks.gcp.images import ImageRegistry
from modelyard_stacks.gcp.key import Key
from modelyard_stacks.gcp.login import DatabaseLogin
from modelyard_stacks.gcp.platform import SecretsReader
from modelyard_stacks.gcp.project import Project
from modelyard_stacks.gcp.storage import ObjectStore

project = Project(
    "main",
    region="europe-west3",
    labels={
        "modelyard-system": "tenant",
        "modelyard-environment": "gke",
        "modelyard-target": "main",
        "modelyard-owner": "growth",
        "label-domain": "sales",
    },
    project_id="acme-ml",
    services=[
        "artifactregistry.googleapis.com",
        "cloudkms.googleapis.com",
        "cloudresourcemanager.googleapis.com",
        "compute.googleapis.com",
        "container.googleapis.com",
        "iam.googleapis.com",
        "iamcredentials.googleapis.com",
        "monitoring.googleapis.com",
        "secretmanager.googleapis.com",
        "serviceusage.googleapis.com",
        "sqladmin.googleapis.com",
        "storage.googleapis.com",
        "sts.googleapis.com",
    ],
)
key = Key("tenant-gke-main", project=project, services=["artifactregistry", "secretmanager", "sqladmin", "storage"])
cluster = ExistingCluster("tenant-gke-main", project=project, cluster="platform", location="europe-west3-a")
network = ClusterNetwork("tenant-gke-main", cluster=cluster, google_ranges="199.36.153.8/30")

lake_store = ObjectStore(
    "lake",
    project=project,
    key=key,
    bucket="tenant-gke-lake-990e63",
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
images = ImageRegistry("tenant-gke-main", project=project, key=key, cluster=cluster, repository="tenant-gke-main")

secrets_reader = SecretsReader(
    "tenant-gke-main",
    cluster=cluster,
    namespace="tenant-gke",
    service_account="secrets-reader",
    secrets=["token", "pagerduty"],
    logins=[runs_login],
)

Identity(
    "registry",
    cluster=cluster,
    namespace="tenant-gke",
    service_account="registry",
    access=[{"bucket": "tenant-gke-lake-990e63", "prefix": "mlflow", "mode": "write"}],
    stores=[lake_store],
)
Identity(
    "fit",
    cluster=cluster,
    namespace="tenant-gke",
    service_account="fit",
    access=[
        {"bucket": "tenant-gke-lake-990e63", "prefix": "clicks", "mode": "read"},
        {"bucket": "tenant-gke-lake-990e63", "prefix": "mlflow/models/tenant-churn/", "mode": "write"},
        {"bucket": "tenant-gke-lake-990e63", "prefix": "mlflow/logs/fit", "mode": "append"},
    ],
    stores=[lake_store],
)
Identity(
    "scoring",
    cluster=cluster,
    namespace="tenant-gke",
    service_account="scoring",
    access=[
        {"bucket": "tenant-gke-lake-990e63", "prefix": "clicks", "mode": "read"},
        {"bucket": "tenant-gke-lake-990e63", "prefix": "scores", "mode": "write"},
        {"bucket": "tenant-gke-lake-990e63", "prefix": "mlflow/models/tenant-churn/", "mode": "read"},
        {"bucket": "tenant-gke-lake-990e63", "prefix": "mlflow/logs/scoring", "mode": "append"},
    ],
    stores=[lake_store],
)
Identity(
    "score",
    cluster=cluster,
    namespace="tenant-gke",
    service_account="score",
    access=[{"bucket": "tenant-gke-lake-990e63", "prefix": "mlflow/models/tenant-churn/", "mode": "read"}],
    stores=[lake_store],
)
Identity(
    "promoter",
    cluster=cluster,
    namespace="tenant-gke",
    service_account="promoter",
    access=[{"bucket": "tenant-gke-lake-990e63", "prefix": "mlflow/models/", "mode": "read"}],
    stores=[lake_store],
)

Alarms("tenant-gke-main", project=project, network=network, databases=[runs_store], emails=["growth@acme.example"])

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
