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
    region="westeurope",
    group="leads-main",
    tags={
        "modelyard-system": "leads",
        "modelyard-environment": "default",
        "modelyard-target": "main",
        "modelyard-owner": "growth",
        "label-domain": "sales",
    },
)
key = Key("leads-main", group=group, cluster=True)
network = Network("leads-main", group=group, cidr="10.20.0.0/16")
cluster = Cluster(
    "leads-main",
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
    max_nodes=6,
    disk_gib=100,
    tainted=False,
)
free_d4as_v6_on_demand_pool = NodePool(
    "free-d4as-v6-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="o912168b94a",
    pool="free",
    machine="Standard_D4as_v6",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=3,
    disk_gib=100,
)
gpu_nc8as_t4_v3_spot_pool = NodePool(
    "gpu-nc8as-t4-v3-spot",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="s90bf277360",
    pool="gpu",
    machine="Standard_NC8as_T4_v3",
    capacity="spot",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    gpus=1,
)
gpu_nc16as_t4_v3_spot_pool = NodePool(
    "gpu-nc16as-t4-v3-spot",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="s83ec8814a5",
    pool="gpu",
    machine="Standard_NC16as_T4_v3",
    capacity="spot",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    gpus=1,
)
gpu_nc8as_t4_v3_on_demand_pool = NodePool(
    "gpu-nc8as-t4-v3-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="obccb6f5627",
    pool="gpu",
    machine="Standard_NC8as_T4_v3",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    gpus=1,
)
gpu_nc24ads_a100_v4_spot_pool = NodePool(
    "gpu-nc24ads-a100-v4-spot",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="s13eba485f8",
    pool="gpu",
    machine="Standard_NC24ads_A100_v4",
    capacity="spot",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    gpus=1,
)
gpu_nc24ads_a100_v4_on_demand_pool = NodePool(
    "gpu-nc24ads-a100-v4-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="o81892443ef",
    pool="gpu",
    machine="Standard_NC24ads_A100_v4",
    capacity="on-demand",
    min_nodes=0,
    max_nodes=1,
    disk_gib=100,
    gpus=1,
)
small_f2s_v2_on_demand_pool = NodePool(
    "small-f2s-v2-on-demand",
    cluster=cluster,
    network=network,
    key=key,
    agent_pool="o4a4a350772",
    pool="small",
    machine="Standard_F2s_v2",
    capacity="on-demand",
    min_nodes=1,
    max_nodes=2,
    disk_gib=100,
)

vault = Vault("leads-main", group=group, network=network)
audit_store = ObjectStore(
    "audit",
    group=group,
    key=key,
    network=network,
    account="leadsaudite5ca382dbd",
    container="leads-audit",
    versioned=True,
    expire={"audit/score": 2557},
    lock={"mode": "compliance", "days": 2557},
)
lake_store = ObjectStore(
    "lake",
    group=group,
    key=key,
    network=network,
    account="leadslake16a8126675",
    container="leads-lake",
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
    server="leads-main-runs-d70298261d",
    database="runs",
    storage_gib=32,
    machine="Standard_B2s",
    version="17",
    replicas=False,
    backup_days=7,
)
images = ImageRegistry("leads-main", group=group, network=network, cluster=cluster, registry="leadsmain998f8f2d21")

secrets_reader = SecretsReader(
    "leads-main",
    group=group,
    cluster=cluster,
    vault=vault,
    namespace="external-secrets",
    service_account="external-secrets",
    secrets=["token"],
    logins=[runs_login],
)

roles = StoreRoles("leads-main", group=group)
registry_identity = Identity(
    "registry",
    group=group,
    cluster=cluster,
    namespace="leads",
    service_account="registry",
    access=[{"account": "leadslake16a8126675", "container": "leads-lake", "prefix": "mlflow", "mode": "write"}],
    stores=[lake_store],
    roles=roles,
)
fit_identity = Identity(
    "fit",
    group=group,
    cluster=cluster,
    namespace="leads",
    service_account="fit",
    access=[
        {"account": "leadslake16a8126675", "container": "leads-lake", "prefix": "clicks", "mode": "read"},
        {
            "account": "leadslake16a8126675",
            "container": "leads-lake",
            "prefix": "mlflow/models/leads-churn/",
            "mode": "write",
        },
        {"account": "leadslake16a8126675", "container": "leads-lake", "prefix": "mlflow/logs/fit", "mode": "append"},
    ],
    stores=[lake_store],
    roles=roles,
)
scoring_identity = Identity(
    "scoring",
    group=group,
    cluster=cluster,
    namespace="leads",
    service_account="scoring",
    access=[
        {"account": "leadslake16a8126675", "container": "leads-lake", "prefix": "clicks", "mode": "read"},
        {"account": "leadslake16a8126675", "container": "leads-lake", "prefix": "scores", "mode": "write"},
        {
            "account": "leadslake16a8126675",
            "container": "leads-lake",
            "prefix": "mlflow/models/leads-churn/",
            "mode": "read",
        },
        {
            "account": "leadslake16a8126675",
            "container": "leads-lake",
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
    namespace="leads",
    service_account="score",
    access=[
        {
            "account": "leadslake16a8126675",
            "container": "leads-lake",
            "prefix": "mlflow/models/leads-churn/",
            "mode": "read",
        },
        {"account": "leadsaudite5ca382dbd", "container": "leads-audit", "prefix": "audit/score", "mode": "append"},
    ],
    stores=[lake_store, audit_store],
    roles=roles,
)
promoter_identity = Identity(
    "promoter",
    group=group,
    cluster=cluster,
    namespace="leads",
    service_account="promoter",
    access=[
        {"account": "leadslake16a8126675", "container": "leads-lake", "prefix": "mlflow/models/", "mode": "read"},
        {
            "account": "leadslake16a8126675",
            "container": "leads-lake",
            "prefix": "mlflow/models/leads-propensity/",
            "mode": "append",
        },
        {"account": "leadslake16a8126675", "container": "leads-lake", "prefix": "bought/propensity/4/", "mode": "read"},
    ],
    stores=[lake_store],
    roles=roles,
)

ClusterLogs("leads-main", group=group, cluster=cluster, days=30, databases=[runs_store])
Alarms("leads-main", group=group, network=network, databases=[runs_store], emails=["growth@acme.example"])

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
