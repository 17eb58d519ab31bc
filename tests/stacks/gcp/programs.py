"""Programs that use the Google Cloud components, and helpers to inspect the resources they register under mocks."""

from __future__ import annotations

import shutil
from pathlib import Path

import modelyard_stacks
from tests.stacks.aws.programs import Resources
from tests.stacks.programs import registrations

PROJECT = """\
from modelyard_stacks.gcp.project import Project

project = Project(
    "google",
    region="europe-west4",
    labels={"modelyard-system": "fraud"},
    services=["cloudkms.googleapis.com", "compute.googleapis.com"],
)
"""
KEY = f"""\
{PROJECT}
from modelyard_stacks.gcp.key import Key

key = Key(
    "fraud-prod-main",
    project=project,
    services=["artifactregistry", "compute", "container", "logging", "secretmanager", "sqladmin", "storage"],
)
"""
NETWORK = f"""\
{KEY}
from modelyard_stacks.gcp.network import Network

network = Network("fraud-prod-main", project=project, nat=True)
"""
CLUSTER = f"""\
{NETWORK}
from modelyard_stacks.gcp.cluster import Cluster

cluster = Cluster(
    "fraud-prod-main", project=project, network=network, key=key, version="1.35", training_pools=["large"]
)
"""
DATABASE = f"""\
{NETWORK}
from modelyard_stacks.gcp.database import Database

database = Database(
    "runs",
    project=project,
    key=key,
    network=network,
    database="mlflow",
    storage_gib=100,
    machine="db-custom-2-8192",
    version="POSTGRES_17",
    replicas=True,
    backup_days=35,
)
"""
POOLS = f"""\
{CLUSTER}
from modelyard_stacks.gcp.nodes import NodePool

NodePool(
    "system",
    cluster=cluster,
    network=network,
    key=key,
    pool="system",
    machine="e2-standard-4",
    capacity="on-demand",
    min_nodes=2,
    max_nodes=6,
    disk_gib=60,
    tainted=False,
)
NodePool(
    "train-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="train",
    machine="g2-standard-8",
    capacity="spot",
    min_nodes=0,
    max_nodes=8,
    disk_gib=200,
    accelerator="nvidia-l4",
    accelerators=1,
    compute_class="train",
)
NodePool(
    "large",
    cluster=cluster,
    network=network,
    key=key,
    pool="large",
    machine="a3-highgpu-8g",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=4,
    disk_gib=100,
    disk_type="hyperdisk-balanced",
    accelerator="nvidia-h100-80gb",
    accelerators=8,
    driver="LATEST",
    local_ssds=16,
)
"""
EVERYTHING = f"""\
{POOLS}
from modelyard_stacks.gcp.alarms import Alarms
from modelyard_stacks.gcp.budget import Budget
from modelyard_stacks.gcp.database import Database
from modelyard_stacks.gcp.identity import Identity
from modelyard_stacks.gcp.images import ImageRegistry
from modelyard_stacks.gcp.login import DatabaseLogin
from modelyard_stacks.gcp.logs import ClusterLogs
from modelyard_stacks.gcp.platform import SecretsReader
from modelyard_stacks.gcp.storage import ObjectStore

lake = ObjectStore(
    "lake", project=project, key=key, bucket="fraud-lake-1a2b3c", retention_days=365, expire={{"captures/scorer": 90}}
)
ObjectStore(
    "audit",
    project=project,
    key=key,
    bucket="fraud-audit-1a2b3c",
    lock={{"mode": "compliance", "days": 2557}},
)
ImageRegistry("fraud-prod-main", project=project, key=key, cluster=cluster, repository="fraud-prod-main")
database = Database(
    "runs",
    project=project,
    key=key,
    network=network,
    database="mlflow",
    storage_gib=100,
    machine="db-custom-2-8192",
    version="POSTGRES_17",
    replicas=True,
    backup_days=35,
)
login = DatabaseLogin("runs", project=project, key=key, database=database)
SecretsReader(
    "external-secrets",
    cluster=cluster,
    namespace="external-secrets",
    service_account="external-secrets",
    secrets=["slack-webhook"],
    logins=[login],
)
Identity(
    "scorer",
    cluster=cluster,
    namespace="fraud",
    service_account="scorer",
    access=[
        {{"bucket": "fraud-lake-1a2b3c", "prefix": "models/scorer/", "mode": "read"}},
        {{"bucket": "fraud-lake-1a2b3c", "prefix": "captures/scorer/", "mode": "append"}},
    ],
    stores=[lake],
)
ClusterLogs("fraud-prod-main", project=project, key=key, network=network, days=90)
Alarms("fraud-prod-main", project=project, network=network, databases=[database], emails=["team@acme.example"])
Budget("fraud-prod-main", project=project, monthly=2000, system="fraud", emails=["team@acme.example"])
"""


def registered(folder: Path, program: str, settings: str = "") -> Resources:
    """Return a program's registrations by type and name, such as `gcp:kms/keyRing:KeyRing fraud-prod-main`."""
    shutil.copytree(next(iter(modelyard_stacks.__path__)), folder / "modelyard_stacks")
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    lines = "".join(f"  {'' if line.startswith('gcp:') else 'tiny:'}{line}\n" for line in settings.splitlines())
    (folder / "Pulumi.prod.yaml").write_text(f"config:\n{lines}" if lines else "{}\n")
    (folder / "__main__.py").write_text(program)
    (resources,) = registrations(folder)
    assert len({(each["type"], each["name"]) for each in resources}) == len(resources)
    return {f"{each['type']} {each['name']}": each for each in resources}


def elsewhere(resources: Resources) -> set[str]:
    """Return the Google resources outside the program's project or any component."""
    provider = "pulumi:pulumi:Stack$pulumi:providers:gcp::google"
    return {
        where
        for where, each in resources.items()
        if each["type"].startswith("gcp:")
        and (each["provider"] != provider or not ("modelyard:gcp:" in each["parent"] or each["parent"] == provider))
    }
