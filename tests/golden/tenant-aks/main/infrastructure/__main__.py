"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.azure.alarms import Alarms
from modelyard_stacks.azure.database import Database
from modelyard_stacks.azure.existing import ClusterNetwork, ExistingCluster
from modelyard_stacks.azure.group import ResourceGroup
from modelyard_stacks.azure.identity import Identity
from modelyard_stacks.azure.images import ImageRegistry
from modelyard_stacks.azure.key import Key
from modelyard_stacks.azure.login import DatabaseLogin
from modelyard_stacks.azure.platform import SecretsReader
from modelyard_stacks.azure.roles import StoreRoles
from modelyard_stacks.azure.storage import ObjectStore
from modelyard_stacks.azure.vault import Vault

group = ResourceGroup(
    "main",
    subscription_id="3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b",
    region="westeurope",
    group="tenant-aks-main",
    tags={
        "modelyard-system": "tenant",
        "modelyard-environment": "aks",
        "modelyard-target": "main",
        "modelyard-owner": "growth",
        "label-domain": "sales",
    },
)
key = Key("tenant-aks-main", group=group)
cluster = ExistingCluster("tenant-aks-main", group=group, cluster="platform", resource_group="platform")
network = ClusterNetwork(
    "tenant-aks-main",
    group=group,
    cluster=cluster,
    dns_group="/subscriptions/3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b/resourceGroups/dns",
)

vault = Vault("tenant-aks-main", group=group, network=network)
lake_store = ObjectStore(
    "lake",
    group=group,
    key=key,
    network=network,
    account="tenantakslake29a8908eb5",
    container="tenant-aks-lake",
    versioned=True,
    expire={"mlflow/logs": 90},
)
runs_login = DatabaseLogin("runs", group=group, vault=vault, user="modelyard")
runs_store = Database(
    "runs",
    group=group,
    key=key,
    network=network,
    login=runs_login,
    server="tenant-aks-main-runs-f82fa084b3",
    database="runs",
    storage_gib=32,
    machine="Standard_B2s",
    version="17",
    replicas=False,
    backup_days=7,
)
images = ImageRegistry(
    "tenant-aks-main",
    group=group,
    network=network,
    cluster=cluster,
    registry="tenantaksmain11004b21f2",
)

secrets_reader = SecretsReader(
    "tenant-aks-main",
    group=group,
    cluster=cluster,
    vault=vault,
    namespace="tenant-aks",
    service_account="secrets-reader",
    secrets=["token", "pagerduty"],
    logins=[runs_login],
)

roles = StoreRoles("tenant-aks-main", group=group)
registry_identity = Identity(
    "registry",
    group=group,
    cluster=cluster,
    namespace="tenant-aks",
    service_account="registry",
    access=[
        {"account": "tenantakslake29a8908eb5", "container": "tenant-aks-lake", "prefix": "mlflow", "mode": "write"},
    ],
    stores=[lake_store],
    roles=roles,
)
fit_identity = Identity(
    "fit",
    group=group,
    cluster=cluster,
    namespace="tenant-aks",
    service_account="fit",
    access=[
        {"account": "tenantakslake29a8908eb5", "container": "tenant-aks-lake", "prefix": "clicks", "mode": "read"},
        {
            "account": "tenantakslake29a8908eb5",
            "container": "tenant-aks-lake",
            "prefix": "mlflow/models/tenant-churn/",
            "mode": "write",
        },
        {
            "account": "tenantakslake29a8908eb5",
            "container": "tenant-aks-lake",
            "prefix": "mlflow/logs/fit",
            "mode": "append",
        },
    ],
    stores=[lake_store],
    roles=roles,
)
scoring_identity = Identity(
    "scoring",
    group=group,
    cluster=cluster,
    namespace="tenant-aks",
    service_account="scoring",
    access=[
        {"account": "tenantakslake29a8908eb5", "container": "tenant-aks-lake", "prefix": "clicks", "mode": "read"},
        {"account": "tenantakslake29a8908eb5", "container": "tenant-aks-lake", "prefix": "scores", "mode": "write"},
        {
            "account": "tenantakslake29a8908eb5",
            "container": "tenant-aks-lake",
            "prefix": "mlflow/models/tenant-churn/",
            "mode": "read",
        },
        {
            "account": "tenantakslake29a8908eb5",
            "container": "tenant-aks-lake",
            "prefix": "mlflow/logs/scoring",
            "mode": "append",
        },
    ],
    stores=[lake_store],
    roles=roles,
)
score_identity = Identity(
    "score",
    group=group,
    cluster=cluster,
    namespace="tenant-aks",
    service_account="score",
    access=[
        {
            "account": "tenantakslake29a8908eb5",
            "container": "tenant-aks-lake",
            "prefix": "mlflow/models/tenant-churn/",
            "mode": "read",
        },
    ],
    stores=[lake_store],
    roles=roles,
)
promoter_identity = Identity(
    "promoter",
    group=group,
    cluster=cluster,
    namespace="tenant-aks",
    service_account="promoter",
    access=[
        {
            "account": "tenantakslake29a8908eb5",
            "container": "tenant-aks-lake",
            "prefix": "mlflow/models/",
            "mode": "read",
        },
    ],
    stores=[lake_store],
    roles=roles,
)

Alarms("tenant-aks-main", group=group, network=network, databases=[runs_store], emails=["growth@acme.example"])

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
pulumi.export("fit_client_id", fit_identity.client_id)
pulumi.export("scoring_client_id", scoring_identity.client_id)
pulumi.export("score_client_id", score_identity.client_id)
pulumi.export("promoter_client_id", promoter_identity.client_id)
