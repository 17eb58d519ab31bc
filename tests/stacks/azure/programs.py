"""Programs that use the Azure components, and helpers that return the resources they register under mocks."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi

import modelyard_stacks
from tests.stacks.aws.programs import Resources
from tests.stacks.programs import Registration, registrations

NOTHING: Any = None
"""Placeholder for a component argument that the program never uses, because another argument is refused first."""

SUBSCRIPTION = "6f0c6f2e-9c1d-4d0c-8f7e-0a1b2c3d4e5f"
IN_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/fraud-prod/providers"

GROUP = """\
from modelyard_stacks.azure.group import ResourceGroup

group = ResourceGroup("azure", region="westeurope", group="fraud-prod", tags={"modelyard-system": "fraud"})
"""
KEY = f"""\
{GROUP}
from modelyard_stacks.azure.key import Key

key = Key("fraud-prod-main", group=group, cluster=True)
"""
NETWORK = f"""\
{KEY}
from modelyard_stacks.azure.network import Network

network = Network("fraud-prod-main", group=group)
"""
CLUSTER = f"""\
{NETWORK}
from modelyard_stacks.azure.cluster import Cluster

cluster = Cluster(
    "fraud-prod-main",
    group=group,
    network=network,
    key=key,
    version="1.35",
    machine="Standard_D2s_v5",
    zones=["1", "2", "3"],
    training_pools=["large"],
)
"""
VAULT = f"""\
{NETWORK}
from modelyard_stacks.azure.vault import Vault

vault = Vault("fraud-prod-main", group=group, network=network)
"""
DATABASE = f"""\
{VAULT}
from modelyard_stacks.azure.database import Database
from modelyard_stacks.azure.login import DatabaseLogin

login = DatabaseLogin("runs", group=group, vault=vault, user="mlflow")
database = Database(
    "runs",
    group=group,
    key=key,
    network=network,
    login=login,
    server="fraud-runs-1a2b3c",
    database="mlflow",
    storage_gib=128,
    machine="Standard_D2ds_v5",
    version="17",
    replicas=True,
    backup_days=35,
)
"""
POOLS = f"""\
{CLUSTER}
from modelyard_stacks.azure.nodes import NodePool

NodePool(
    "system",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="system1a2b",
    pool="system",
    machine="Standard_D4s_v5",
    capacity="on-demand",
    min_nodes=2,
    max_nodes=6,
    disk_gib=128,
    zones=["1", "2", "3"],
    tainted=False,
)
NodePool(
    "train-spot",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="train3c4d",
    pool="train",
    machine="Standard_NC4as_T4_v3",
    capacity="spot",
    min_nodes=0,
    max_nodes=8,
    disk_gib=200,
    gpus=1,
)
NodePool(
    "large",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="large5e6f",
    pool="large",
    machine="Standard_ND96isr_H100_v5",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=4,
    disk_gib=1024,
    ephemeral=True,
    gpus=8,
)
"""
EVERYTHING = f"""\
{DATABASE}
{POOLS.removeprefix(NETWORK)}
from modelyard_stacks.azure.alarms import Alarms
from modelyard_stacks.azure.budget import Budget
from modelyard_stacks.azure.identity import Identity
from modelyard_stacks.azure.images import ImageRegistry
from modelyard_stacks.azure.logs import ClusterLogs
from modelyard_stacks.azure.platform import SecretsReader
from modelyard_stacks.azure.roles import StoreRoles
from modelyard_stacks.azure.storage import ObjectStore

lake = ObjectStore(
    "lake",
    group=group,
    key=key,
    network=network,
    account="fraudlake1a2b3c",
    container="lake",
    retention_days=365,
    expire={{"captures/scorer": 90}},
)
ObjectStore(
    "audit",
    group=group,
    key=key,
    account="fraudaudit1a2b3c",
    container="audit",
    lock={{"mode": "governance", "days": 2557}},
    redundancy="ZRS",
)
ImageRegistry("fraud-prod-main", group=group, network=network, cluster=cluster, registry="fraudprod1a2b3c")
roles = StoreRoles("fraud-prod-main", group=group)
SecretsReader(
    "fraud-prod-main",
    group=group,
    cluster=cluster,
    vault=vault,
    namespace="external-secrets",
    service_account="external-secrets",
    secrets=["slack-webhook"],
    logins=[login],
)
Identity(
    "scorer",
    group=group,
    cluster=cluster,
    namespace="fraud",
    service_account="scorer",
    access=[
        {{"account": "fraudlake1a2b3c", "container": "lake", "prefix": "models/scorer/", "mode": "read"}},
        {{"account": "fraudlake1a2b3c", "container": "lake", "prefix": "captures/scorer/", "mode": "append"}},
    ],
    stores=[lake],
    roles=roles,
)
ClusterLogs("fraud-prod-main", group=group, cluster=cluster, days=90, databases=[database])
Alarms("fraud-prod-main", group=group, network=network, databases=[database], emails=["team@acme.example"])
Budget("fraud-prod-main", group=group, monthly=2000, emails=["team@acme.example"])
"""


SETTINGS = """admins: '["group:00000000-aaaa-bbbb-cccc-0123456789ab"]'
apiClients: '["10.99.0.0/16", "10.98.0.0/16"]'
imageClients: '["198.51.100.0/24"]'
vaultClients: '["198.51.100.0/24"]'
databaseZones: false
encryptionAtHost: true
lockRetention: true"""


def with_everything() -> dict[str, tuple[str, str]]:
    """Return two programs with all components: one without settings, one with a public API and every setting."""
    public = EVERYTHING.replace('version="1.35"', 'version="1.35", public_access_cidrs=["198.51.100.0/24"]')
    other = public.replace("governance", "compliance").replace("ephemeral=True", 'ephemeral=True, zones=["2"]')
    other = other.replace("monthly=2000", 'monthly=2000, groups=["other", "other-nodes", "fraud-prod"]')
    return {"plain": (EVERYTHING, ""), "set": (other, SETTINGS)}


def registered(folder: Path, program: str, settings: str = "") -> Resources:
    """Return a program's registrations by type and name, such as `azure-native:keyvault:Vault fraud-prod-keys`."""
    return registered_together(folder, {"program": (program, settings)})["program"]


def registered_together(folder: Path, programs: Mapping[str, tuple[str, str]]) -> dict[str, Resources]:
    """Return the registrations of several programs with their settings.

    Running all programs in one process imports the SDK only once, which takes most of the time.
    """
    folders = [_project(folder / name, program, settings) for name, (program, settings) in programs.items()]
    return {name: _by_name(each) for name, each in zip(programs, registrations(*folders), strict=True)}


def _by_name(resources: list[Registration]) -> Resources:
    by_name = {f"{each['type']} {each['name']}": each for each in resources}
    assert len(by_name) == len(resources)
    return by_name


def _project(folder: Path, program: str, settings: str) -> Path:
    shutil.copytree(next(iter(modelyard_stacks.__path__)), folder / "modelyard_stacks")
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    lines = "".join(f"  {'' if line.startswith('azure-') else 'tiny:'}{line}\n" for line in settings.splitlines())
    (folder / "Pulumi.prod.yaml").write_text(f"config:\n{lines}" if lines else "{}\n")
    (folder / "__main__.py").write_text(program)
    return folder


@contextmanager
def configured(**settings: str) -> Generator[None]:
    """Set a stack's configuration for functions called outside a program."""
    pulumi.runtime.set_all_config({f"{pulumi.get_project()}:{name}": value for name, value in settings.items()})
    try:
        yield
    finally:
        pulumi.runtime.set_all_config({})


def elsewhere(resources: Resources) -> set[str]:
    """Return Azure resources outside the program's subscription or any component."""
    provider = "pulumi:pulumi:Stack$pulumi:providers:azure-native::azure"
    return {
        where
        for where, each in resources.items()
        if each["type"].startswith("azure-native:")
        and (each["provider"] != provider or not ("modelyard:azure:" in each["parent"] or each["parent"] == provider))
    }
