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
    "learn",
    region="europe-west3",
    labels={
        "modelyard-system": "offers",
        "modelyard-environment": "default",
        "modelyard-target": "learn",
        "modelyard-owner": "growth",
    },
    project_id="acme-learn",
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
    "offers-learn",
    project=project,
    services=["artifactregistry", "compute", "container", "logging", "secretmanager", "sqladmin", "storage"],
)
network = Network("offers-learn", project=project, cidr="10.0.0.0/16", nat=True)
logs = ClusterLogs("offers-learn", project=project, key=key, network=network, days=30)
cluster = Cluster("offers-learn", project=project, network=network, key=key, version="1.36", channel="REGULAR")

system_pool = NodePool(
    "system",
    cluster=cluster,
    network=network,
    key=key,
    pool="system",
    machine="e2-standard-2",
    capacity="on-demand",
    min_nodes=3,
    max_nodes=5,
    disk_gib=100,
    disk_type="pd-balanced",
    tainted=False,
)
small_e2_standard_4_on_demand_pool = NodePool(
    "small-e2-standard-4-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    pool="small",
    machine="e2-standard-4",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    disk_type="pd-balanced",
)

lake_store = ObjectStore("lake", project=project, key=key, bucket="offers-lake-48b581", versioned=True)
runs_db_store = Database(
    "runs-db",
    project=project,
    key=key,
    network=network,
    database="runs_db",
    storage_gib=20,
    machine="db-custom-1-3840",
    version="POSTGRES_18",
    replicas=False,
    backup_days=7,
)
runs_db_login = DatabaseLogin("runs-db", project=project, key=key, database=runs_db_store)
images = ImageRegistry("offers-learn", project=project, key=key, cluster=cluster, repository="offers-learn")

secrets_reader = SecretsReader(
    "offers-learn",
    cluster=cluster,
    namespace="external-secrets",
    service_account="external-secrets-offers-learn",
    logins=[runs_db_login],
)

Identity(
    "retrain",
    cluster=cluster,
    namespace="offers",
    service_account="retrain",
    access=[{"bucket": "offers-lake-48b581", "prefix": "visits", "mode": "read"}],
    stores=[lake_store],
)

Alarms("offers-learn", project=project, network=network, databases=[runs_db_store], emails=["growth@acme.example"])

pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("cluster_name", cluster.name)
pulumi.export("region", project.region_name)
pulumi.export("project", project.project_id)
pulumi.export("key_id", key.id)
pulumi.export("google_ranges", network.google_ranges)
pulumi.export("image_registry", images.host)
pulumi.export("issuer", cluster.issuer)
pulumi.export("runs_db_host", runs_db_store.host)
pulumi.export("runs_db_port", runs_db_store.port)
pulumi.export("runs_db_authority", runs_db_store.authority)
pulumi.export("runs_db_secret", runs_db_login.secret)
