"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.azure.alarms import Alarms
from modelyard_stacks.azure.cluster import Cluster
from modelyard_stacks.azure.database import Database
from modelyard_stacks.azure.group import ResourceGroup
from modelyard_stacks.azure.identity import Identity
from modelyard_stacks.azure.images import ImageRegistry
from modelyard_stacks.azure.key import Key
from modelyard_stacks.azure.login import DatabaseLogin
from modelyard_stacks.azure.logs import ClusterLogs
from modelyard_stacks.azure.network import Network
from modelyard_stacks.azure.nodes import NodePool
from modelyard_stacks.azure.platform import SecretsReader
from modelyard_stacks.azure.roles import StoreRoles
from modelyard_stacks.azure.storage import ObjectStore
from modelyard_stacks.azure.vault import Vault

group = ResourceGroup(
    "main",
    region="germanywestcentral",
    group="paints-main",
    tags={
        "modelyard-system": "paints",
        "modelyard-environment": "default",
        "modelyard-target": "main",
        "modelyard-owner": "quality",
    },
)
key = Key("paints-main", group=group, cluster=True)
network = Network("paints-main", group=group, cidr="10.0.0.0/16")
cluster = Cluster(
    "paints-main",
    group=group,
    network=network,
    key=key,
    version="1.36",
    machine="Standard_D2s_v5",
    nodes=2,
)

system_pool = NodePool(
    "system",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="of2985bced5",
    pool="system",
    machine="Standard_D2as_v6",
    capacity="on-demand",
    min_nodes=2,
    max_nodes=3,
    disk_gib=100,
    tainted=False,
)
pipelines_retrain_d8as_v6_on_demand_pool = NodePool(
    "pipelines-retrain-d8as-v6-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="o97b2091bbf",
    pool="pipelines-retrain",
    machine="Standard_D8as_v6",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
)

vault = Vault("paints-main", group=group, network=network)
lake_store = ObjectStore(
    "lake",
    group=group,
    key=key,
    network=network,
    account="paintslake7994491217",
    container="paints-lake",
    versioned=True,
    expire={"mlflow/logs": 90},
    shared=True,
)
runs_login = DatabaseLogin("runs", group=group, vault=vault, user="modelyard")
runs_store = Database(
    "runs",
    group=group,
    key=key,
    network=network,
    login=runs_login,
    server="paints-main-runs-77cbcdaaf9",
    database="runs",
    storage_gib=32,
    machine="Standard_B2s",
    version="17",
    replicas=False,
    backup_days=7,
)
images = ImageRegistry("paints-main", group=group, network=network, cluster=cluster, registry="paintsmainb166e13bb0")

secrets_reader = SecretsReader(
    "paints-main",
    group=group,
    cluster=cluster,
    vault=vault,
    namespace="external-secrets",
    service_account="external-secrets",
    logins=[runs_login],
)

roles = StoreRoles("paints-main", group=group)
registry_identity = Identity(
    "registry",
    group=group,
    cluster=cluster,
    namespace="paints",
    service_account="registry",
    access=[{"account": "paintslake7994491217", "container": "paints-lake", "prefix": "mlflow", "mode": "write"}],
    stores=[lake_store],
    roles=roles,
)
retrain_identity = Identity(
    "retrain",
    group=group,
    cluster=cluster,
    namespace="paints",
    service_account="retrain",
    access=[
        {"account": "paintslake7994491217", "container": "paints-lake", "prefix": "coats", "mode": "read"},
        {
            "account": "paintslake7994491217",
            "container": "paints-lake",
            "prefix": "mlflow/models/paints-flaw/",
            "mode": "write",
        },
        {
            "account": "paintslake7994491217",
            "container": "paints-lake",
            "prefix": "mlflow/logs/retrain",
            "mode": "append",
        },
    ],
    stores=[lake_store],
    roles=roles,
)
promoter_identity = Identity(
    "promoter",
    group=group,
    cluster=cluster,
    namespace="paints",
    service_account="promoter",
    access=[
        {"account": "paintslake7994491217", "container": "paints-lake", "prefix": "mlflow/models/", "mode": "read"},
        {"account": "paintslake7994491217", "container": "paints-lake", "prefix": "mlflow/bundles/", "mode": "write"},
    ],
    stores=[lake_store],
    roles=roles,
)
starter_identity = Identity(
    "starter",
    group=group,
    cluster=cluster,
    namespace="paints",
    service_account="starter",
    access=[
        {
            "account": "paintslake7994491217",
            "container": "paints-lake",
            "prefix": "mlflow/run-requests/paints/default/main/",
            "mode": "write",
        },
    ],
    stores=[lake_store],
    roles=roles,
)

ClusterLogs("paints-main", group=group, cluster=cluster, days=30, databases=[runs_store])
Alarms("paints-main", group=group, network=network, databases=[runs_store], emails=["quality@acme.example"])

pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("cluster_name", cluster.name)
pulumi.export("issuer", cluster.issuer)
pulumi.export("region", group.region_name)
pulumi.export("group", group.group_name)
pulumi.export("tenant", group.tenant)
pulumi.export("storage_ranges", network.storage_ranges)
pulumi.export("image_registry", images.host)
pulumi.export("vault", vault.vault_name)
pulumi.export("vault_url", vault.url)
pulumi.export("external_secrets_client_id", secrets_reader.client_id)
pulumi.export("runs_host", runs_store.host)
pulumi.export("runs_port", runs_store.port)
pulumi.export("runs_secret", runs_login.secret)
pulumi.export("registry_client_id", registry_identity.client_id)
pulumi.export("retrain_client_id", retrain_identity.client_id)
pulumi.export("promoter_client_id", promoter_identity.client_id)
pulumi.export("starter_client_id", starter_identity.client_id)
