"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.gcp.alarms import Alarms
from modelyard_stacks.gcp.database import Database
from modelyard_stacks.gcp.existing import ClusterNetwork, ExistingCluster
from modelyard_stacks.gcp.identity import Identity
from modelyard_stacks.gcp.images import ImageRegistry
from modelyard_stacks.gcp.key import Key
from modelyard_stacks.gcp.login import DatabaseLogin
from modelyard_stacks.gcp.nodes import NodePool
from modelyard_stacks.gcp.platform import SecretsReader
from modelyard_stacks.gcp.project import Project
from modelyard_stacks.gcp.storage import ObjectStore

project = Project(
    "main",
    region="europe-west3",
    labels={
        "modelyard-system": "tenant",
        "modelyard-environment": "pools",
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
key = Key(
    "tenant-pools-main",
    project=project,
    services=["artifactregistry", "compute", "secretmanager", "sqladmin", "storage"],
)
cluster = ExistingCluster("tenant-pools-main", project=project, cluster="platform")
network = ClusterNetwork("tenant-pools-main", cluster=cluster, google_ranges="199.36.153.8/30")

gpu_g2_standard_8_spot_pool = NodePool(
    "tenant-pools-gpu-g2-standard-8-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="tenant-pools-gpu",
    machine="g2-standard-8",
    capacity="spot",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    disk_type="pd-balanced",
    accelerator="nvidia-l4",
    accelerators=1,
    compute_class="modelyard-tenant-pools-gpu",
)
gpu_g2_standard_12_spot_pool = NodePool(
    "tenant-pools-gpu-g2-standard-12-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="tenant-pools-gpu",
    machine="g2-standard-12",
    capacity="spot",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    disk_type="pd-balanced",
    accelerator="nvidia-l4",
    accelerators=1,
    compute_class="modelyard-tenant-pools-gpu",
)
small_e2_standard_2_on_demand_pool = NodePool(
    "tenant-pools-small-e2-standar-f679eef3d9",
    cluster=cluster,
    network=network,
    key=key,
    pool="tenant-pools-small",
    machine="e2-standard-2",
    capacity="on-demand",
    min_nodes=1,
    max_nodes=5,
    disk_gib=100,
    disk_type="pd-balanced",
)

lake_store = ObjectStore(
    "lake",
    project=project,
    key=key,
    bucket="tenant-pools-lake-f784c2",
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
images = ImageRegistry("tenant-pools-main", project=project, key=key, cluster=cluster, repository="tenant-pools-main")

secrets_reader = SecretsReader(
    "tenant-pools-main",
    cluster=cluster,
    namespace="tenant-pools",
    service_account="secrets-reader",
    secrets=["token", "pagerduty"],
    logins=[runs_login],
)

Identity(
    "registry",
    cluster=cluster,
    namespace="tenant-pools",
    service_account="registry",
    access=[{"bucket": "tenant-pools-lake-f784c2", "prefix": "mlflow", "mode": "write"}],
    stores=[lake_store],
)
Identity(
    "fit",
    cluster=cluster,
    namespace="tenant-pools",
    service_account="fit",
    access=[
        {"bucket": "tenant-pools-lake-f784c2", "prefix": "clicks", "mode": "read"},
        {"bucket": "tenant-pools-lake-f784c2", "prefix": "mlflow/models/tenant-churn/", "mode": "write"},
        {"bucket": "tenant-pools-lake-f784c2", "prefix": "mlflow/logs/fit", "mode": "append"},
    ],
    stores=[lake_store],
)
Identity(
    "scoring",
    cluster=cluster,
    namespace="tenant-pools",
    service_account="scoring",
    access=[
        {"bucket": "tenant-pools-lake-f784c2", "prefix": "clicks", "mode": "read"},
        {"bucket": "tenant-pools-lake-f784c2", "prefix": "scores", "mode": "write"},
        {"bucket": "tenant-pools-lake-f784c2", "prefix": "mlflow/models/tenant-churn/", "mode": "read"},
        {"bucket": "tenant-pools-lake-f784c2", "prefix": "mlflow/logs/scoring", "mode": "append"},
    ],
    stores=[lake_store],
)
Identity(
    "score",
    cluster=cluster,
    namespace="tenant-pools",
    service_account="score",
    access=[{"bucket": "tenant-pools-lake-f784c2", "prefix": "mlflow/models/tenant-churn/", "mode": "read"}],
    stores=[lake_store],
)
Identity(
    "promoter",
    cluster=cluster,
    namespace="tenant-pools",
    service_account="promoter",
    access=[{"bucket": "tenant-pools-lake-f784c2", "prefix": "mlflow/models/", "mode": "read"}],
    stores=[lake_store],
)

Alarms("tenant-pools-main", project=project, network=network, databases=[runs_store], emails=["growth@acme.example"])

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
