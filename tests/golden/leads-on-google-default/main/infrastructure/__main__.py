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
    region="europe-west4",
    labels={
        "modelyard-system": "leads",
        "modelyard-environment": "default",
        "modelyard-target": "main",
        "modelyard-owner": "growth",
        "label-domain": "sales",
    },
    project_id="acme-leads",
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
    "leads-main",
    project=project,
    services=["artifactregistry", "compute", "container", "logging", "secretmanager", "sqladmin", "storage"],
)
network = Network("leads-main", project=project, cidr="10.20.0.0/16", nat=True)
logs = ClusterLogs("leads-main", project=project, key=key, network=network, days=30)
cluster = Cluster("leads-main", project=project, network=network, key=key, version="1.36", channel="REGULAR")

system_pool = NodePool(
    "system",
    cluster=cluster,
    network=network,
    key=key,
    pool="system",
    machine="e2-standard-2",
    capacity="on-demand",
    min_nodes=3,
    max_nodes=6,
    disk_gib=100,
    disk_type="pd-balanced",
    tainted=False,
)
free_e2_standard_4_on_demand_pool = NodePool(
    "free-e2-standard-4-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="free",
    machine="e2-standard-4",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=3,
    disk_gib=100,
    disk_type="pd-balanced",
)
gpu_g2_standard_8_spot_pool = NodePool(
    "gpu-g2-standard-8-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="gpu",
    machine="g2-standard-8",
    capacity="spot",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    disk_type="pd-balanced",
    accelerator="nvidia-l4",
    accelerators=1,
    compute_class="modelyard-gpu",
)
gpu_g2_standard_12_spot_pool = NodePool(
    "gpu-g2-standard-12-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="gpu",
    machine="g2-standard-12",
    capacity="spot",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    disk_type="pd-balanced",
    accelerator="nvidia-l4",
    accelerators=1,
    compute_class="modelyard-gpu",
)
gpu_g2_standard_8_on_demand_pool = NodePool(
    "gpu-g2-standard-8-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="gpu",
    machine="g2-standard-8",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    disk_type="pd-balanced",
    accelerator="nvidia-l4",
    accelerators=1,
    compute_class="modelyard-gpu",
)
gpu_a2_highgpu_1g_spot_pool = NodePool(
    "gpu-a2-highgpu-1g-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="gpu",
    machine="a2-highgpu-1g",
    capacity="spot",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    disk_type="pd-balanced",
    accelerator="nvidia-tesla-a100",
    accelerators=1,
    compute_class="modelyard-gpu",
)
gpu_a2_highgpu_1g_on_demand_pool = NodePool(
    "gpu-a2-highgpu-1g-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="gpu",
    machine="a2-highgpu-1g",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    disk_type="pd-balanced",
    accelerator="nvidia-tesla-a100",
    accelerators=1,
    compute_class="modelyard-gpu",
)
small_e2_standard_2_on_demand_pool = NodePool(
    "small-e2-standard-2-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="small",
    machine="e2-standard-2",
    capacity="on-demand",
    min_nodes=1,
    max_nodes=2,
    disk_gib=100,
    disk_type="pd-balanced",
)

audit_store = ObjectStore(
    "audit",
    project=project,
    key=key,
    bucket="leads-audit-aa8f43",
    versioned=False,
    expire={"audit/score": 2557},
    lock={"mode": "compliance", "days": 2557},
)
lake_store = ObjectStore(
    "lake",
    project=project,
    key=key,
    bucket="leads-lake-aa8f43",
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
images = ImageRegistry("leads-main", project=project, key=key, cluster=cluster, repository="leads-main")

secrets_reader = SecretsReader(
    "leads-main",
    cluster=cluster,
    namespace="external-secrets",
    service_account="external-secrets-leads-main",
    secrets=["token"],
    logins=[runs_login],
)

Identity(
    "registry",
    cluster=cluster,
    namespace="leads",
    service_account="registry",
    access=[{"bucket": "leads-lake-aa8f43", "prefix": "mlflow", "mode": "write"}],
    stores=[lake_store],
)
Identity(
    "fit",
    cluster=cluster,
    namespace="leads",
    service_account="fit",
    access=[
        {"bucket": "leads-lake-aa8f43", "prefix": "clicks", "mode": "read"},
        {"bucket": "leads-lake-aa8f43", "prefix": "mlflow/models/leads-churn/", "mode": "write"},
        {"bucket": "leads-lake-aa8f43", "prefix": "mlflow/logs/fit", "mode": "append"},
    ],
    stores=[lake_store],
)
Identity(
    "scoring",
    cluster=cluster,
    namespace="leads",
    service_account="scoring",
    access=[
        {"bucket": "leads-lake-aa8f43", "prefix": "clicks", "mode": "read"},
        {"bucket": "leads-lake-aa8f43", "prefix": "scores", "mode": "write"},
        {"bucket": "leads-lake-aa8f43", "prefix": "mlflow/models/leads-churn/", "mode": "read"},
        {"bucket": "leads-lake-aa8f43", "prefix": "mlflow/logs/scoring", "mode": "append"},
    ],
    stores=[lake_store],
)
Identity(
    "score",
    cluster=cluster,
    namespace="leads",
    service_account="score",
    access=[
        {"bucket": "leads-lake-aa8f43", "prefix": "mlflow/models/leads-churn/", "mode": "read"},
        {"bucket": "leads-audit-aa8f43", "prefix": "audit/score", "mode": "append"},
    ],
    stores=[lake_store, audit_store],
)
Identity(
    "promoter",
    cluster=cluster,
    namespace="leads",
    service_account="promoter",
    access=[
        {"bucket": "leads-lake-aa8f43", "prefix": "mlflow/models/", "mode": "read"},
        {"bucket": "leads-lake-aa8f43", "prefix": "mlflow/models/leads-propensity/", "mode": "append"},
        {"bucket": "leads-lake-aa8f43", "prefix": "bought/propensity/4/", "mode": "read"},
    ],
    stores=[lake_store],
)

Alarms("leads-main", project=project, network=network, databases=[runs_store], emails=["growth@acme.example"])

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
